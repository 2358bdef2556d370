"""A mother with points, her daughter who cares for her by a code, and their shop; all of it over HTTP."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from infra.phone import SandboxPhone
from services.residency.prove import AtTheCounter
from services.wallets.care import WORDS
from services.wallets.open_at_counter import NOBODY_YET, open_at_counter
from services.wallets.wallet import Wallet
from tests.http_town import Client, HttpTown, done
from tests.town import OFFICER, Resident, Shop

CONSENT = {"words": WORDS, "carer_name": "娘の花子"}


@dataclass
class Family:
    """`care_id` is the daughter's care for her mother."""

    town: HttpTown
    mother: Resident
    daughter: Resident
    shop: Shop
    care_id: str

    @property
    def wallet(self) -> str:
        return str(self.mother.wallet.id)

    def as_mother(self) -> Client:
        return self.town.as_resident(self.mother)

    def as_daughter(self) -> Client:
        return self.town.as_resident(self.daughter)

    async def pay(self, who: Client, yen: int, **options: Any) -> Any:
        """Somebody pays the shop by its code from the mother's wallet."""
        body = {"code": self.shop.code, "amount_yen": yen}
        return await who.command(f"/wallets/{self.wallet}/payments", body, **options)

    async def phone(self) -> tuple[SandboxPhone, UUID]:
        """The daughter's phone makes a key for her mother's wallet."""
        phone = SandboxPhone(self.town.entropy.take(32))
        body = {"name": "花子のスマホ", "public_jwk": phone.public_jwk()}
        made = done(await self.as_daughter().command(f"/wallets/{self.wallet}/devices", body), 201)
        return phone, UUID(made["id"])

    def code(self, phone: tuple[SandboxPhone, UUID]) -> str:
        jti = UUID(bytes=self.town.entropy.take(16), version=4)
        return phone[0].pay_code(self.mother.wallet.id, phone[1], self.town.clock.now(), jti)

    async def scan(self, code: str, yen: int) -> Any:
        body = {"pay_code": code, "amount_yen": yen}
        return await self.town.as_clerk(self.shop).command(f"/stores/{self.shop.id}/payments", body)

    async def end(self, who: Client) -> Any:
        return await who.command(f"/care/{self.care_id}/end", {})


async def code_for(client: Client, who: Resident, **more: Any) -> str:
    """The code by which somebody lets another care for them."""
    return str(done(await client.command(f"/wallets/{who.wallet.id}/care-codes", CONSENT | more), 201)["code"])


async def take(client: Client, code: str, **options: Any) -> Any:
    return await client.command("/care", {"code": code, "cared_for_name": "母"}, **options)


async def begin(town: HttpTown, cared_for: Resident, carer: Resident) -> str:
    code = await code_for(town.as_resident(cared_for), cared_for)
    return str(done(await take(town.as_resident(carer), code), 201)["id"])


async def family_of(town: HttpTown, *, units: int = 1) -> Family:
    mother, daughter, shop = await town.resident(), await town.resident(), await town.shop()
    await town.buy(mother, units)
    return Family(town, mother, daughter, shop, await begin(town, mother, daughter))


async def child_of(town: HttpTown, born_on: str) -> Wallet:
    """A child without a phone, whose wallet was opened at the counter."""
    seen = AtTheCounter(NOBODY_YET, OFFICER, "星野 空", "ほしの そら", date.fromisoformat(born_on), "254-0045", "seen")
    return await town.do(open_at_counter, seen)
