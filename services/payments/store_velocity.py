"""How much a store takes and gives back in an hour or a day before an officer should look: counted behind the payments.

Law: nothing is stopped by it, and no payment waits for it. A store is told of from a level on: so many times what is
usual for itself, but not below a floor that no small store's lucky hour reaches, nor above a ceiling that is told of
whatever is usual. Of a store with too short a past nobody knows what is usual: then the ceiling is the level. What
is cancelled stays counted as paid, for whoever invents sales can cancel them as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median_low
from typing import Final
from uuid import UUID

from services.kit.clock import TOKYO
from services.payments.velocity import Most

PAST_DAYS: Final = 28
"""How many days before a day say what is usual: four of each day of the week."""

LEAST_DAYS: Final = 7
"""Days with payments among them; with fewer nobody can say."""


class Span(StrEnum):
    """Over what is counted: hours of the clock and civil days, in Japan."""

    HOUR = "hour"
    DAY = "day"


@dataclass(frozen=True)
class Bounds:
    """Between what a span's level lies, in payments and in yen. Raises ValueError for a floor above its ceiling."""

    floor: Most
    ceiling: Most

    def __post_init__(self) -> None:
        if not (0 < self.floor.payments <= self.ceiling.payments and 0 < self.floor.yen <= self.ceiling.yen):
            raise ValueError("a floor lies at or below its ceiling")


@dataclass(frozen=True)
class ReturnBounds:
    """At least so many cancels and refunds on a day, and what share of the day's sales, from floor to ceiling."""

    least: int
    floor_percent: int
    ceiling_percent: int

    def __post_init__(self) -> None:
        if not (self.least > 0 and 0 < self.floor_percent <= self.ceiling_percent):
            raise ValueError("a floor lies at or below its ceiling")


@dataclass(frozen=True)
class StoreLimits:
    """What a store takes without being told of; the operator's to set. `times` is what of its own usual is unusual."""

    an_hour: Bounds = Bounds(Most(30, 150_000), Most(300, 1_500_000))
    a_day: Bounds = Bounds(Most(150, 600_000), Most(1_500, 6_000_000))
    returns: ReturnBounds = ReturnBounds(10, 20, 50)
    times: int = 3

    def of(self, span: Span) -> Bounds:
        return self.an_hour if span is Span.HOUR else self.a_day


USUAL_STORES = StoreLimits()
"""An average store of a city's programme takes some 7,000 yen a day, its largest ones some hundred times as much."""


@dataclass(frozen=True)
class Window:
    """What a store took, and gave back, within a span that began then."""

    store_id: UUID
    span: Span
    began_at: datetime
    payments: int
    paid_yen: int
    returns: int
    returned_yen: int


@dataclass(frozen=True)
class PastDay:
    """What a store took and gave back on a day with payments, and its busiest hour by either measure."""

    store_id: UUID
    payments: int
    paid_yen: int
    returned_yen: int
    hour_payments: int
    hour_yen: int


@dataclass(frozen=True)
class Usual:
    """A store's ordinary day and its ordinary day's busiest hour, and what share of its sales it gives back."""

    days: int
    an_hour: Most
    a_day: Most
    returned_percent: int

    @property
    def is_known(self) -> bool:
        return self.days >= LEAST_DAYS

    def of(self, span: Span) -> Most:
        return self.an_hour if span is Span.HOUR else self.a_day


UNKNOWN = Usual(0, Most(0, 0), Most(0, 0), 0)


@dataclass(frozen=True)
class Rush:
    """That a store reached its level. `rule` names the words, `figures` fill them; `rests_on` payments or returns."""

    rule: str
    window: Window
    score_permille: int
    figures: dict[str, int | float | str]
    rests_on: int


def usual_of(past: Sequence[PastDay]) -> Usual:
    """The middle of a store's past days, which a few odd ones do not move; of the two in the middle the lower."""
    if not past:
        return UNKNOWN
    hour = Most(median_low(each.hour_payments for each in past), median_low(each.hour_yen for each in past))
    day = Most(median_low(each.payments for each in past), median_low(each.paid_yen for each in past))
    given_back = 100 * sum(each.returned_yen for each in past) // max(1, sum(each.paid_yen for each in past))
    return Usual(len(past), hour, day, given_back)


def level_of(bounds: Bounds, usual: Most, times: int, *, is_known: bool) -> Most:
    """From how many payments, or how many yen, on a store is told of."""
    if not is_known:
        return bounds.ceiling
    return Most(
        min(bounds.ceiling.payments, max(bounds.floor.payments, times * usual.payments)),
        min(bounds.ceiling.yen, max(bounds.floor.yen, times * usual.yen)),
    )


def rush_of(limits: StoreLimits, window: Window, usual: Usual) -> Rush | None:
    """What a window has reached of the level for payments; None for what is below it."""
    own = usual.of(window.span)
    level = level_of(limits.of(window.span), own, limits.times, is_known=usual.is_known)
    if window.payments < level.payments and window.paid_yen < level.yen:
        return None
    figures: dict[str, int | float | str] = {
        "began": f"{window.began_at.astimezone(TOKYO):{_WRITTEN[window.span]}}",
        "payments": window.payments,
        "amount_yen": window.paid_yen,
        "level_payments": level.payments,
        "level_yen": level.yen,
        "usual_payments": own.payments,
        "usual_yen": own.yen,
        "usual_days": usual.days,
    }
    score = max(_score(window.payments, level.payments), _score(window.paid_yen, level.yen))
    return Rush(f"store_{window.span}", window, score, figures, window.payments)


def returns_of(limits: StoreLimits, window: Window, usual: Usual) -> Rush | None:
    """What a day's cancels and refunds have reached of the level for what is given back; None for what is below it."""
    bounds, level = limits.returns, limits.returns.ceiling_percent
    if usual.is_known:
        level = min(level, max(bounds.floor_percent, limits.times * usual.returned_percent))
    if window.returns < bounds.least or 100 * window.returned_yen < level * window.paid_yen:
        return None
    figures: dict[str, int | float | str] = {
        "began": f"{window.began_at.astimezone(TOKYO):{_WRITTEN[window.span]}}",
        "returns": window.returns,
        "returned_yen": window.returned_yen,
        "amount_yen": window.paid_yen,
        "level_percent": level,
        "usual_percent": usual.returned_percent,
        "usual_days": usual.days,
    }
    score = _score(100 * window.returned_yen, level * max(1, window.paid_yen))
    return Rush("store_returns", window, score, figures, window.returns)


_WRITTEN: Final = {Span.HOUR: "%Y-%m-%d %H:%M", Span.DAY: "%Y-%m-%d"}


def _score(found: int, level: int) -> int:
    """One half at the level, three quarters at twice as much, towards one."""
    return 1_000 - 500 * level // max(found, level)
