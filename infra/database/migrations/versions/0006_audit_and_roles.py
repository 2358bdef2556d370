"""The audit log is sealed, its head anchored; an auditor reads all but secrets; changes wait for a second yes.

The auditor's rights are granted column by column where a table holds a secret: the hash of a password,
the seal of a one-time code. The analyst has no right yet. See docs/database-rights.md.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ADDED = {
    "ix_audit_entry_actor": "audit_entry (actor_id, id)",
    "ix_audit_entry_subject": "audit_entry (subject_id, id)",
    "ix_audit_entry_action": "audit_entry (action, id)",
    "ix_audit_entry_recorded_at": (
        "audit_entry USING brin (recorded_at) WITH (autosummarize = on, pages_per_range = 32)"
    ),
}
DROPPED = ("ix_audit_entry_subject_id",)

TABLES = (
    """
    CREATE TABLE audit_seal (
        position bigint NOT NULL CONSTRAINT pk_audit_seal PRIMARY KEY,
        entry_id uuid NOT NULL CONSTRAINT uq_audit_seal_entry_id UNIQUE
            CONSTRAINT fk_audit_seal_entry_id REFERENCES audit_entry (id),
        hash bytea NOT NULL
    )
    """,
    """
    CREATE TABLE chain_anchor (
        signature bytea NOT NULL CONSTRAINT pk_chain_anchor PRIMARY KEY,
        line bigint NOT NULL,
        chain text NOT NULL,
        entries bigint NOT NULL,
        hash bytea NOT NULL,
        anchored_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE proposed_change (
        id uuid NOT NULL CONSTRAINT pk_proposed_change PRIMARY KEY,
        kind text NOT NULL,
        subject_id uuid NOT NULL,
        content jsonb NOT NULL,
        fingerprint bytea NOT NULL,
        proposed_by uuid NOT NULL,
        proposed_at timestamptz NOT NULL,
        status text NOT NULL,
        decided_by uuid,
        decided_at timestamptz,
        CONSTRAINT ck_proposed_change_status CHECK (status IN ('open', 'approved', 'withdrawn')),
        CONSTRAINT ck_proposed_change_decided CHECK (
            (status = 'open') = (decided_by IS NULL) AND (decided_by IS NULL) = (decided_at IS NULL)),
        CONSTRAINT ck_proposed_change_second_officer CHECK (status <> 'approved' OR decided_by <> proposed_by)
    )
    """,
    "CREATE INDEX ix_proposed_change_open ON proposed_change (subject_id) WHERE status = 'open'",
    "GRANT SELECT, INSERT, UPDATE (status, decided_by, decided_at) ON proposed_change TO tanabata_app",
)
WRITTEN_ONCE = ("audit_seal", "chain_anchor")

WITH_SECRETS = {
    "account": "id, kind, phone, email, name, status, registered_at, opened_by, password_changed_at",
    "sign_in_code": "id, phone, sent_at, expires_at, tries_left, used_at",
    "session": "id, account_id, carrier, client, opened_at, refreshed_at, expires_at, latest_at, ended_at, ended_as",
}
"""Tables that hold a secret, and what the auditor may read of them."""

READABLE = (
    *("person", "account_acts_for", "account_role", "password_tries", "password_spread"),
    *("programme", "programme_version", "programme_approval", "programme_stock"),
    *("merchant", "payout_account", "store", "store_member"),
    *("wallet", "device", "lot", "bought", "spent_today", "purchase", "wallet_grant", "expiry"),
    *("payment", "payment_leg", "payment_allocation", "payment_return", "payment_returned", "code_use", "till_code"),
    *("settlement_close", "statement", "statement_claim", "bank_file", "bank_transfer", "payout", "money_in"),
    *("ledger_journal", "ledger_posting", "ledger_seal", "audit_entry", "audit_seal", "chain_anchor"),
    *("deed", "proposed_change", "alembic_version"),
)

ENTER_SCHEMA = """
DO $$ BEGIN EXECUTE format('GRANT USAGE ON SCHEMA %I TO tanabata_auditor', current_schema()); END $$
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, place in ADDED.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {place}")
        for name in DROPPED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
    for table in TABLES:
        op.execute(table)
    for name in WRITTEN_ONCE:
        op.execute(
            f"CREATE TRIGGER {name}_written_once BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        op.execute(f"GRANT SELECT, INSERT ON {name} TO tanabata_app")
    op.execute(ENTER_SCHEMA)
    op.execute(f"GRANT SELECT ON {', '.join(READABLE)} TO tanabata_auditor")
    for name, columns in WITH_SECRETS.items():
        op.execute(f"GRANT SELECT ({columns}) ON {name} TO tanabata_auditor")
