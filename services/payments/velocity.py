"""How much may leave one wallet how quickly: payments above a small sum, in number and in yen, an hour and a day.

Law: whoever holds somebody's phone or card empties no wallet at a run. Counted are payments above
`NEVER_LIMITED_YEN`, which the plain path posts, on the payer's locked row; smaller ones are bounded by each
programme's sum for a day. Hours and days are those of the clock in Japan. A cancel gives nothing back.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.kit.clock import TOKYO, civil_date, end_of, start_of
from services.kit.errors import Kind, Refusal
from services.kit.frozen import quick
from services.wallets.wallet import NEVER_LIMITED_YEN

HOUR = timedelta(hours=1)


class VelocityReached(Refusal):
    """So many large payments, or so much by them, is the most for one wallet in an hour or a day."""

    code = "velocity_reached"
    kind = Kind.THROTTLED


@dataclass(frozen=True)
class Most:
    """At most so many payments and so many yen."""

    payments: int
    yen: int


@dataclass(frozen=True)
class Velocity:
    """What one wallet may pay by large payments; the operator's to set."""

    an_hour: Most = Most(30, 500_000)
    a_day: Most = Most(100, 1_000_000)


USUAL = Velocity()
"""Beyond what a family's largest shopping day needs; a stolen phone is noticed and blocked within less."""


@quick
@dataclass(frozen=True)
class Lately:
    """What a wallet has paid by large payments in this hour and on this day."""

    hour_payments: int
    hour_yen: int
    day_payments: int
    day_yen: int


NOTHING_LATELY = Lately(0, 0, 0, 0)


def is_counted(amount_yen: int) -> bool:
    return amount_yen > NEVER_LIMITED_YEN


def hour_of(now: datetime) -> datetime:
    """When the hour of the clock began."""
    return now.replace(minute=0, second=0, microsecond=0)


def day_of(now: datetime) -> datetime:
    """When the civil day in Japan began."""
    return start_of(civil_date(now))


def rush_of(velocity: Velocity, lately: Lately, amount_yen: int, now: datetime) -> VelocityReached | None:
    """What stands against one large payment more than the hour or the day may hold, and until when."""
    if not is_counted(amount_yen):
        return None
    if lately.day_payments >= velocity.a_day.payments or lately.day_yen + amount_yen > velocity.a_day.yen:
        over = end_of(civil_date(now)) - now
    elif lately.hour_payments >= velocity.an_hour.payments or lately.hour_yen + amount_yen > velocity.an_hour.yen:
        over = hour_of(now) + HOUR - now
    else:
        return None
    until = (now + over).astimezone(TOKYO)
    return VelocityReached(retry_after_seconds=-(-over // timedelta(seconds=1)), until=f"{until:%H:%M}")
