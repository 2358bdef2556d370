"""A lot: points bought or granted together, in one purse, with one expiry, paid and premium parts apart."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from services.campaigns.programme import Programme
from services.campaigns.terms import Purse, Regime, Terms, six_months_after
from services.kit.clock import civil_date, last_day_before, start_of
from services.kit.frozen import quick
from services.ledger.chart import Account
from services.ledger.journal import Journal, JournalKind, Posting, entry


class Origin(StrEnum):
    PURCHASE = "purchase"
    GRANT = "grant"


@quick
@dataclass(frozen=True)
class Lot:
    """What is left of a lot, and what spending needs of the terms it was issued under."""

    id: UUID
    wallet_id: UUID
    programme_id: UUID
    programme_version: int
    purse: str
    store_classes: tuple[str, ...]
    origin: Origin
    origin_id: UUID
    paid_issued_yen: int
    premium_issued_yen: int
    paid_yen: int
    premium_yen: int
    payment_limit_yen: int
    day_limit_yen: int
    issued_at: datetime
    usable_from: datetime
    first_expires_at: datetime
    expires_at: datetime

    @property
    def remaining_yen(self) -> int:
        return self.paid_yen + self.premium_yen

    def is_whole(self) -> bool:
        return (self.paid_yen, self.premium_yen) == (self.paid_issued_yen, self.premium_issued_yen)

    def has_expired(self, now: datetime) -> bool:
        return now >= self.expires_at


@quick
@dataclass(frozen=True)
class Parts:
    """What a deed does to one lot: paid and premium yen, taken above zero or given back."""

    lot_id: UUID
    programme_id: UUID
    origin: Origin
    paid_yen: int
    premium_yen: int

    @property
    def total_yen(self) -> int:
        return self.paid_yen + self.premium_yen


def expiry_of_new(terms: Terms, now: datetime) -> datetime:
    """When points issued at `now` expire: with the programme's period of use.

    Where the programme relies on the six-month exemption, what is issued early (a grant before
    the sale) expires earlier, at the midnight that its own six months allow.
    """
    if terms.issuer.regime is Regime.SIX_MONTHS_EXEMPT:
        return min(terms.expires_at, start_of(civil_date(six_months_after(now))))
    return terms.expires_at


def new_lot(
    lot_id: UUID,
    wallet_id: UUID,
    programme: Programme,
    purse: Purse,
    origin: Origin,
    origin_id: UUID,
    paid_yen: int,
    premium_yen: int,
    now: datetime,
    usable_from: datetime,
) -> Lot:
    """A lot under the programme's present version, which expires as `expiry_of_new` says."""
    terms = programme.terms
    expires_at = expiry_of_new(terms, now)
    return Lot(
        id=lot_id,
        wallet_id=wallet_id,
        programme_id=programme.id,
        programme_version=programme.version,
        purse=purse.code,
        store_classes=tuple(purse.store_classes),
        origin=origin,
        origin_id=origin_id,
        paid_issued_yen=paid_yen,
        premium_issued_yen=premium_yen,
        paid_yen=paid_yen,
        premium_yen=premium_yen,
        payment_limit_yen=terms.payment_limit_yen,
        day_limit_yen=terms.day_limit_yen,
        issued_at=now,
        usable_from=usable_from,
        first_expires_at=expires_at,
        expires_at=expires_at,
    )


def last_day(lot: Lot) -> date:
    """The last civil day on which the lot is valid."""
    return last_day_before(lot.expires_at)


def wallet_postings(parts: Parts, sign: int) -> tuple[Posting, Posting]:
    """The lot's two accounts: `sign` +1 takes from the lot (debit), -1 gives to it (credit)."""
    return (
        Posting(Account.WALLET_PAID, sign * parts.paid_yen, parts.lot_id),
        Posting(Account.WALLET_PREMIUM, sign * parts.premium_yen, parts.lot_id),
    )


def premium_source(origin: Origin) -> Account:
    """Who stands behind a lot's premium part: the premium's funder, or the budget for grants."""
    return Account.FUNDER_RECEIVABLE if origin is Origin.PURCHASE else Account.GRANT_RECEIVABLE


def issue_journal(kind: JournalKind, deed_id: UUID, lots: tuple[Lot, ...]) -> Journal:
    """The journal that brings lots of one deed into the wallet."""
    postings: list[Posting] = []
    for lot in lots:
        parts = Parts(lot.id, lot.programme_id, lot.origin, lot.paid_yen, lot.premium_yen)
        postings.append(Posting(Account.CASH_RECEIVABLE, lot.paid_yen))
        postings.append(Posting(premium_source(lot.origin), lot.premium_yen))
        postings.extend(wallet_postings(parts, -1))
    return entry(lots[0].programme_id, kind, deed_id, postings)


def expiry_journal(expiry_id: UUID, parts: Parts) -> Journal:
    """What lapses: the paid part is breakage, the premium part is released to who funded it."""
    return entry(
        parts.programme_id,
        JournalKind.EXPIRY,
        expiry_id,
        (
            *wallet_postings(parts, +1),
            Posting(Account.BREAKAGE, -parts.paid_yen),
            Posting(premium_source(parts.origin), -parts.premium_yen),
        ),
    )


def move_journal(move_id: UUID, parts: Parts, to_lot_id: UUID) -> Journal:
    """A lot's value goes to the lot in its place: paid to paid and premium to premium, of one programme."""
    given = Parts(to_lot_id, parts.programme_id, parts.origin, parts.paid_yen, parts.premium_yen)
    postings = (*wallet_postings(parts, +1), *wallet_postings(given, -1))
    return entry(parts.programme_id, JournalKind.MERGE, move_id, postings)
