"""Written scenes at the till, in the first days: what is refused, and how it ends well all the same.

They are played by residents of their own (`Company.cast`), so that each happens at any scale.
"""

from datetime import timedelta
from functools import partial

from infra.phone import SandboxPhone
from infra.simulation.company import Company
from infra.simulation.people import Resident
from infra.simulation.shops import Shop
from infra.simulation.trade import (
    ask_cancel,
    ask_refund,
    book,
    cancel,
    make_register_code,
    must_pay,
    pay,
    pay_register,
    refund,
    scan,
    show_code,
)
from services.kit.store_class import StoreClass
from services.payments.payment import Mode

FOREIGN = "https://qr.paypay.ne.jp/28180104abcdef"


def write_scenes(company: Company) -> None:
    """Put the scenes on the agenda, by the day of the programme's use."""
    aoi, ren, sakura = (company.cast[name] for name in ("aoi", "ren", "sakura"))
    large = next(shop for shop in company.shops if shop.store_class is StoreClass.LARGE)
    small = [shop for shop in company.shops if shop.store_class is StoreClass.SMALL and shop.plan.weight]
    first = company.stage.terms.use.first
    scenes = (
        (2, "09:40", partial(_over_the_cap, aoi)),
        (2, "10:30", partial(_over_the_balance, aoi, large)),
        (2, "11:30", partial(_stale_code, aoi, small[0])),
        (2, "12:30", partial(_code_twice, aoi, small[1])),
        (2, "13:30", partial(_sent_twice, aoi, small[0])),
        (2, "14:30", partial(_forged_code, aoi, ren, small[1])),
        (2, "15:30", partial(_register, aoi, small[2])),
        (2, "16:30", partial(_foreign_code, aoi)),
        (2, "17:10", partial(_too_late, company, aoi, small[0], small[1])),
        (4, "10:20", partial(_lost_phone, ren, small[0])),
        (4, "12:20", partial(_mistyped_code, sakura)),
        (5, "11:15", partial(_cancelled, ren, large)),
        (6, "15:40", partial(_brought_back_in_parts, company, ren, small[1])),
        (11, "16:20", partial(_brought_back_later, company, ren, large)),
        (19, "10:00", partial(_suspended, company, aoi, small[2])),
    )
    for day, clock_time, scene in scenes:
        company.stage.at(first + timedelta(days=day), clock_time, scene)


async def _over_the_cap(resident: Resident) -> None:
    """Three units a person: whoever has one does not get three more."""
    body = {"programme": resident.stage.programme, "units": 3}
    (await resident.ask(f"/wallets/{resident.wallet_id}/purchases", body)).must_be_refused("cap_exceeded")
    resident.stage.happened("refused: over the cap")


async def _over_the_balance(resident: Resident, shop: Shop) -> None:
    """The small stores' purse does not count at a large one."""
    most = resident.pocket.spendable(shop.store_class)
    (await show_code(resident, shop, most + 1)).must_be_refused("points_missing")
    resident.stage.happened("refused: over the balance")
    await must_pay(resident, shop, 1_200)


async def _stale_code(resident: Resident, shop: Shop) -> None:
    await shop.on_duty.token()
    code = resident.show_code()
    resident.stage.wait(75)
    (await scan(shop, code, 900)).must_be_refused("pay_code_expired")
    resident.stage.happened("refused: expired pay code")
    await must_pay(resident, shop, 900)


async def _code_twice(resident: Resident, shop: Shop) -> None:
    await shop.on_duty.token()
    code = resident.show_code()
    book(resident, shop, 650, Mode.CPM, await scan(shop, code, 650))
    (await scan(shop, code, 650)).must_be_refused("pay_code_used")
    resident.stage.happened("refused: replayed pay code")


async def _sent_twice(resident: Resident, shop: Shop) -> None:
    """The till's network fails after the payment: the same id answers the same, and nothing else."""
    clerk, path = shop.on_duty, f"/stores/{shop.store_id}/payments"
    await clerk.token()
    key, body = resident.stage.new_key(), {"pay_code": resident.show_code(), "amount_yen": 430}
    first = await clerk.ask(path, body, key=key)
    book(resident, shop, 430, Mode.CPM, first)
    again = await clerk.ask(path, body, key=key)
    if again.replayed and again.done() == first.done():
        resident.stage.happened("payment sent twice, made once")
    (await clerk.ask(path, body | {"amount_yen": 4_300}, key=key)).must_be_refused("idempotency_key_reused")
    resident.stage.happened("refused: another payment under the same id")


async def _forged_code(victim: Resident, thief: Resident, shop: Shop) -> None:
    """Somebody else's phone signs for a wallet that it does not belong to."""
    await shop.on_duty.token()
    own, victim.phone = victim.phone, thief.phone
    code = victim.show_code()
    victim.phone = own
    (await scan(shop, code, 5_000)).must_be_refused("pay_code_forged")
    victim.stage.happened("refused: forged pay code")


async def _register(resident: Resident, shop: Shop) -> None:
    """A register's code pays its own amount, once, for five minutes."""
    code = await make_register_code(shop, 700)
    (await pay_register(resident, code["url"], 70)).must_be_refused("amount_differs")
    resident.stage.happened("refused: wrong amount")
    book(resident, shop, 700, Mode.TILL, await pay_register(resident, code["emvco"]))
    (await pay_register(resident, code["number"])).must_be_refused("till_code_used")
    resident.stage.happened("refused: register's code used twice")
    late = await make_register_code(shop, 800)
    resident.stage.wait(360)
    (await pay_register(resident, late["url"])).must_be_refused("till_code_expired")
    resident.stage.happened("refused: expired register's code")


async def _foreign_code(resident: Resident) -> None:
    (await resident.ask("/codes", {"text": FOREIGN})).must_be_refused("code_foreign")
    resident.stage.happened("refused: another service's code")


async def _too_late(company: Company, resident: Resident, shop: Shop, other: Shop) -> None:
    """Only the store itself gives a payment back, today whole, later in part, never more than was paid."""
    sale = await must_pay(resident, shop, 1_500)
    path = f"/stores/{other.store_id}/payments/{sale.payment_id}/cancel"
    (await other.on_duty.ask(path, {"reason": "-"})).must_be_refused("not_found")
    company.stage.happened("refused: another store's payment")

    async def next_day() -> None:
        (await ask_cancel(sale)).must_be_refused("cancel_too_late")
        company.stage.happened("refused: cancel on another day")
        (await ask_refund(sale, sale.yen + 1)).must_be_refused("refund_too_much")
        company.stage.happened("refused: refund of more than was paid")
        await refund(sale, 500)
        await resident.must_hold(resident.pocket.total)

    company.stage.soon(18 * 60, next_day)


async def _lost_phone(resident: Resident, shop: Shop) -> None:
    """A lost phone is blocked by its owner; the balance belongs to the person, not the phone."""
    await shop.on_duty.token()
    code = resident.show_code()
    await resident.token()
    (await resident.ask(f"/wallets/{resident.wallet_id}/devices/{resident.device_id}/block")).must_succeed()
    (await scan(shop, code, 2_000)).must_be_refused("device_blocked")
    resident.stage.happened("refused: lost phone")
    resident.phone = SandboxPhone(resident.stage.secret(32))
    await resident.register_phone("新しいスマートフォン")
    await must_pay(resident, shop, 1_080)


async def _mistyped_code(resident: Resident) -> None:
    attempt_id = await resident.ask_for_code()
    wrong = f"{(int(resident.read_code()) + 1) % 10**6:06}"
    (await resident.guess(attempt_id, wrong)).must_be_refused("code_wrong")
    resident.stage.happened("refused: wrong one-time code")
    (await resident.guess(attempt_id, resident.read_code())).must_succeed()


async def _cancelled(resident: Resident, shop: Shop) -> None:
    sale = await must_pay(resident, shop, 2_500, Mode.MPM)
    resident.stage.wait(240)
    await cancel(sale)
    (await ask_cancel(sale)).must_be_refused("nothing_to_cancel")
    resident.stage.happened("refused: second cancel")
    await must_pay(resident, shop, 2_050, Mode.TILL)


async def _brought_back_in_parts(company: Company, resident: Resident, shop: Shop) -> None:
    """Before the period of the payment is closed: in two parts, to the last yen."""
    sale = await must_pay(resident, shop, 3_300)
    company.stage.soon(2 * 24 * 60, partial(refund, sale, 1_100))
    company.stage.soon(3 * 24 * 60, partial(refund, sale, 2_200))


async def _brought_back_later(company: Company, resident: Resident, shop: Shop) -> None:
    """After the store was settled for the payment."""
    sale = await must_pay(resident, shop, 4_000)
    company.stage.soon(8 * 24 * 60, partial(refund, sale, 4_000))


async def _suspended(company: Company, resident: Resident, shop: Shop) -> None:
    """The office suspends a store for a day; whoever pays there is told so."""
    path = f"/stores/{shop.store_id}/status"
    body = {"status": "suspended", "reason": "掲示物の確認のため"}
    (await company.office.planner.ask(path, body)).must_succeed()
    company.stage.happened("store suspended")

    async def tried() -> None:
        if await pay(resident, shop, 700, Mode.CPM) == "store_suspended":
            company.stage.happened("refused: suspended store")

    async def resumed() -> None:
        active = {"status": "active", "reason": "確認が済んだため"}
        (await company.office.planner.ask(path, active)).must_succeed()
        await must_pay(resident, shop, 700)

    company.stage.soon(60, tried)
    company.stage.soon(300, resumed)
