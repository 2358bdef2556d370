"""A register asks one wallet's phone: above a sum a scanned code alone pays nothing.

Revision ID: 0034
Revises: 0032
"""

from alembic import op

revision = "0034"
down_revision = "0032"
branch_labels = None
depends_on = None

INDEX = "INDEX CONCURRENTLY IF NOT EXISTS ix_till_code_wallet_id ON till_code (wallet_id, id) WHERE wallet_id IS NOT NULL"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE till_code ADD COLUMN IF NOT EXISTS wallet_id uuid")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_till_code_wallet_id")
        op.execute(f"CREATE {INDEX}")
