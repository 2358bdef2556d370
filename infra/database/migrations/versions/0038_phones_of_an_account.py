"""The phones that an account registered are found by it: they are blocked together, whatever the wallet.

Revision ID: 0038
Revises: 0037
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_device_account_id")
        op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_device_account_id ON device (account_id)")
