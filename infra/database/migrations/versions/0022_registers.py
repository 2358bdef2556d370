"""Registers that a store's staff share: clerks' PINs, sessions at a register, and which register took what.

The hash of a PIN is a secret to the auditor.

Revision ID: 0022
Revises: 0021
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

WHERE_IT_WAS = ("session", "payment", "payment_return", "till_code")
INDEX = "session (register_id) WHERE register_id IS NOT NULL AND ended_at IS NULL"

TABLES = (
    """
    CREATE TABLE register (
        id uuid NOT NULL CONSTRAINT pk_register PRIMARY KEY,
        store_id uuid NOT NULL CONSTRAINT fk_register_store_id REFERENCES store (id),
        name text NOT NULL,
        enrolled_by uuid NOT NULL,
        enrolled_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX ix_register_store_id ON register (store_id)",
    """
    CREATE TABLE clerk_pin (
        store_id uuid NOT NULL CONSTRAINT fk_clerk_pin_store_id REFERENCES store (id),
        account_id uuid NOT NULL CONSTRAINT fk_clerk_pin_account_id REFERENCES account (id),
        invited_by uuid NOT NULL,
        invitation_id uuid,
        invitation_until timestamptz,
        pin_hash text,
        set_at timestamptz,
        CONSTRAINT pk_clerk_pin PRIMARY KEY (store_id, account_id),
        CONSTRAINT ck_clerk_pin_state CHECK (invitation_id IS NULL OR pin_hash IS NULL),
        CONSTRAINT ck_clerk_pin_invitation CHECK ((invitation_id IS NULL) = (invitation_until IS NULL)),
        CONSTRAINT ck_clerk_pin_pin CHECK ((pin_hash IS NULL) = (set_at IS NULL))
    )
    """,
    """
    CREATE TABLE register_tries (
        pair uuid NOT NULL,
        span text NOT NULL,
        window_began_at timestamptz NOT NULL,
        tries integer NOT NULL,
        CONSTRAINT pk_register_tries PRIMARY KEY (pair, span),
        CONSTRAINT ck_register_tries_span CHECK (span IN ('short', 'day'))
    )
    """,
)
PIN = "invited_by, invitation_id, invitation_until, pin_hash, set_at"
RIGHTS = (
    "GRANT SELECT, INSERT, UPDATE (revoked_at) ON register TO tanabata_app",
    f"GRANT SELECT, INSERT, UPDATE ({PIN}) ON clerk_pin TO tanabata_app",
    "GRANT SELECT, INSERT, UPDATE (window_began_at, tries) ON register_tries TO tanabata_app",
    "GRANT SELECT ON register, register_tries TO tanabata_auditor",
    "GRANT SELECT (store_id, account_id, invited_by, invitation_until, set_at) ON clerk_pin TO tanabata_auditor",
    "GRANT SELECT (register_id) ON session TO tanabata_auditor",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table in WHERE_IT_WAS:
            op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS register_id uuid")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_session_at_register")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_session_at_register ON {INDEX}")
    for statement in (*TABLES, *RIGHTS):
        op.execute(statement)
