"""Indexes of the hot path: what a payment writes is kept sorted by nothing that nobody looks for.

Dropped are indexes that no statement uses or that a BRIN on time replaces. Each statement runs by
itself: an interrupted attempt leaves an invalid index, which the next one drops and builds anew,
and no payment waits for any of it.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DROPPED = ("ix_lot_expiring", "ix_ledger_journal_programme", "ix_payment_wallet_id", "ix_payment_leg_programme_id")

ADDED = {
    "ix_lot_due": "lot (expires_at, id) WHERE lapsed_at IS NULL",
    "ix_store_member_person_id": "store_member (person_id) WHERE person_id IS NOT NULL",
    "ix_ledger_journal_recorded_at": (
        "ledger_journal USING brin (recorded_at) WITH (autosummarize = on, pages_per_range = 32)"
    ),
    "ix_payment_leg_effective_at": (
        "payment_leg USING brin (effective_at) WITH (autosummarize = on, pages_per_range = 32)"
    ),
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, place in ADDED.items():
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {place}")
        for name in DROPPED:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
