"""The synthetic city through the APIs' own handlers: every deed of its plan at its very second.

Law: the platform does to the yen what the plan says. What the plan's books say of a deed is asked for as an
amount, and whatever the platform makes of it can be compared with the frames that the same plan gives.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

import numpy as np

from analytics.synthetic.calendar import DAY_SECONDS
from analytics.synthetic.city import Part, World
from analytics.synthetic.deeds import KINDS, MODES, NONE, PAY
from analytics.synthetic.plan import CityPlan
from infra.database.provision import DatabaseHandle
from infra.scenarios.hiratsuka import terms
from infra.simulation.agenda import Event
from infra.simulation.city import MerchantPlan, StorePlan
from infra.simulation.door import WentWrong
from infra.simulation.office import Office, decide, open_office
from infra.simulation.people import Resident
from infra.simulation.play import MINUTES_A_MERCHANT, REGISTERED_BEFORE, staged
from infra.simulation.scenarios import Scenario, Setting
from infra.simulation.shopping import Category
from infra.simulation.shops import Shop, open_merchant
from infra.simulation.stage import Stage, instant
from infra.simulation.trade import Sale, cancel, must_pay, refund
from services.campaigns.terms import Period, Purse, Terms
from services.kit.clock import TOKYO
from services.kit.money import MAX_AMOUNT_YEN
from services.payments.payment import Mode
from services.payments.tap import PayingLimits

MCC = {
    "supermarket": "5411",
    "convenience": "5499",
    "food": "5462",
    "restaurant": "5812",
    "drugstore": "5912",
    "medical": "8062",
    "clothing": "5651",
    "household": "5722",
    "services": "7230",
    "leisure": "7832",
    "other": "5999",
}
"""One merchant category code (ISO 18245) for each of the frames' categories."""

JOINS_AT, EXPIRES_AT = "10:00", "00:10"
MOVES_IN_AT = "06:00"
"""Before shops open, on the day from which a store takes part."""
REASON = "市民への給付"
NO_TAPS = PayingLimits(tap_above_yen=MAX_AMOUNT_YEN)
"""The invented city shows a code for sums of any size, and is lived as it was invented."""


@dataclass(frozen=True)
class Lived:
    """What the platform calls everybody, in the order of the plan: wallets by resident, codes by store."""

    wallets: tuple[UUID, ...]
    stores: tuple[str, ...]


async def live(handle: DatabaseHandle, world: World, part: Part, seed: int, told: Callable[[str, int], None]) -> Lived:
    """Play a whole city of one part on an empty database; raises WentWrong where it does not go as planned."""
    plan = world.plan
    async with staged(handle, _setting(world, seed), told, NO_TAPS) as stage:
        office = await open_office(stage)
        await decide(stage, office)
        shops: dict[int, Shop] = {}
        await _register(stage, office, world, shops)
        residents = [Resident(stage, index) for index in range(len(part.who))]
        life = _Life(stage, office, shops, residents, world, part)
        life.write()
        stage.at(plan.use_to + timedelta(days=1), EXPIRES_AT, stage.work)
        await stage.play()
        return Lived(
            tuple(resident.wallet_id for resident in residents), tuple(shops[place].code for place in range(len(shops)))
        )


def _setting(world: World, seed: int) -> Setting:
    plan = world.plan
    scenario = Scenario(
        name=f"invented-{plan.programme}",
        code=plan.programme,
        units=plan.stock_units,
        stores=plan.stores,
        grant_budget_points=int(world.people.granted.sum()),
        demand=plan.demand,
        terms=partial(_terms, plan),
    )
    return Setting(scenario, 1.0, seed)


def _terms(plan: CityPlan, units: int) -> Terms:
    return terms(
        sale=Period(plan.sale_from, plan.use_to),
        use=Period(plan.use_from, plan.use_to),
        stock_units=units,
        purses=tuple(
            Purse(purse.code, purse.code, purse.paid_points, purse.premium_points, purse.store_classes)
            for purse in plan.purses
        ),
    )


async def _register(stage: Stage, office: Office, world: World, shops: dict[int, Shop]) -> None:
    """The merchants as the frame of stores has them, into `shops` by the plan's places: those who take part from the
    beginning now, the others on the morning of their day."""
    stage.clock.set(instant(stage.terms.sale.first - REGISTERED_BEFORE, "09:30"))
    for first, merchant in _merchants(world):
        move_in = partial(_move_in, stage, office, merchant, first, shops)
        if world.joined[first]:
            stage.at(world.people.origin + timedelta(days=int(world.joined[first])), MOVES_IN_AT, move_in)
            continue
        await move_in()
        stage.wait(60 * MINUTES_A_MERCHANT)


async def _move_in(stage: Stage, office: Office, merchant: MerchantPlan, first: int, shops: dict[int, Shop]) -> None:
    shops |= {shop.index: shop for shop in await open_merchant(stage, office, merchant, first)}


def _merchants(world: World) -> Iterator[tuple[int, MerchantPlan]]:
    """Each with the place of its first store; those of one merchant stand together."""
    places, plan = world.places, world.plan
    numbers = places.frame["merchant"].to_numpy()[: len(places.trade)]
    for turn, number in enumerate(dict.fromkeys(numbers)):
        own = np.flatnonzero(numbers == number)
        stores = tuple(_store(plan, world, int(index)) for index in own)
        account: dict[str, object] = {"type": "bank", "bank_code": "0138", "branch_code": "641", "kind": "1"}
        account |= {"number": f"{turn + 1:07}", "holder": "ホシミシヨウテン"}
        yield int(own[0]), MerchantPlan(f"商店 {number}", None, account, stores)


def _store(plan: CityPlan, world: World, index: int) -> StorePlan:
    trade, places = plan.trades[world.places.trade[index]], world.places
    category = Category(MCC[trade.category], trade.mean_yen, trade.sigma, ("店", "ミセ", "STORE"))
    return StorePlan(
        name=f"店 {places.codes[index]}",
        name_kana="ミセ",
        name_latin=f"STORE {places.codes[index]}",
        category=category,
        store_class=trade.store_class,
        district=int(places.district[index]),
        weight=float(places.weight[index]),
    )


@dataclass
class _Life:
    """Everybody's deeds on the agenda of the stage."""

    stage: Stage
    office: Office
    shops: dict[int, Shop]
    residents: list[Resident]
    world: World
    part: Part

    def write(self) -> None:
        people, who = self.world.people, self.part.who
        for place in np.argsort(people.joined[who], kind="stable"):
            day = people.origin + timedelta(days=int(people.joined[who[place]]))
            self.stage.at(day, JOINS_AT, self.residents[place].join)
        for place in np.flatnonzero(people.bought[who]):
            self._when(int(people.bought_at[who[place]]), partial(self._buy, int(place)))
        given = np.flatnonzero(people.granted[who])
        if len(given):
            self._when(int(people.granted_at[who[given[0]]]), partial(self._grant, given.tolist()))
        deeds, yen = self.part.deeds, self.part.booked.yen
        sales: dict[int, Sale] = {}
        for row in np.flatnonzero(yen > 0):
            deed = partial(self._pay, sales) if deeds.kind[row] == PAY else partial(self._take_back, sales)
            self._when(int(deeds.at[row]), partial(deed, int(row), int(yen[row])))

    def _when(self, seconds: int, event: Event) -> None:
        midnight = datetime.combine(self.world.people.origin, datetime.min.time(), TOKYO)
        self.stage.when(midnight + timedelta(days=seconds // DAY_SECONDS, seconds=seconds % DAY_SECONDS), event)

    async def _buy(self, place: int) -> None:
        resident, units = self.residents[place], int(self.world.people.bought[self.part.who[place]])
        body = {"programme": self.stage.programme, "units": units}
        purchase = (await resident.ask(f"/wallets/{resident.wallet_id}/purchases", body)).done()
        await self.stage.town.checkout.pay(str(purchase["checkout_url"]).rsplit("/", 1)[1])
        if (await resident.purchase(purchase["id"]))["status"] != "paid":
            raise WentWrong(f"purchase {purchase['number']} was not paid")
        for purse in self.stage.terms.purses:
            resident.pocket.add(purse.code, units * purse.points)

    async def _grant(self, given: list[int]) -> None:
        """One list for everybody who is given points; a second officer says yes."""
        stage, plan = self.stage, self.world.plan
        widest = max(plan.purses, key=lambda purse: len(purse.store_classes)).code
        lines = [f"{self.residents[place].wallet_number},{plan.grant_points}" for place in given]
        text = "\r\n".join(["wallet_number,points", *lines, ""]).encode()
        query = {"programme": stage.programme, "purse": widest, "reason": REASON, "dry_run": "false"}
        asked = (await self.office.planner.ask("/grants/batches", csv=text, query=query)).done()
        yes = {"fingerprint": asked["fingerprint"]}
        (await self.office.mayor.ask(f"/changes/{asked['change_id']}/approval", yes)).must_succeed()
        for place in given:
            self.residents[place].pocket.add(widest, plan.grant_points)

    async def _pay(self, sales: dict[int, Sale], row: int, yen: int) -> None:
        deeds = self.part.deeds
        resident, shop = self.residents[deeds.resident[row]], self.shops[int(deeds.store[row])]
        sales[row] = await must_pay(resident, shop, yen, Mode(MODES[deeds.mode[row]]))

    async def _take_back(self, sales: dict[int, Sale], row: int, yen: int) -> None:
        deeds = self.part.deeds
        if deeds.of[row] == NONE:
            raise WentWrong("what is taken back was a payment")
        sale = sales[int(deeds.of[row])]
        await (cancel(sale) if KINDS[deeds.kind[row]] == "cancel" else refund(sale, yen))
