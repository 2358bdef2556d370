"""Guards taken away from the program, one at a time; each mutant with the story that must notice.

A mutant is a small wrong change that a person could make. It lives as long as the monkeypatch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import text, true

from services.campaigns import sell
from services.campaigns import tables as campaigns
from services.kit import deeds, money
from services.kit import tables as kit
from services.kit.db import Tx
from services.kit.deeds import Done
from services.ledger import post
from services.ledger.chart import Account
from services.ledger.journal import Journal, Posting
from services.payments import agree, pay, payment, refund
from services.settlement import calendar, close, pay_out, statement
from services.settlement.tables import closes, files
from services.wallets import allocation, buy, expire, lots, revival, spend
from services.wallets.allocation import Ceiling, Outstanding
from services.wallets.lots import Lot, Parts
from services.wallets.tables import holdings, purchases
from tests.laws.stories import Story, checkouts, endings, settlements, shopping, stops

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Mutant:
    """`apply` takes the guard away in the program, `statements` in the database."""

    apply: Callable[[Patch], None]
    story: Story
    statements: tuple[str, ...] = ()


def _nothing(*_: Any, **__: Any) -> None:
    return None


async def _nothing_done(*_: Any, **__: Any) -> None:
    return None


def _replaced(owner: Any, name: str, by: Any) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(owner, name, by)


def _split_up(amount: int, first: int, second: int) -> tuple[int, int]:
    """The odd point from the first part."""
    second_share, first_share = money.split_in_proportion(amount, second, first)
    return first_share, second_share


def _by_age(some: Sequence[Lot]) -> list[Lot]:
    return sorted(some, key=lambda lot: (lot.issued_at, lot.id))


def _common_first(some: Sequence[Lot]) -> list[Lot]:
    return sorted(some, key=lambda lot: (lot.expires_at, -len(lot.store_classes), lot.issued_at, lot.id))


def _first_lot_first(outstanding: Sequence[Outstanding], amount_yen: int) -> tuple[Parts, ...]:
    return allocation.give_back([replace(each, turn=-each.turn) for each in outstanding], amount_yen)


def _expires_late(patch: Patch) -> None:
    """Still valid at the very midnight of its expiry."""
    patch.setattr(Lot, "has_expired", lambda self, now: now > self.expires_at)


def _never_too_old(patch: Patch) -> None:
    real = allocation.unusable

    def unusable(lot: Lot, store_class: str, now: datetime) -> Any:
        return real(lot, store_class, min(now, lot.expires_at - timedelta(seconds=1)))

    patch.setattr(allocation, "unusable", unusable)


def _revived(days: int) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:

        def revived_until(terms: Any, lot: Lot, now: datetime) -> datetime | None:
            until = revival.revived_until(terms, lot, now)
            return None if until is None else until + timedelta(days=days)

        patch.setattr(spend, "revived_until", revived_until)

    return apply


def _breakage_of_premium(patch: Patch) -> None:
    def all_to_breakage(expiry_id: UUID, parts: Parts) -> Journal:
        journal = lots.expiry_journal(expiry_id, parts)
        wallet = {Account.WALLET_PAID, Account.WALLET_PREMIUM}
        lost = [each for each in journal.postings if each.account in wallet]
        rest = [replace(each, account=Account.BREAKAGE) for each in journal.postings if each.account not in wallet]
        return replace(journal, postings=(*lost, *rest))

    patch.setattr(expire, "expiry_journal", all_to_breakage)


def _late_is_in_time(patch: Patch) -> None:
    """Whatever comes for a reservation becomes points, however late."""

    async def issue(tx: Tx, purchase: Any, _: int) -> None:
        key = (purchase.programme_id, purchase.programme_version)
        await buy._issue(tx, (await campaigns.find_versions(tx, [key]))[key], purchase)

    patch.setattr(buy, "_take_money", issue)


def _no_cap(patch: Patch) -> None:
    real = purchases.count_bought

    async def count(tx: Tx, wallet_id: Any, programme_id: Any, yen: int, _: int) -> int | None:
        return await real(tx, wallet_id, programme_id, yen, 10**9)

    patch.setattr(purchases, "count_bought", count)


async def _no_stock(tx: Tx, programme_id: Any, *, reserve: int, sell: int) -> bool:
    move = "UPDATE programme_stock SET reserved_units = reserved_units + :r, sold_units = sold_units + :s"
    await tx.connection.execute(text(f"{move} WHERE programme_id = :p"), {"r": reserve, "s": sell, "p": programme_id})
    return True


async def _never_seen(*_: Any) -> tuple[bool, None, None]:
    return True, None, None


def _any_content(_: Any, __: bytes, stored: Any, result_type: Any) -> Done[Any]:
    return Done(msgspec.convert(stored, result_type), replayed=True)


def _a_yen_to_nobody(patch: Patch) -> None:
    """A payment's journal owes the store a yen too little, and nothing checks the sum."""

    def short(legs: Any) -> list[Journal]:
        right = payment.leg_journals(legs)
        return [replace(journal, postings=tuple(map(_less, journal.postings))) for journal in right]

    patch.setattr(pay, "leg_journals", short)
    patch.setattr(post, "check", _nothing)


def _less(posting: Posting) -> Posting:
    owed = posting.account is Account.STORE_PAYABLE and posting.amount_yen < -1
    return replace(posting, amount_yen=posting.amount_yen + owed)


def _rounded_up(amount_yen: int, rate_bp: int) -> int:
    return -(-amount_yen * rate_bp // 10_000)


def _a_day_more(patch: Patch) -> None:
    patch.setattr(close, "cutoff_instant", lambda day: calendar.cutoff_instant(day) + timedelta(days=1))


def _forgotten(**zero: Any) -> Callable[[Patch], None]:
    def apply(patch: Patch) -> None:
        real = closes.stores_and_positions

        async def stores_and_positions(*given: Any, **named: Any) -> list[Any]:
            return [replace(each, **zero) for each in await real(*given, **named)]

        patch.setattr(closes, "stores_and_positions", stores_and_positions)

    return apply


def _no_minimum(patch: Patch) -> None:
    def compute(**given: Any) -> Any:
        return statement.compute_statement(**given | {"minimum_payout_yen": 0})

    patch.setattr(close, "compute_statement", compute)


def _utc_days(patch: Patch) -> None:
    def utc_date(instant: datetime) -> date:
        return instant.astimezone(UTC).date()

    patch.setattr(holdings, "civil_date", utc_date)


MUTANTS: dict[str, Mutant] = {
    "the odd point from the paid part": Mutant(_replaced(allocation, "split_in_proportion", _split_up), shopping),
    "the oldest lot first, whatever its expiry": Mutant(_replaced(allocation, "in_spend_order", _by_age), shopping),
    "the common purse first": Mutant(_replaced(allocation, "in_spend_order", _common_first), shopping),
    "returns to the first lot first": Mutant(_replaced(refund, "give_back", _first_lot_first), shopping),
    "a cancel does not free the day": Mutant(_replaced(spend, "uncount", _nothing_done), shopping),
    "no limit of one payment": Mutant(_replaced(Ceiling, "yen", property(lambda self: self.day_left_yen)), shopping),
    "no limit of a day": Mutant(
        _replaced(Ceiling, "yen", property(lambda self: self.payment_yen)),
        shopping,
        ("ALTER TABLE spent_today DROP CONSTRAINT ck_spent_today_limit",),
    ),
    "a day is UTC's": Mutant(_utc_days, shopping),
    "a cancel on any day": Mutant(_replaced(refund, "same_day", lambda *_: True), shopping),
    "the same id pays again": Mutant(
        _replaced(kit, "claim_deed", _never_seen), shopping, ("ALTER TABLE deed DROP CONSTRAINT pk_deed",)
    ),
    "the same id for other content": Mutant(_replaced(deeds, "_answered", _any_content), shopping),
    "an unbalanced journal": Mutant(_a_yen_to_nobody, shopping, ("DROP TRIGGER ledger_zero_sum ON ledger_posting",)),
    "a grant takes nothing from the budget": Mutant(_replaced(campaigns, "take_grant_budget", _nothing_done), shopping),
    "late money becomes points": Mutant(_late_is_in_time, checkouts),
    "no cap": Mutant(_no_cap, checkouts),
    "no stock": Mutant(
        _replaced(campaigns, "move_stock", _no_stock),
        checkouts,
        ("ALTER TABLE programme_stock DROP CONSTRAINT ck_programme_stock_units",),
    ),
    "a lapsed or undone purchase keeps its cap": Mutant(
        _replaced(purchases, "uncount_bought", _nothing_done), checkouts
    ),
    "an undone purchase keeps its stock": Mutant(_replaced(sell, "take_back", _nothing_done), checkouts),
    "a spent purchase is undone": Mutant(_replaced(Lot, "is_whole", lambda _: True), checkouts),
    "a suspended wallet pays": Mutant(_replaced(spend, "must_be_active", _nothing), stops),
    "a suspended wallet buys": Mutant(_replaced(buy, "must_be_active", _nothing), stops),
    "a suspended store is paid": Mutant(_replaced(agree, "must_accept", _nothing), stops),
    "points live through their midnight": Mutant(_expires_late, endings),
    "expired points are spent": Mutant(_never_too_old, endings),
    "refunds never revive": Mutant(_replaced(spend, "revived_until", lambda *_: None), endings),
    "revived for a day too long": Mutant(_revived(1), endings),
    "revived for a day too short": Mutant(_revived(-1), endings),
    "a refund revives what was not swept, and nothing is forfeited": Mutant(
        _replaced(spend, "expire_lots", _nothing_done), endings
    ),
    "a forfeited refund waits for the sweep": Mutant(_replaced(spend, "settle_expired", _nothing_done), endings),
    "expired premium is kept as breakage": Mutant(_breakage_of_premium, endings),
    "fees are rounded up": Mutant(_replaced(statement, "floor_share", _rounded_up), settlements),
    "a close takes the next day in": Mutant(_a_day_more, settlements),
    "a carry is forgotten": Mutant(_forgotten(carried_yen=0), settlements),
    "a debt is forgotten": Mutant(_forgotten(receivable_yen=0), settlements),
    "no minimum": Mutant(_no_minimum, settlements),
    "a payout goes into every file": Mutant(
        _replaced(files, "is_live", lambda: ~true()), settlements, ("DROP INDEX uq_payout_live",)
    ),
    "money that was sent is not booked": Mutant(_replaced(pay_out, "sent_journals", lambda _: []), settlements),
}
