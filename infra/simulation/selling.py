"""The sale: most people pay at once, some decline, forget, or pay where nobody hears of it in time.

First come, first served, until the stock is gone; the last ones go home with nothing.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random

from infra.simulation.chance import drawn
from infra.simulation.checkout import Checkout, Fate, go_to_pay
from infra.simulation.company import Company
from infra.simulation.people import Resident
from infra.simulation.stage import Stage, instant
from services.kit.clock import civil_date
from wallet_api.app import PREFIX as WALLET

FIRST_DAY_SHARE, FIRST_HOURS, LATER_DAYS = 0.75, 9, 9
"""Three quarters come within nine hours of the opening, the others over the next days."""

UNITS = ((3, 90), (2, 5), (1, 5))
TRIES_AGAIN = 0.7
JOINS_EARLY = 0.8
CAST = ("aoi", "ren", "sakura", "itsuki")


FATES = ((Fate.PAYS, 930), (Fate.DECLINES, 35), (Fate.FORGETS, 20), (Fate.UNHEARD, 8), (Fate.LATE, 7))
CERTAIN = (Fate.PAYS, Fate.DECLINES, Fate.FORGETS, Fate.UNHEARD, Fate.LATE, Fate.MOVES_AWAY)
"""The fates of the first in the queue, so that each occurs at any scale."""


@dataclass(frozen=True)
class Wish:
    """Somebody wants so many units, comes at a time, and has this fate."""

    resident: Resident
    units: int
    at: datetime
    fate: Fate


def invite(company: Company) -> list[Wish]:
    """Everybody who wants points, and when they come; the people of the written scenes come first."""
    stage, rng = company.stage, company.stage.rng("queue")
    opening = instant(stage.terms.sale.first, "09:00")
    wishes: list[Wish] = []
    wanted, first = 0, len(CERTAIN) + len(CAST)
    while len(wishes) < first or wanted < stage.setting.units * stage.setting.scenario.demand:
        index = len(wishes)
        resident = Resident(stage, index)
        company.residents.append(resident)
        if index < first:
            at = opening + timedelta(minutes=3 * index)
            units, fate = (3, CERTAIN[index]) if index < len(CERTAIN) else (1, Fate.PAYS)
        else:
            at = opening + timedelta(minutes=35) + _arrival(rng)
            units, fate = drawn(rng, UNITS), drawn(rng, FATES)
        wanted += units
        wishes.append(Wish(resident, units, at, fate))
    company.cast = {name: company.residents[len(CERTAIN) + place] for place, name in enumerate(CAST)}
    return wishes


def _arrival(rng: Random) -> timedelta:
    if rng.random() < FIRST_DAY_SHARE:
        return timedelta(seconds=rng.randrange(FIRST_HOURS * 3_600))
    return timedelta(days=rng.randrange(1, LATER_DAYS + 1), seconds=rng.randrange(12 * 3_600))


def queue_up(company: Company, wishes: list[Wish]) -> None:
    """Put everybody on the agenda: most join in the days before, the others on their way to buy."""
    stage = company.stage
    for wish in wishes:
        if wish.resident.rng.random() < JOINS_EARLY:
            before = timedelta(days=wish.resident.rng.randrange(2, 7), minutes=wish.resident.rng.randrange(360))
            at = instant(stage.terms.sale.first, "15:00") - before
        else:
            at = wish.at - timedelta(minutes=4)
        stage.when(at, wish.resident.join, who=wish.resident.index)
        stage.when(wish.at, partial(_come, company, wish))


async def _come(company: Company, wish: Wish) -> None:
    """Reserve as many units as wanted, or, where that is too many, as many as are left."""
    if await _reserve(company, wish, wish.units):
        return
    left = await _units_left(company.stage)
    if not 0 < left < wish.units or not await _reserve(company, wish, left):
        company.stage.happened("left with nothing")


async def _reserve(company: Company, wish: Wish, units: int) -> bool:
    """Whether the units were still there; then the resident goes to pay for them."""
    stage, resident = company.stage, wish.resident
    body = {"programme": stage.programme, "units": units}
    answer = await resident.ask(f"/wallets/{resident.wallet_id}/purchases", body)
    if answer.refused() is not None:
        answer.must_be_refused("stock_exhausted")
        stage.happened("refused: stock exhausted")
        return False
    again = wish.resident.index < len(CERTAIN) or resident.rng.random() < TRIES_AGAIN
    tomorrow = instant(civil_date(stage.now) + timedelta(days=1), "09:00")
    retry = replace(wish, at=tomorrow + timedelta(minutes=resident.rng.randrange(30)), fate=Fate.PAYS)
    come_back = partial(stage.when, retry.at, partial(_come, company, retry)) if again else _give_up
    go_to_pay(company, Checkout(resident, answer.done(), wish.fate, come_back))
    return True


def _give_up() -> None:
    """Not everybody tries a second time."""


async def _units_left(stage: Stage) -> int:
    """What the programme's page says, to everybody."""
    left: int = (await stage.door.ask("GET", f"{WALLET}/programmes/{stage.programme}")).done()["units_left"]
    return left
