"""Play a programme from its decision to the last payout, on an empty database of its own."""

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from infra.keys import make_keys
from infra.simulation.city import plan_merchants
from infra.simulation.company import Company
from infra.simulation.ending import Outcome, end, must_agree_before_lapsing
from infra.simulation.gifts import give
from infra.simulation.office import Office, decide, open_office
from infra.simulation.scenarios import Setting
from infra.simulation.selling import invite, queue_up
from infra.simulation.settling import Payouts, write_settlement
from infra.simulation.shops import Shop, open_merchant, refuse_bad_account
from infra.simulation.stage import PUBLIC_URL, Stage, closing_days, instant
from infra.simulation.tills import write_scenes
from infra.simulation.trips import Market
from infra.simulation.troubles import write_stories
from infra.town import build_town
from services.identity.passwords import CHEAPEST
from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.ids import SeededEntropy
from services.payments.tap import USUAL_LIMITS, PayingLimits

DECIDED_BEFORE, REGISTERED_BEFORE, GIFTS_AFTER = timedelta(days=30), timedelta(days=21), timedelta(days=4)
PAID_WITHIN = timedelta(days=12)
"""After a close the bank has paid its file by then."""

MINUTES_A_MERCHANT = 2
CONNECTIONS = 6


async def play(handle: DatabaseHandle, setting: Setting, told: Callable[[str, int], None]) -> Outcome:
    """Everything in order of simulated time; `told` hears where it is, and of the yen of each payment.

    Raises WentWrong where something does not go as the story says; what the figures do not agree
    on is in the outcome.
    """
    async with staged(handle, setting, told) as stage:
        return await _all_acts(stage)


@asynccontextmanager
async def staged(
    handle: DatabaseHandle,
    setting: Setting,
    told: Callable[[str, int], None],
    paying: PayingLimits = USUAL_LIMITS,
) -> AsyncIterator[Stage]:
    """The platform on an empty database, at the time when the programme is decided."""
    clock = SetClock(instant(setting.terms.sale.first - DECIDED_BEFORE, "09:00"))
    entropy = _entropy(setting, "platform")
    # A machine that is busy with other things makes a play slower; it must not make the platform refuse. Plans are made
    # on empty tables, and kept while these fill: who only looks up must not be left with one that reads all of a table.
    serving = handle.app_engine(pool_size=CONNECTIONS, limits=replace(JOBS, lookups=True, gives_way=False))
    slow = handle.app_engine(pool_size=2, limits=replace(JOBS, gives_way=False))  # nobody is there to give way to
    town = build_town(
        Database(serving, clock, entropy),
        make_keys(),  # nothing that is written out depends on them
        jobs=Database(slow, clock, entropy),
        public_url=PUBLIC_URL,
        docs=False,
        password_cost=CHEAPEST,
        paying=paying,
    )
    try:
        yield Stage(setting, town, clock, _entropy(setting, "actors"), told)
    finally:
        town.checkout.close()
        await serving.dispose()
        await slow.dispose()


async def _all_acts(stage: Stage) -> Outcome:
    office = await open_office(stage)
    await decide(stage, office)
    shops = await _register(stage, office)
    company = Company(stage, office, shops, Market([shop.plan for shop in shops]))
    payouts = Payouts()
    queue_up(company, invite(company))
    write_scenes(company)
    write_stories(company)
    write_settlement(company, payouts)
    terms = stage.terms
    stage.at(terms.sale.first + GIFTS_AFTER, "09:00", partial(give, company))
    stage.at(terms.use.last, "23:50", partial(must_agree_before_lapsing, company))
    over = closing_days(terms)[-1] + PAID_WITHIN
    _write_nights(stage, terms.sale.first, over)
    await stage.play()
    stage.clock.set(instant(over, "10:00"))
    return await end(company, payouts)


async def _register(stage: Stage, office: Office) -> list[Shop]:
    stage.clock.set(instant(stage.terms.sale.first - REGISTERED_BEFORE, "09:30"))
    merchants = plan_merchants(stage.rng("city"), stage.setting.stores)
    await refuse_bad_account(stage, office, merchants[0])
    shops: list[Shop] = []
    stage.tell("registering stores")
    for merchant in merchants:
        shops += await open_merchant(stage, office, merchant, len(shops))
        stage.wait(60 * MINUTES_A_MERCHANT)
    return shops


def _write_nights(stage: Stage, first: date, last: date) -> None:
    """The platform's own work, each night: lapses, closes, seals."""
    for offset in range((last - first).days):
        stage.at(first + timedelta(days=offset), "00:10", stage.work)


def _entropy(setting: Setting, whose: str) -> SeededEntropy:
    digest = hashlib.sha256(f"{setting.scenario.name}/{setting.seed}/{whose}".encode()).digest()
    return SeededEntropy(int.from_bytes(digest))
