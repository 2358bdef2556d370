"""One person with two wallets, and the two officers who make them one; all of it over HTTP."""

from dataclasses import dataclass
from typing import Any

from services.identity.people import Role
from tests.http_town import Client, HttpTown, done
from tests.town import Resident, Shop

WHY = {"evidence": "identity_document", "reason": "came with both phones"}


@dataclass
class TwoWallets:
    """`other` is closed, `kept` stays; both are one person's."""

    town: HttpTown
    kept: Resident
    other: Resident
    shop: Shop

    def as_kept(self) -> Client:
        return self.town.as_resident(self.kept)

    async def ask(self, **more: Any) -> Any:
        return await ask(self.town, self.other, self.kept, **more)

    async def propose(self) -> dict[str, Any]:
        return done(await self.ask(), 201)

    async def approve(self, proposed: dict[str, Any]) -> Any:
        approver = await self.town.as_staff(Role.APPROVER)
        path = f"/changes/{proposed['change_id']}/approval"
        return await approver.command(path, {"fingerprint": proposed["fingerprint"]})

    async def merge(self) -> None:
        done(await self.approve(await self.propose()), 201)

    async def shown(self, proposed: dict[str, Any]) -> dict[str, Any]:
        officer = await self.town.as_staff(Role.APPROVER)
        found: dict[str, Any] = done(await officer.get(f"/changes/{proposed['change_id']}"))["merge"]
        return found


async def ask(town: HttpTown, closed: Resident, into: Resident, **more: Any) -> Any:
    officer = await town.as_staff(Role.OFFICER)
    said = {"closed": closed.wallet.number, "into": into.wallet.number}
    return await officer.command("/merges", said | WHY | more)


async def two_wallets(town: HttpTown, *, kept: int = 1, other: int = 1) -> TwoWallets:
    """Units that each wallet has bought."""
    found = TwoWallets(town, await town.resident(), await town.resident(), await town.shop())
    for who, units in ((found.kept, kept), (found.other, other)):
        if units:
            await town.buy(who, units)
    return found
