"""Who cares for whom, what they consented to, and what carers did.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE care (
        id uuid NOT NULL CONSTRAINT pk_care PRIMARY KEY,
        kind text NOT NULL,
        carer_id uuid NOT NULL CONSTRAINT fk_care_carer_id REFERENCES person (id),
        cared_for_id uuid NOT NULL CONSTRAINT fk_care_cared_for_id REFERENCES person (id),
        wallet_id uuid NOT NULL CONSTRAINT fk_care_wallet_id REFERENCES wallet (id),
        carer_name text NOT NULL,
        cared_for_name text NOT NULL,
        began_at timestamptz NOT NULL,
        ends_at timestamptz,
        ended_at timestamptz,
        ended_as text,
        CONSTRAINT ck_care_kind CHECK (kind IN ('consent', 'parent', 'guardian')),
        CONSTRAINT ck_care_ended_as CHECK (ended_as IN ('carer', 'cared_for', 'office', 'time')),
        CONSTRAINT ck_care_ended CHECK ((ended_at IS NULL) = (ended_as IS NULL)),
        CONSTRAINT ck_care_two_persons CHECK (carer_id <> cared_for_id),
        CONSTRAINT ck_care_childhood_ends CHECK (kind <> 'parent' OR ends_at IS NOT NULL)
    )
    """,
    "CREATE UNIQUE INDEX ix_care_open ON care (cared_for_id, carer_id) WHERE ended_at IS NULL",
    "CREATE INDEX ix_care_carer_id ON care (carer_id) WHERE ended_at IS NULL",
    """
    CREATE TABLE care_consent (
        care_id uuid NOT NULL CONSTRAINT pk_care_consent PRIMARY KEY
            CONSTRAINT fk_care_consent_care_id REFERENCES care (id),
        given_by uuid CONSTRAINT fk_care_consent_given_by REFERENCES account (id),
        words text NOT NULL,
        evidence text,
        recorded_by uuid CONSTRAINT fk_care_consent_recorded_by REFERENCES account (id),
        change_id uuid CONSTRAINT fk_care_consent_change_id REFERENCES proposed_change (id),
        given_at timestamptz NOT NULL,
        CONSTRAINT ck_care_consent_how CHECK ((given_by IS NULL) = (evidence IS NOT NULL)),
        CONSTRAINT ck_care_consent_recorded CHECK ((evidence IS NULL) = (recorded_by IS NULL)),
        CONSTRAINT ck_care_consent_approved CHECK ((evidence IS NULL) = (change_id IS NULL))
    )
    """,
    """
    CREATE TABLE care_code (
        id uuid NOT NULL CONSTRAINT pk_care_code PRIMARY KEY,
        mac bytea NOT NULL CONSTRAINT uq_care_code_mac UNIQUE,
        cared_for_id uuid NOT NULL CONSTRAINT fk_care_code_cared_for_id REFERENCES person (id),
        given_by uuid NOT NULL CONSTRAINT fk_care_code_given_by REFERENCES account (id),
        words text NOT NULL,
        carer_name text NOT NULL,
        ends_at timestamptz,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz
    )
    """,
    "CREATE INDEX ix_care_code_open ON care_code (cared_for_id) WHERE ended_at IS NULL",
    """
    CREATE TABLE care_tries (
        account_id uuid NOT NULL CONSTRAINT pk_care_tries PRIMARY KEY
            CONSTRAINT fk_care_tries_account_id REFERENCES account (id),
        window_began_at timestamptz NOT NULL,
        tries integer NOT NULL
    )
    """,
    """
    CREATE TABLE care_deed (
        deed_id uuid NOT NULL CONSTRAINT pk_care_deed PRIMARY KEY,
        care_id uuid NOT NULL CONSTRAINT fk_care_deed_care_id REFERENCES care (id),
        account_id uuid NOT NULL CONSTRAINT fk_care_deed_account_id REFERENCES account (id)
    )
    """,
)
WRITTEN_ONCE = ("care_consent", "care_deed")
RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE (ended_at, ended_as) ON care TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (ended_at) ON care_code TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (window_began_at, tries) ON care_tries TO tanabata_app",
    "GRANT SELECT, INSERT ON care_consent, care_deed TO tanabata_app",
    "GRANT SELECT ON care, care_consent, care_tries, care_deed TO tanabata_auditor",
    "GRANT SELECT (id, cared_for_id, given_by, words, carer_name, ends_at, expires_at, ended_at) "
    "ON care_code TO tanabata_auditor",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for name in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {name}_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    for statement in RIGHTS:
        op.execute(statement)
