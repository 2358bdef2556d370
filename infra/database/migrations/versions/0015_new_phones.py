"""A new phone pays small sums at first, and a lost one is blocked by a printed code.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COLUMNS = {
    "session": ("limited_until timestamptz", "limit_yen bigint"),
    "device": ("limited_until timestamptz", "limit_yen bigint"),
}

BLOCK_CODE = """
CREATE TABLE block_code (
    locator text NOT NULL CONSTRAINT pk_block_code PRIMARY KEY,
    wallet_id uuid NOT NULL CONSTRAINT fk_block_code_wallet_id REFERENCES wallet (id),
    secret_hash text NOT NULL,
    made_at timestamptz NOT NULL,
    ended_at timestamptz,
    window_began_at timestamptz NOT NULL,
    tries integer NOT NULL
)
"""
RIGHTS = (
    "GRANT SELECT (limited_until, limit_yen) ON session TO tanabata_auditor",
    "GRANT SELECT, INSERT, UPDATE (ended_at, window_began_at, tries) ON block_code TO tanabata_app",
    "GRANT SELECT (locator, wallet_id, made_at, ended_at, window_began_at, tries) ON block_code TO tanabata_auditor",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, columns in COLUMNS.items():
            for column in columns:
                op.execute(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS {column}")
    for statement in (BLOCK_CODE, "CREATE INDEX ix_block_code_wallet_id ON block_code (wallet_id)", *RIGHTS):
        op.execute(statement)
