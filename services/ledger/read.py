"""Read the books: balances now and as of any instant, movements, the trial balance."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.kit.db import Tx
from services.ledger import tables
from services.ledger.chart import CHART, Account, AccountType
from services.ledger.journal import JournalKind, Movement

MAX_MOVEMENTS = 500


@dataclass(frozen=True)
class TrialBalanceLine:
    """One account of a programme: total debits and credits in yen, and their difference."""

    account: Account
    type: AccountType
    debit_yen: int
    credit_yen: int

    @property
    def balance_yen(self) -> int:
        return self.debit_yen - self.credit_yen


async def balance(
    tx: Tx,
    account: Account,
    *,
    owner_id: UUID | None = None,
    programme_id: UUID | None = None,
    at: datetime | None = None,
) -> int:
    """The balance in yen, debit above zero: of everything written, or as of `at` inclusive."""
    return await tables.sum_account(tx, account, owner_id, programme_id, at)


async def trial_balance(tx: Tx, programme_id: UUID, *, at: datetime | None = None) -> tuple[TrialBalanceLine, ...]:
    """Every account of the chart, in the chart's order, with what the programme moved on it."""
    sums = {row[0]: row for row in await tables.sum_by_account(tx, programme_id, at)}
    return tuple(
        TrialBalanceLine(line.account, line.type, *sums.get(line.account.value, ("", 0, 0))[1:]) for line in CHART
    )


async def movements(
    tx: Tx, owner_ids: Sequence[UUID], *, limit: int = 100, before: Movement | None = None
) -> list[Movement]:
    """What deeds did to the accounts of a set of lots, newest first, after `before`."""
    return await tables.sum_movements(tx, owner_ids, min(limit, MAX_MOVEMENTS), before)


async def flows(tx: Tx, programme_id: UUID) -> dict[tuple[JournalKind, Account], int]:
    """What each kind of journal moved on each account of a programme, in yen, debit above zero."""
    rows = await tables.sum_flows(tx, programme_id)
    return {(JournalKind(kind), Account(account)): yen for kind, account, yen in rows}
