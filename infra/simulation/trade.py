"""Paying, and giving back: one deed each at the door of the store's or the resident's API."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.simulation.door import Answer, WentWrong
from infra.simulation.people import Resident
from infra.simulation.pocket import Part
from infra.simulation.shops import Shop
from services.payments.payment import Mode

WATCHED = 0.1
"""How often a register asks whether its code was paid before the customer shows the receipt."""

REASON_CANCEL, REASON_REFUND = "金額の打ち間違い", "返品のため"


@dataclass
class Sale:
    """A payment as both sides remember it; `parts` are still outstanding."""

    resident: Resident
    shop: Shop
    payment_id: str
    yen: int
    mode: Mode
    at: datetime
    parts: tuple[Part, ...]

    @property
    def left_yen(self) -> int:
        """What has not come back."""
        return sum(yen for _, yen in self.parts)


async def pay(resident: Resident, shop: Shop, yen: int, mode: Mode) -> Sale | str:
    """Pay, whichever way; the code of the refusal where there is one."""
    match mode:
        case Mode.CPM:
            answer = await show_code(resident, shop, yen)
            if answer.refused() == "tap_needed":
                answer, mode = await say_yes(resident, shop, yen), Mode.TILL
        case Mode.MPM:
            answer = await read_code(resident, shop, yen)
        case Mode.TILL:
            answer = await read_register(resident, shop, yen)
    return answer.refused() or book(resident, shop, yen, mode, answer)


async def must_pay(resident: Resident, shop: Shop, yen: int, mode: Mode = Mode.CPM) -> Sale:
    """Pay. Raises WentWrong when it is refused."""
    paid = await pay(resident, shop, yen, mode)
    if isinstance(paid, str):
        raise WentWrong(f"a payment of {yen} yen at {shop.plan.name} was refused: {paid}")
    return paid


async def show_code(resident: Resident, shop: Shop, yen: int) -> Answer:
    """The resident shows a code, the clerk scans it and types the amount."""
    await shop.on_duty.token()  # a till that is in use is signed in before the customer comes
    return await scan(shop, resident.show_code(), yen)


async def scan(shop: Shop, code: str, yen: int) -> Answer:
    """A clerk scans a resident's code."""
    return await shop.on_duty.ask(f"/stores/{shop.store_id}/payments", {"pay_code": code, "amount_yen": yen})


async def say_yes(resident: Resident, shop: Shop, yen: int) -> Answer:
    """The register asks the resident's phone; they see store and sum there, and say yes."""
    made = await shop.on_duty.ask(
        f"/stores/{shop.store_id}/till-codes", {"amount_yen": yen, "pay_code": resident.show_code()}
    )
    if made.refused() is not None:
        return made
    [asked] = (await resident.look(f"/wallets/{resident.wallet_id}/till-codes")).done()["asked"]
    if (asked["amount_yen"], asked["store"]["name"]) != (yen, shop.plan.name):
        raise WentWrong(f"a phone is asked for {asked}, not for {yen} yen at {shop.plan.name}")
    resident.stage.happened("payment with a yes on the phone")
    return await pay_register(resident, asked["code"])


async def read_code(resident: Resident, shop: Shop, yen: int) -> Answer:
    """The resident scans the sticker, or types its number, and the amount."""
    await resident.token()
    body = {"code": resident.rng.choices(shop.texts, (60, 30, 10))[0], "amount_yen": yen}
    return await resident.ask(f"/wallets/{resident.wallet_id}/payments", body)


async def read_register(resident: Resident, shop: Shop, yen: int) -> Answer:
    """The register shows a code with the amount in it, the resident scans it."""
    made = await ask_register_code(shop, yen)
    if made.refused() is not None:
        return made
    code = made.done()
    answer = await pay_register(resident, code["url"])
    if answer.refused() is None and resident.rng.random() < WATCHED:
        seen = (await shop.on_duty.look(f"/stores/{shop.store_id}/till-codes/{code['id']}")).done()
        if seen["payment_id"] != answer.done()["payment_id"]:
            raise WentWrong("the register does not see its own payment")
    return answer


async def ask_register_code(shop: Shop, yen: int) -> Answer:
    """Have a code made with the amount in it; a store that may not take points gets none."""
    return await shop.on_duty.ask(f"/stores/{shop.store_id}/till-codes", {"amount_yen": yen})


async def make_register_code(shop: Shop, yen: int) -> dict[str, Any]:
    return (await ask_register_code(shop, yen)).done()


async def pay_register(resident: Resident, text: str, yen: int | None = None) -> Answer:
    """Pay what a register's code says; `yen` where the resident types an amount all the same."""
    body = {"code": text} if yen is None else {"code": text, "amount_yen": yen}
    return await resident.ask(f"/wallets/{resident.wallet_id}/payments", body)


def book(resident: Resident, shop: Shop, yen: int, mode: Mode, answer: Answer) -> Sale:
    """Note a payment that went through, and compare what the resident is told with what they believe."""
    receipt = answer.done()
    parts = resident.pocket.take(shop.store_class, yen)
    if receipt["amount_yen"] != yen or receipt["mode"] != mode.value:
        raise WentWrong(f"a receipt of {yen} yen says {receipt}")
    if receipt.get("balance_after_yen", resident.pocket.total) != resident.pocket.total:
        raise WentWrong(f"a balance of {resident.pocket.total} is shown as {receipt['balance_after_yen']}")
    resident.stage.happened("payment by the resident's code" if mode is Mode.CPM else "payment by the store's code")
    if mode is Mode.TILL:
        resident.stage.happened("payment by a register's code")
    resident.stage.tally["yen paid"] += yen
    resident.stage.paid(yen)
    return Sale(resident, shop, receipt["payment_id"], yen, mode, resident.stage.now, parts)


async def cancel(sale: Sale) -> None:
    """The store takes a payment back on its day."""
    (await ask_cancel(sale)).must_succeed()
    sale.resident.stage.tally["yen cancelled"] += sale.yen
    _came_back(sale, sale.yen)
    sale.resident.stage.happened("cancel")


async def ask_cancel(sale: Sale) -> Answer:
    path = f"/stores/{sale.shop.store_id}/payments/{sale.payment_id}/cancel"
    return await sale.shop.on_duty.ask(path, {"reason": REASON_CANCEL})


async def refund(sale: Sale, yen: int) -> None:
    """The store gives back part or all of a payment."""
    stage = sale.resident.stage
    given = (await ask_refund(sale, yen)).done()
    stage.tally["yen refunded"] += yen
    _came_back(sale, yen)
    if given["left_yen"] != sale.left_yen:
        raise WentWrong(f"{given['left_yen']} yen are said to be left of a payment, not {sale.left_yen}")
    settled = any(sale.at < cutoff <= stage.now for cutoff in stage.cutoffs)
    stage.happened("refund")
    stage.happened("refund after settlement" if settled else "refund before settlement")
    stage.happened("refund in part" if sale.left_yen else "refund to the last yen")


async def ask_refund(sale: Sale, yen: int) -> Answer:
    path = f"/stores/{sale.shop.store_id}/payments/{sale.payment_id}/refunds"
    return await sale.shop.on_duty.ask(path, {"amount_yen": yen, "reason": REASON_REFUND})


def _came_back(sale: Sale, yen: int) -> None:
    sale.parts = sale.resident.pocket.put_back(sale.parts, yen)
