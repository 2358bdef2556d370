"""Written stories of single stores, and what happens to points after their last day."""

from datetime import timedelta
from functools import partial

from infra.simulation.agenda import Event
from infra.simulation.city import Trouble
from infra.simulation.company import Company
from infra.simulation.crowd import lapse
from infra.simulation.door import WentWrong
from infra.simulation.people import Resident
from infra.simulation.shops import Shop
from infra.simulation.trade import Sale, ask_refund, must_pay, refund, show_code
from services.kit.store_class import StoreClass
from services.payments.payment import Mode

LEFT_UNSPENT = 310


def write_stories(company: Company) -> None:
    """Put everything on the agenda, by the first and the last day of use."""
    stage, terms = company.stage, company.stage.terms
    for day, clock_time, event in _from_the_first_day(company):
        stage.at(terms.use.first + timedelta(days=day), clock_time, event)
    for day, clock_time, event in _to_the_last_day(company):
        stage.at(terms.use.last + timedelta(days=day), clock_time, event)
    stage.at(terms.use.last + timedelta(days=1), "00:20", partial(lapse, company))


def _from_the_first_day(company: Company) -> tuple[tuple[int, str, Event], ...]:
    """A store too small to be paid each time, and one that gives back more than it sells."""
    sakura, itsuki = company.cast["sakura"], company.cast["itsuki"]
    tiny, returns = _shop_in(company, Trouble.TINY), _shop_in(company, Trouble.RETURNS)
    return (
        (8, "11:40", partial(_pays, sakura, tiny, 480)),
        (20, "16:10", partial(_pays, sakura, tiny, 310)),
        (50, "12:05", partial(_pays, sakura, tiny, 4_000)),
        (40, "13:25", partial(_returned_in_the_next_period, company, itsuki, returns)),
        (55, "11:50", partial(_pays, itsuki, returns, 500)),
        (68, "17:30", partial(_pays, itsuki, returns, 2_000)),
        (78, "16:45", partial(_pays, itsuki, returns, 7_000)),
    )


def _to_the_last_day(company: Company) -> tuple[tuple[int, str, Event], ...]:
    """Refunds after the points' last day: spent in time, spent in part, forgotten, asked for too late."""
    aoi, ren, sakura, itsuki = (company.cast[name] for name in ("aoi", "ren", "sakura", "itsuki"))
    shops = [shop for shop in company.shops if shop.store_class is StoreClass.SMALL and shop.plan.weight]
    stage, refund_days = company.stage, company.stage.terms.refund_days

    async def spend_in_part() -> None:
        sale = await must_pay(sakura, shops[0], 3_000)
        stage.soon(7 * 24 * 60, partial(_revive, company, sale, 3_000))
        stage.soon(9 * 24 * 60, partial(_pays, sakura, shops[1], 1_100))

    async def spend_after_the_final_close() -> None:
        sale = await must_pay(itsuki, shops[0], 2_400)
        stage.soon(16 * 24 * 60, partial(_revive, company, sale, 2_400))
        stage.soon(21 * 24 * 60, partial(_spend_all_revived, itsuki, shops[1]))

    async def forget_again() -> None:
        sale = await must_pay(ren, shops[1], 1_700)
        stage.soon(15 * 24 * 60, partial(_revive, company, sale, 700))

    async def ask_too_late() -> None:
        sale = await must_pay(aoi, shops[0], 1_000)
        stage.at(stage.terms.use.last + timedelta(days=refund_days + 1), "10:30", partial(_too_late, sale))

    return (
        (-5, "15:20", forget_again),
        (-4, "11:05", spend_after_the_final_close),
        (-3, "17:15", spend_in_part),
        (-2, "12:40", ask_too_late),
        *((-1, "18:20", partial(_pays_exactly_the_balance, each, shops[0])) for each in (ren, sakura, itsuki)),
        (-1, "18:40", partial(_leaves_a_little, aoi, shops[0])),
        (1, "10:10", partial(_pays_with_lapsed_points, aoi, shops[0])),
    )


def _shop_in(company: Company, trouble: Trouble) -> Shop:
    return next(shop for shop in company.shops if shop.plan.trouble is trouble)


async def _pays(resident: Resident, shop: Shop, yen: int) -> None:
    await must_pay(resident, shop, yen)


async def _returned_in_the_next_period(company: Company, resident: Resident, shop: Shop) -> None:
    """The store was paid for the sale before it gives it back: for a while it owes."""
    sale = await must_pay(resident, shop, 6_000, Mode.TILL)
    company.stage.soon(10 * 24 * 60, partial(refund, sale, 6_000))


async def _pays_exactly_the_balance(resident: Resident, shop: Shop) -> None:
    await resident.must_hold(resident.pocket.total)
    await must_pay(resident, shop, resident.pocket.total, Mode.MPM)
    resident.stage.happened("paid with exactly the balance")


async def _leaves_a_little(resident: Resident, shop: Shop) -> None:
    await must_pay(resident, shop, resident.pocket.total - LEFT_UNSPENT)


async def _pays_with_lapsed_points(resident: Resident, shop: Shop) -> None:
    await resident.must_hold(0)
    (await show_code(resident, shop, 100)).must_be_refused("programme_closed")
    resident.stage.happened("refused: lapsed points")


async def _revive(company: Company, sale: Sale, yen: int) -> None:
    """A refund to points that have lapsed makes them usable for some days, and then they lapse again."""
    stage, resident = company.stage, sale.resident
    await refund(sale, yen)
    await resident.must_hold(yen)
    stage.happened("refund after expiry")
    over = timedelta(days=stage.terms.revive_days + 1)
    stage.soon(over.total_seconds() / 60, partial(_lapse_again, resident))


async def _spend_all_revived(resident: Resident, shop: Shop) -> None:
    await must_pay(resident, shop, resident.pocket.total)
    resident.stage.happened("revived points spent")


async def _lapse_again(resident: Resident) -> None:
    await resident.must_hold(0)
    if resident.pocket.lapse():
        resident.stage.happened("revived points lapsed again")


async def _too_late(sale: Sale) -> None:
    (await ask_refund(sale, sale.yen)).must_be_refused("refund_too_late")
    sale.resident.stage.happened("refused: refund after the last day")
    if sale.left_yen != sale.yen:
        raise WentWrong("a refused refund gave something back")
