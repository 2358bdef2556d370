"""A close remembers since when everything is recorded that it could not see.

The next close searches that, and not all that was ever sold. Closes made before say nothing (NULL): the
one after them searches everything once. See docs/decisions/0025.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE settlement_close ADD COLUMN late_since timestamptz")
