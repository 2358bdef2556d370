"""At the channel's page: what becomes of a purchase between its reservation and its points."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import Any

from infra.simulation.company import Company
from infra.simulation.crowd import start_shopping
from infra.simulation.door import WentWrong
from infra.simulation.people import Resident
from infra.simulation.stage import Stage
from services.kit.clock import civil_date
from services.kit.store_class import StoreClass
from services.wallets.purchase import RESERVED_FOR

TOO_LATE_MINUTES = RESERVED_FOR.total_seconds() / 60 + 1
REPORTED_AFTER_MINUTES = 50.0
ASKED_AFTER_MINUTES = 10.0
DAYS_BEFORE_MOVING = 2


class Fate(StrEnum):
    """What becomes of a purchase."""

    PAYS = "pays"
    DECLINES = "declines"
    FORGETS = "forgets"
    UNHEARD = "unheard"
    """The channel's message never comes; the platform asks and finds the money."""
    LATE = "late"
    """The channel reports the money when the reservation has lapsed; it goes back."""
    MOVES_AWAY = "moves away"
    """Nothing was used: the office undoes the purchase."""


@dataclass(frozen=True)
class Checkout:
    """A reservation on its way; `come_back` is called where it came to nothing."""

    resident: Resident
    purchase: dict[str, Any]
    fate: Fate
    come_back: Callable[[], None]

    @property
    def id(self) -> str:
        """The channel's own name of the payment: the end of its page's address."""
        return str(self.purchase["checkout_url"]).rsplit("/", 1)[1]

    async def must_be(self, status: str) -> None:
        """Compare with what the app shows. Raises WentWrong."""
        shown = await self.resident.purchase(self.purchase["id"])
        if shown["status"] != status:
            raise WentWrong(f"purchase {shown['number']} is {shown['status']}, not {status}")


def go_to_pay(company: Company, checkout: Checkout) -> None:
    """Put the next step on the agenda."""
    steps = {
        Fate.PAYS: _pay,
        Fate.MOVES_AWAY: _pay,
        Fate.DECLINES: _decline,
        Fate.UNHEARD: _pay_unheard,
        Fate.FORGETS: _lapse,
        Fate.LATE: _lapse,
    }
    too_late = checkout.fate in {Fate.FORGETS, Fate.LATE}
    step = partial(steps[checkout.fate], company, checkout)
    if too_late:
        company.stage.when_channel_is_asked(TOO_LATE_MINUTES, step)
    else:
        alone = checkout.fate is Fate.DECLINES  # whose units somebody else may have at once
        company.stage.soon(checkout.resident.rng.uniform(1, 6), step, who=None if alone else checkout.resident.index)


async def _pay(company: Company, checkout: Checkout) -> None:
    await company.stage.town.checkout.pay(checkout.id)
    await _receive(company, checkout)


async def _decline(company: Company, checkout: Checkout) -> None:
    await company.stage.town.checkout.decline(checkout.id)
    await checkout.must_be("lapsed")
    company.stage.happened("checkout declined")
    checkout.come_back()


async def _pay_unheard(company: Company, checkout: Checkout) -> None:
    """The webhook never comes; some minutes later the platform asks the channel by itself."""
    await company.stage.town.checkout.pay(checkout.id, notify=False)
    await checkout.must_be("reserved")
    company.stage.when_channel_is_asked(ASKED_AFTER_MINUTES, partial(_find_by_asking, company, checkout))


async def _find_by_asking(company: Company, checkout: Checkout) -> None:
    await company.stage.ask_channel()
    company.stage.happened("purchase found by asking the channel")
    await _receive(company, checkout)


async def _lapse(company: Company, checkout: Checkout) -> None:
    """The reservation's time is over; somebody else may have the units."""
    await company.stage.ask_channel()
    await checkout.must_be("lapsed")
    company.stage.happened("reservation lapsed")
    if checkout.fate is Fate.LATE:
        company.stage.soon(REPORTED_AFTER_MINUTES, partial(_report_late, company, checkout))
    else:
        checkout.come_back()


async def _report_late(company: Company, checkout: Checkout) -> None:
    """A counter took the money within the time, and the channel hears and tells of it an hour later."""
    stage, now = company.stage, company.stage.now
    stage.clock.set(datetime.fromisoformat(checkout.purchase["reserved_until"]) - timedelta(minutes=2))
    await stage.town.checkout.pay(checkout.id, notify=False)  # by the counter's clock; only the channel is asked
    stage.clock.set(now)
    await stage.town.checkout.notify(checkout.id)
    await checkout.must_be("late")
    stage.at(civil_date(now) + timedelta(days=1), "00:40", partial(_money_back, company, checkout))


async def _money_back(company: Company, checkout: Checkout) -> None:
    """At night the platform has sent late money back through its channel."""
    await checkout.must_be("returned")
    _must_be_refunded(company.stage, checkout)
    company.stage.happened("late money returned")
    checkout.come_back()


async def _receive(company: Company, checkout: Checkout) -> None:
    """The points are there."""
    stage, resident = company.stage, checkout.resident
    await checkout.must_be("paid")
    units = checkout.purchase["units"]
    for purse in stage.terms.purses:
        resident.pocket.add(purse.code, units * purse.points)
    company.buyers.add(resident.index)
    stage.happened("purchase paid")
    if checkout.fate is Fate.MOVES_AWAY:
        moving = civil_date(stage.now) + timedelta(days=DAYS_BEFORE_MOVING)
        stage.at(moving, "10:10", partial(_undo, company, checkout))
    elif resident not in company.cast.values():
        for_large = sum(purse.points for purse in stage.terms.purses if StoreClass.LARGE in purse.store_classes)
        start_shopping(company, resident, units * stage.terms.unit_points, units * for_large)


async def _undo(company: Company, checkout: Checkout) -> None:
    """The office takes a whole unused purchase back; the channel returns its money."""
    stage, resident = company.stage, checkout.resident
    path = f"/purchases/{checkout.purchase['number']}/undo"
    (await company.office.planner.ask(path, {"reason": "市外への転居のため"})).must_succeed()
    _must_be_refunded(stage, checkout)
    resident.pocket.lapse()
    await resident.must_hold(0)
    company.buyers.discard(resident.index)
    stage.happened("purchase undone")


def _must_be_refunded(stage: Stage, checkout: Checkout) -> None:
    found = stage.town.checkout.look(checkout.id)
    if found.refunded_yen != found.amount_yen:
        raise WentWrong(f"the channel returned {found.refunded_yen} of {found.amount_yen} yen")
