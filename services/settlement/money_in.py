"""Record money that reached a programme's bank account: what the books await is there.

The sales channel settles what residents paid; the premium's funder and the budget for grants
settle what was issued on their account. Money may come before it is owed (a subsidy paid in
advance): the receivable then stands on the other side until points are issued.
"""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.campaigns import read as campaigns
from services.kit import audit
from services.kit.db import Tx
from services.ledger.chart import Account
from services.ledger.journal import JournalKind, Posting, entry
from services.ledger.post import post
from services.payments.payment import must_be_amount
from services.settlement.tables import files


class MoneySource(StrEnum):
    CHANNEL = "channel"
    FUNDER = "funder"
    GRANT_BUDGET = "grant_budget"


SETTLES = {
    MoneySource.CHANNEL: Account.CASH_RECEIVABLE,
    MoneySource.FUNDER: Account.FUNDER_RECEIVABLE,
    MoneySource.GRANT_BUDGET: Account.GRANT_RECEIVABLE,
}


@dataclass(frozen=True)
class MoneyIn:
    """`amount_yen` arrived in the bank account, from whom."""

    programme_code: str
    source: MoneySource
    amount_yen: int
    officer_id: UUID


@dataclass(frozen=True)
class RecordedMoney:
    money_in_id: UUID
    programme_id: UUID
    source: MoneySource
    amount_yen: int


async def record_money_in(tx: Tx, command: MoneyIn) -> RecordedMoney:
    """Post bank against the source's receivable. Raises `ProgrammeUnknown`, `AmountInvalid`."""
    must_be_amount(command.amount_yen)
    source = MoneySource(command.source)
    programme = await campaigns.published(tx, command.programme_code)
    money_in_id = tx.new_id()
    await files.insert_money_in(tx, money_in_id, programme.id, source.value, command.amount_yen, command.officer_id)
    postings = (
        Posting(Account.BANK, command.amount_yen),
        Posting(SETTLES[source], -command.amount_yen),
    )
    await post(tx, [entry(programme.id, JournalKind.CHANNEL_SETTLED, money_in_id, postings)])
    await audit.record(
        tx,
        command.officer_id,
        "money_in.recorded",
        money_in_id,
        programme=programme.code,
        source=source.value,
        amount_yen=command.amount_yen,
    )
    return RecordedMoney(money_in_id, programme.id, source, command.amount_yen)
