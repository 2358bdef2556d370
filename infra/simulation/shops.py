"""Merchants move in: vetted and registered by the office, then their owners appoint the clerks."""

from dataclasses import dataclass

from infra.simulation.city import MerchantPlan, StorePlan
from infra.simulation.office import Office
from infra.simulation.people import Clerk
from infra.simulation.stage import PUBLIC_URL, Stage
from services.kit.store_class import StoreClass
from services.payments.qr import store_url

BUSY = 0.02
"""A store with at least this share of the customers has two clerks."""


@dataclass(frozen=True)
class Shop:
    """A store with the people who work there, and its sticker as scanners read it."""

    index: int
    plan: StorePlan
    store_id: str
    merchant_id: str
    code: str
    owner: Clerk
    clerks: tuple[Clerk, ...]
    texts: tuple[str, ...]
    """What customers scan or type: the address on the sticker, the EMVCo code, the number."""

    @property
    def store_class(self) -> StoreClass:
        return self.plan.store_class

    @property
    def on_duty(self) -> Clerk:
        """Who stands at the till today."""
        return self.clerks[self.owner.stage.now.toordinal() % len(self.clerks)]


async def open_merchant(stage: Stage, office: Office, plan: MerchantPlan, first_index: int) -> list[Shop]:
    """Register a merchant with its stores; every store gets its owner, its clerks and its sticker."""
    asked = {
        "name": plan.name,
        "invoice_number": plan.invoice_number,
        "payout_account": plan.payout_account,
        "store": plan.stores[0].request(),
    }
    merchant = (await office.planner.ask("/merchants", asked)).done()
    registered = [(merchant["store_id"], merchant["store_code"])]
    for store in plan.stores[1:]:
        added = (await office.planner.ask(f"/merchants/{merchant['merchant_id']}/stores", store.request())).done()
        registered.append((added["id"], added["code"]))
    owner = Clerk(stage, f"owner{first_index}@shop.example", f"店主 {first_index}")
    shops = []
    for place, (store_id, code) in enumerate(registered):
        index = first_index + place
        body = owner.new_account() | {"role": "owner"}
        (await office.planner.ask(f"/stores/{store_id}/members", body)).must_succeed()
        clerks = await _appoint_clerks(stage, owner, store_id, index, 2 if plan.stores[place].weight >= BUSY else 1)
        emvco = (await owner.look(f"/stores/{store_id}/emvco")).text
        texts = (store_url(PUBLIC_URL, code), emvco, code)
        shops.append(Shop(index, plan.stores[place], store_id, merchant["merchant_id"], code, owner, clerks, texts))
        stage.happened("store")
    return shops


async def refuse_bad_account(stage: Stage, office: Office, plan: MerchantPlan) -> None:
    """A branch that no bank has is found before anything is registered."""
    wrong = {
        "type": "bank",
        "bank_code": "0138",
        "branch_code": "999",
        "kind": "1",
        "number": "1234567",
        "holder": "ホシミ",
    }
    body = {"name": plan.name, "payout_account": wrong, "store": plan.stores[0].request()}
    (await office.planner.ask("/merchants", body)).must_be_refused("branch_unknown")
    stage.happened("refused: unknown branch")


async def _appoint_clerks(stage: Stage, owner: Clerk, store_id: str, index: int, count: int) -> tuple[Clerk, ...]:
    clerks = tuple(Clerk(stage, f"clerk{index}-{turn}@shop.example", f"店員 {index}-{turn}") for turn in range(count))
    for clerk in clerks:
        body = clerk.new_account() | {"role": "clerk"}
        (await owner.ask(f"/stores/{store_id}/members", body)).must_succeed()
    return clerks
