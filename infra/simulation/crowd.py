"""The crowd: residents who shop by their plans, with the small mishaps of every day.

A plan is carried out as far as the pocket allows: what came back of a payment is spent later, and
most people spend the very last yen. What nobody spends in time lapses.
"""

from datetime import timedelta
from functools import partial

from infra.simulation.company import Company
from infra.simulation.door import WentWrong
from infra.simulation.people import Resident
from infra.simulation.shopping import time_of_day
from infra.simulation.shops import Shop
from infra.simulation.trade import Sale, cancel, must_pay, pay, refund, scan, show_code
from infra.simulation.trips import Visit, plan_visits
from services.kit.clock import TOKYO, civil_date
from services.payments.payment import Mode

CANCELLED, REFUNDED, ASKS_TOO_MUCH, TOO_SLOW = 0.008, 0.007, 0.002, 0.002
"""How often a payment is cancelled or refunded, exceeds the balance, or is made with a code gone stale."""

REFUND_AFTER_DAYS = 4.0
IN_PART = 0.5
SPENDS_REVIVED = 0.5
CLOSING_HOUR = 22


def start_shopping(company: Company, resident: Resident, points: int, for_large: int) -> None:
    """Plan how new points will be spent; `for_large` of them can be spent at large stores."""
    stage = company.stage
    last = stage.terms.use.last
    planned = plan_visits(resident.rng, company.market, resident.habits, points, for_large, stage.now, last)
    resident.visits = sorted((*resident.visits, *planned), key=lambda visit: visit.at, reverse=True)
    _go_on(company, resident)


async def _visit(company: Company, resident: Resident, turn: int) -> None:
    """One payment, unless there is nothing left to pay with, or the plan has changed since."""
    if turn != resident.turn:
        return
    visit = resident.visits.pop()
    shop = company.shops[visit.store]
    yen = _how_much(resident, shop, visit)
    if yen == 0 or company.stage.now >= company.stage.terms.expires_at:
        _go_on(company, resident)
        return
    luck = resident.rng.random() if visit.mode is Mode.CPM else 1.0
    if luck < TOO_SLOW:
        code = resident.show_code()
        company.stage.soon(1.5, partial(_scan_late, company, resident, shop, yen, code), who=resident.index)
        return
    if luck < TOO_SLOW + ASKS_TOO_MUCH:
        too_much = resident.pocket.spendable(shop.store_class) + 100
        if (await show_code(resident, shop, too_much)).refused() == "points_missing":
            company.stage.happened("refused: over the balance")
    await _check_out(company, resident, shop, yen, visit.mode)


async def _scan_late(company: Company, resident: Resident, shop: Shop, yen: int, code: str) -> None:
    """The queue was long: the code has expired, and a new one is shown."""
    (await scan(shop, code, yen)).must_be_refused("pay_code_expired")
    company.stage.happened("refused: expired pay code")
    await _check_out(company, resident, shop, yen, Mode.CPM)


async def _check_out(company: Company, resident: Resident, shop: Shop, yen: int, mode: Mode) -> None:
    """Pay, as far as there is something to pay with; then on to the next visit.

    Where a store may not take points for now, people go to another one of its class.
    """
    yen = min(yen, resident.pocket.spendable(shop.store_class))
    paid = await pay(resident, shop, yen, mode) if yen else None
    if isinstance(paid, Sale):
        if resident.pocket.total == 0:
            company.stage.happened("paid with exactly the balance")
        _mishaps(company, paid)
    elif paid == "store_suspended":
        company.stage.happened("refused: suspended store")
        alike = (each for each in company.shops if each.store_class is shop.store_class and each.plan.weight)
        other = next((each for each in alike if each is not shop), None)
        if other is not None:
            company.stage.soon(10, partial(_check_out, company, resident, other, yen, Mode.CPM), who=resident.index)
            return
    elif paid is not None:
        raise WentWrong(f"a payment of {yen} yen at {shop.plan.name} was refused: {paid}")
    _go_on(company, resident)


def _go_on(company: Company, resident: Resident) -> None:
    """The next visit; after the last one perhaps one more for what is left."""
    if not resident.visits:
        _spend_the_rest(company, resident)
    if resident.visits:
        resident.turn += 1
        visit = partial(_visit, company, resident, resident.turn)
        company.stage.when(resident.visits[-1].at, visit, who=resident.index)


def _how_much(resident: Resident, shop: Shop, visit: Visit) -> int:
    """The planned amount; on the last visit all there is, to the yen."""
    spendable = resident.pocket.spendable(shop.store_class)
    if resident.visits or resident.habits.leaves_change:
        return min(visit.amount_yen, spendable)
    return spendable


def _mishaps(company: Company, sale: Sale) -> None:
    """Now and then an amount was mistyped, or what was bought is brought back some days later."""
    rng, stage = sale.resident.rng, company.stage
    luck = rng.random()
    if luck < CANCELLED and stage.now.astimezone(TOKYO).hour < CLOSING_HOUR:
        stage.soon(rng.randrange(1, 4), partial(_mistyped, company, sale), who=sale.resident.index)
    elif luck < CANCELLED + REFUNDED:
        days = 1 + int(rng.expovariate(1 / REFUND_AFTER_DAYS))
        at = time_of_day(rng, civil_date(stage.now) + timedelta(days=days))
        yen = rng.randrange(1, sale.yen + 1) if rng.random() < IN_PART else sale.yen
        stage.when(at, partial(_bring_back, company, sale, yen), who=sale.resident.index)


async def _mistyped(company: Company, sale: Sale) -> None:
    """The clerk cancels and types the right amount, a little less."""
    await cancel(sale)
    right = max(1, sale.yen - sale.yen * sale.resident.rng.randrange(1, 10) // 100)
    await _check_out(company, sale.resident, sale.shop, right, Mode.CPM)


async def _bring_back(company: Company, sale: Sale, yen: int) -> None:
    """A refund, while refunds are given; what comes back is spent, if there is time and will."""
    stage, resident = company.stage, sale.resident
    expired = stage.now >= stage.terms.expires_at
    if stage.now >= stage.terms.refunds_until or (expired and resident.pocket.total):
        return
    await refund(sale, yen)
    if expired:
        await revived(company, sale, spend=resident.rng.random() < SPENDS_REVIVED)
    elif not resident.visits:
        _go_on(company, resident)


async def revived(company: Company, sale: Sale, *, spend: bool) -> None:
    """A refund to points that had lapsed: usable for some days at the same store, then gone again."""
    stage, resident = company.stage, sale.resident
    stage.happened("refund after expiry")
    if spend:
        day = civil_date(stage.now) + timedelta(days=resident.rng.randrange(1, stage.terms.revive_days))
        stage.when(time_of_day(resident.rng, day), partial(_spend_revived, sale), who=resident.index)
    last = civil_date(stage.now) + timedelta(days=stage.terms.revive_days)
    stage.at(last + timedelta(days=1), "00:20", partial(_lapse_again, resident))


async def _spend_revived(sale: Sale) -> None:
    yen = sale.resident.pocket.spendable(sale.shop.store_class)
    await must_pay(sale.resident, sale.shop, yen)
    sale.resident.stage.happened("revived points spent")


async def _lapse_again(resident: Resident) -> None:
    if resident.pocket.lapse():
        resident.stage.happened("revived points lapsed again")


def _spend_the_rest(company: Company, resident: Resident) -> None:
    """One more visit to a small store for what is left, within a few days."""
    if resident.pocket.total == 0 or resident.habits.leaves_change:
        return
    day = civil_date(company.stage.now) + timedelta(days=resident.rng.randrange(1, 5))
    if day <= company.stage.terms.use.last:
        store = company.market.pick(resident.rng, resident.habits.district, large_too=False)
        resident.visits = [Visit(time_of_day(resident.rng, day), store, resident.pocket.total, Mode.CPM)]


async def lapse(company: Company) -> None:
    """The period of use is over: what nobody spent is gone, in every app as on the platform."""
    for resident in company.residents:
        if resident.pocket.lapse():
            company.stage.happened("points lapsed")
