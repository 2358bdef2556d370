"""Who lives where: the city's register, letters, what people proved, and which district a postal code lies in.

A list is never altered; its approval makes it the register. The MAC of a letter's code is a secret to the auditor.

Revision ID: 0008
Revises: 0007
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE registry_list (
        id uuid NOT NULL CONSTRAINT pk_registry_list PRIMARY KEY,
        sha256 bytea NOT NULL,
        lines integer NOT NULL,
        proposed_by uuid NOT NULL,
        proposed_at timestamptz NOT NULL,
        approved_at timestamptz
    )
    """,
    """
    CREATE TABLE registry_entry (
        list_id uuid NOT NULL CONSTRAINT fk_registry_entry_list_id REFERENCES registry_list (id),
        reference text NOT NULL,
        name text NOT NULL,
        name_key text NOT NULL,
        kana text NOT NULL,
        kana_key text NOT NULL,
        born_on date NOT NULL,
        postal_code text NOT NULL,
        CONSTRAINT pk_registry_entry PRIMARY KEY (list_id, reference),
        CONSTRAINT ck_registry_entry_postal_code CHECK (postal_code ~ '^[0-9]{7}$'),
        CONSTRAINT ck_registry_entry_reference CHECK (
            length(reference) BETWEEN 1 AND 20 AND reference !~ '^[0-9]{12}$')
    )
    """,
    "CREATE INDEX ix_registry_entry_name ON registry_entry (list_id, born_on, name_key)",
    """
    CREATE TABLE registry_letter (
        reference text NOT NULL CONSTRAINT pk_registry_letter PRIMARY KEY,
        issue integer NOT NULL,
        mac bytea NOT NULL,
        issued_at timestamptz NOT NULL,
        issued_by uuid NOT NULL,
        window_began_at timestamptz NOT NULL,
        tries integer NOT NULL,
        CONSTRAINT ck_registry_letter_counts CHECK (issue >= 1 AND tries >= 0)
    )
    """,
    """
    CREATE TABLE residency_tries (
        account_id uuid NOT NULL CONSTRAINT pk_residency_tries PRIMARY KEY
            CONSTRAINT fk_residency_tries_account_id REFERENCES account (id),
        window_began_at timestamptz NOT NULL,
        tries integer NOT NULL
    )
    """,
    """
    CREATE TABLE residency (
        person_id uuid NOT NULL CONSTRAINT pk_residency PRIMARY KEY
            CONSTRAINT fk_residency_person_id REFERENCES person (id),
        how text NOT NULL,
        name text NOT NULL,
        name_key text NOT NULL,
        kana text,
        born_on date NOT NULL,
        postal_code text,
        reference text CONSTRAINT uq_residency_reference UNIQUE,
        subject text CONSTRAINT uq_residency_subject UNIQUE,
        proven_at timestamptz NOT NULL,
        proven_by uuid NOT NULL,
        CONSTRAINT ck_residency_how CHECK (how IN ('registry', 'counter', 'oidc')),
        CONSTRAINT ck_residency_postal_code CHECK (postal_code ~ '^[0-9]{7}$'),
        CONSTRAINT ck_residency_reference CHECK ((how = 'registry') <= (reference IS NOT NULL)),
        CONSTRAINT ck_residency_subject CHECK ((how = 'oidc') <= (subject IS NOT NULL))
    )
    """,
    "CREATE INDEX ix_residency_identity ON residency (born_on, name_key)",
    """
    CREATE TABLE residency_claim (
        id uuid NOT NULL CONSTRAINT pk_residency_claim PRIMARY KEY,
        person_id uuid NOT NULL CONSTRAINT fk_residency_claim_person_id REFERENCES person (id),
        held_by uuid NOT NULL CONSTRAINT fk_residency_claim_held_by REFERENCES person (id),
        proof jsonb NOT NULL,
        found_at timestamptz NOT NULL,
        status text NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        CONSTRAINT ck_residency_claim_status CHECK (status IN ('open', 'same_person', 'another_person')),
        CONSTRAINT ck_residency_claim_decided CHECK (
            (status = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
        CONSTRAINT ck_residency_claim_two_persons CHECK (person_id <> held_by)
    )
    """,
    "CREATE UNIQUE INDEX ix_residency_claim_open ON residency_claim (person_id, held_by) WHERE status = 'open'",
    """
    CREATE TABLE postal_district (
        postal_code text NOT NULL CONSTRAINT pk_postal_district PRIMARY KEY,
        district text NOT NULL,
        loaded_at timestamptz NOT NULL,
        CONSTRAINT ck_postal_district_postal_code CHECK (postal_code ~ '^[0-9]{7}$')
    )
    """,
)

ALTERABLE = {
    "registry_list": "approved_at",
    "registry_letter": "issue, mac, issued_at, issued_by, window_began_at, tries",
    "residency_tries": "window_began_at, tries",
    "residency": "how, name, name_key, kana, born_on, postal_code, reference, subject, proven_at, proven_by",
    "residency_claim": "status, decided_by, decided_at",
    "postal_district": "district, loaded_at",
}
READABLE = (
    *("registry_list", "registry_entry", "residency_tries", "residency", "residency_claim", "postal_district"),
)


def upgrade() -> None:
    for table in TABLES:
        op.execute(table)
    op.execute("GRANT SELECT, INSERT ON registry_entry TO tanabata_app")
    for name, columns in ALTERABLE.items():
        op.execute(f"GRANT SELECT, INSERT, UPDATE ({columns}) ON {name} TO tanabata_app")
    op.execute(f"GRANT SELECT ON {', '.join(READABLE)} TO tanabata_auditor")
    op.execute(
        "GRANT SELECT (reference, issue, issued_at, issued_by, window_began_at, tries) "
        "ON registry_letter TO tanabata_auditor"
    )
