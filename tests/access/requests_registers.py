"""Right requests for registers and for whoever signs in at one."""

from infra.access.callers import Caller
from services.identity.passwords import CHEAPEST
from services.tills.invite_clerk import InviteClerk, invite_clerk
from services.tills.pin import invitation_code
from services.tills.register import register_token
from services.tills.use_pin import PinChosen, choose_pin
from tests.access.requests import WHY, Ask, is_right, plain
from tests.access.stage import StagedTown
from tests.http_town import town_keys

PIN = "4071"

plain("merchant GET /stores/{store_id}/registers", lambda town: Ask(f"/stores/{town.stage.shop.id}/registers"))
plain(
    "merchant POST /stores/{store_id}/registers",
    lambda town: Ask(f"/stores/{town.stage.shop.id}/registers", {"name": "2番レジ"}, 201),
)
plain(
    "merchant POST /stores/{store_id}/registers/{register_id}/revocation",
    lambda town: Ask(f"/stores/{town.stage.shop.id}/registers/{town.stage.registers['retired']}/revocation", WHY),
)
plain(
    "merchant POST /stores/{store_id}/members/{account_id}/pin-invitation",
    lambda town: Ask(f"/stores/{town.stage.shop.id}/members/{town.stage.accounts['clerk']}/pin-invitation", {}, 201),
)
plain("merchant POST /registers/staff", lambda town: Ask("/registers/staff", _shown(town)))


@is_right("merchant POST /registers/pin")
async def _choose(town: StagedTown, _caller: Caller) -> Ask:
    """Invited anew each time: an invitation works once."""
    body = {"account_id": str(town.stage.accounts["clerk"]), "code": await _invite(town), "pin": PIN}
    return Ask("/registers/pin", _shown(town) | body)


@is_right("merchant POST /registers/sign-in")
async def _sign_in(town: StagedTown, _caller: Caller) -> Ask:
    clerk_id, key = town.stage.accounts["clerk"], town_keys().code_key
    chosen = PinChosen(town.stage.registers["spare"], clerk_id, PIN, await _invite(town), key, CHEAPEST)
    await choose_pin(town.database, chosen)
    return Ask("/registers/sign-in", _shown(town) | {"account_id": str(clerk_id), "pin": PIN})


def _shown(town: StagedTown) -> dict[str, str]:
    return {"register_token": register_token(town_keys().code_key, town.stage.registers["spare"])}


async def _invite(town: StagedTown) -> str:
    stage = town.stage
    asked = InviteClerk(stage.accounts["owner"], stage.shop.id, stage.accounts["clerk"])
    made = await town.do(invite_clerk, asked)
    return invitation_code(town_keys().code_key, made.id)
