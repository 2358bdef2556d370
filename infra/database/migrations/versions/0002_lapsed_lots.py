"""Lots that expiry has dealt with are marked, and rows that payments change leave room for the next change.

`lot.lapsed_at` is set by expiry alone, so that the index of due lots (0003) holds no column that a
payment changes: a payment's update of a lot then stays within its page and touches no index. See
docs/decisions/0022.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE lot ADD COLUMN lapsed_at timestamptz")
    op.execute("GRANT UPDATE (lapsed_at) ON lot TO tanabata_app")
    op.execute("ALTER TABLE lot SET (fillfactor = 80)")
    op.execute("ALTER TABLE spent_today SET (fillfactor = 85)")
