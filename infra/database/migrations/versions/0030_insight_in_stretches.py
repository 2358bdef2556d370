"""A period of payments is read in the order of its ids, table beside table, and looks nothing up row by row.

The planner takes the bounds of two tables that are joined by their ids for independent, expects a few rows of a join
that has thousands, and looks each of them up. Subqueries that are sorted by id are planned by themselves: they are
merged, which costs the same for a day and for a year, in every row (decision 0088).

Revision ID: 0030
Revises: 0025
"""

from alembic import op

revision = "0030"
down_revision = "0025"
branch_labels = None
depends_on = None

PAID = """
    SELECT g.payment_id AS deed_id, g.payment_id, 'payment'::text AS kind, pay.store_id, pay.mode,
           pay.effective_at AS at, g.lot_id, g.paid_yen, g.premium_yen, pay.balance_after_yen = 0 AS emptied
      FROM (SELECT leg.payment_id, a.lot_id, a.paid_yen, a.premium_yen
              FROM (SELECT id, payment_id FROM payment_leg
                     WHERE kind = 'payment' AND id >= (SELECT {insight}.first_id()) AND id < (SELECT {insight}.end_id())
                     ORDER BY id) leg
              JOIN (SELECT leg_id, lot_id, paid_yen, premium_yen FROM payment_allocation
                     WHERE leg_id >= (SELECT {insight}.first_id()) AND leg_id < (SELECT {insight}.end_id())
                     ORDER BY leg_id) a ON a.leg_id = leg.id
             ORDER BY leg.payment_id) g
      JOIN (SELECT id, store_id, mode, effective_at, balance_after_yen FROM payment
             WHERE id >= (SELECT {insight}.first_id()) AND id < (SELECT {insight}.end_id())
             ORDER BY id) pay ON pay.id = g.payment_id
"""
"""A payment is of its legs' time, and its store and instant are theirs."""

RETURNED = """
    SELECT g.deed_id, g.payment_id, g.kind, g.store_id, pay.mode, g.effective_at AS at, a.lot_id,
           - a.paid_yen AS paid_yen, - a.premium_yen AS premium_yen, false AS emptied
      FROM payment_leg g
      JOIN payment_allocation a ON a.leg_id = g.id
      JOIN payment pay ON pay.id = g.payment_id
     WHERE g.kind <> 'payment' AND g.id >= (SELECT {insight}.first_id()) AND g.id < (SELECT {insight}.end_id())
"""
"""What came back is of another time than its payment, which is looked up: there are few."""

TOLD = {
    "deed": "uuid_hash_extended(t.deed_id, k.key)",
    "payment": "uuid_hash_extended(t.payment_id, k.key)",
    "kind": "t.kind",
    "resident": "r.number",
    "store": "s.code",
    "programme": "p.code",
    "purse": "l.purse",
    "mode": "t.mode",
    "at": "t.at",
    "lot": "uuid_hash_extended(t.lot_id, k.key)",
    "paid_yen": "t.paid_yen",
    "premium_yen": "t.premium_yen",
    "emptied": "t.emptied",
}
"""The columns of `spending`. `taken` has those that a lot does not tell, and `purses` the others."""

OF_THE_LOT = ("resident", "programme", "purse")
OWNED = """
      JOIN lot l ON l.id = t.lot_id
      JOIN programme p ON p.id = l.programme_id
      JOIN {insight}.resident r ON r.wallet_id = l.wallet_id
"""
KEY = "CROSS JOIN (SELECT key FROM {insight}.hash_key LIMIT 1) k"
"""Of one row, which the planner would take for thousands: nobody has counted that table."""


def _told(part: str, columns: dict[str, str], joins: str) -> str:
    named = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    return f"SELECT {named} FROM ({part}) t JOIN store s ON s.id = t.store_id {joins} {KEY}"  # noqa: S608


def _both(columns: dict[str, str], joins: str) -> str:
    return " UNION ALL ".join(_told(part, columns, joins) for part in (PAID, RETURNED))


VIEWS = {
    "spending": _both(TOLD, OWNED),
    # What a deed took from a lot or gave back to it.
    "taken": _both({name: value for name, value in TOLD.items() if name not in OF_THE_LOT}, ""),
    # Whose a lot is and what it is for, undone ones too: of a whole city it is cheaper to know that once.
    "purses": f"""
    SELECT uuid_hash_extended(l.id, k.key) AS lot, r.number AS resident, p.code AS programme, l.purse
      FROM lot l
      JOIN programme p ON p.id = l.programme_id
      JOIN {{insight}}.resident r ON r.wallet_id = l.wallet_id
     {KEY}
    """,
}


def upgrade() -> None:
    insight = '"' + op.get_context().opts["version_table_schema"][:55] + '_insight"'
    for name, query in VIEWS.items():
        op.execute(f"CREATE OR REPLACE VIEW {insight}.{name} AS {query}".replace("{insight}", insight))
        op.execute(f"GRANT SELECT ON {insight}.{name} TO tanabata_analyst")
