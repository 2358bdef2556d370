"""What payments write into indexes lies side by side, and what nobody looks up is not written.

The keys of deeds and of a day's counters begin with what grows, so that new entries share their pages; the index of
accounts leaves out what stores are owed, which nobody looks up one store at a time (docs/decisions/0103).
The keys keep their names: a server that still runs the program before this one knows a deed's own by it.

Revision ID: 0037
Revises: 0036
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

KEYS = {"deed": "key, account_id", "spent_today": "day, wallet_id, programme_id"}
LOOKED_UP = (
    "ledger_posting (owner_id, account)"
    " WHERE account IN ('payout_due', 'store_receivable', 'wallet_paid', 'wallet_premium')"
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, columns in KEYS.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS uq_{table}_side_by_side")
            op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS uq_{table}_side_by_side ON {table} ({columns})")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_ledger_posting_looked_up")
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_ledger_posting_looked_up ON {LOOKED_UP}")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_ledger_posting_owner")
    for table in KEYS:
        op.execute(
            "-- squawk-ignore ban-drop-constraint\n"
            f"ALTER TABLE {table} DROP CONSTRAINT pk_{table},"
            f" ADD CONSTRAINT pk_{table} PRIMARY KEY USING INDEX uq_{table}_side_by_side"
        )
    op.execute(
        "-- squawk-ignore renaming-object\nALTER INDEX ix_ledger_posting_looked_up RENAME TO ix_ledger_posting_owner"
    )
