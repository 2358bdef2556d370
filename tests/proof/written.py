"""When the rows of the bookkeeper's town were written, read from their own keys: an oracle for what is new."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.kit.db import Tx
from tests.proof.bookkeeper import JST

KEYS = {
    **dict.fromkeys(("person", "programme", "merchant", "payout_account", "store", "wallet"), "id"),
    **dict.fromkeys(("purchase", "wallet_grant", "lot", "expiry", "payment", "till_code", "payment_return"), "id"),
    **dict.fromkeys(("payment_leg", "settlement_close", "statement", "bank_file", "bank_transfer"), "id"),
    **dict.fromkeys(("money_in", "ledger_journal", "wallet_merge", "lot_move"), "id"),
    **dict.fromkeys(("programme_version", "programme_approval", "programme_stock"), "programme_id"),
    **dict.fromkeys(("payment_returned", "code_use"), "payment_id"),
    **dict.fromkeys(("payout", "statement_claim"), "statement_id"),
    **dict.fromkeys(("ledger_posting", "ledger_seal"), "journal_id"),
    "care": "id",
    "care_deed": "deed_id",
    "payment_allocation": "leg_id",
    "bought": "wallet_id",
    "spent_today": "day",
}
"""The column of each table that tells a row's instant: a UUIDv7 of its own or of its deed, or a civil day."""

Rows = set[tuple[str, str, str]]


async def read_rows(tx: Tx) -> Rows:
    """Every row as (table, key, text)."""
    asked = " UNION ALL ".join(
        f"SELECT '{table}' AS name, {key}::text AS key, {table}::text AS said FROM {table}"
        for table, key in KEYS.items()
    )
    found = (await tx.connection.exec_driver_sql(asked)).all()
    return {(row.name, row.key, row.said) for row in found}


def written_at(table: str, key: str) -> datetime:
    if table == "spent_today":
        return datetime.fromisoformat(key).replace(tzinfo=UTC) - JST
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=UUID(key).int >> 80)
