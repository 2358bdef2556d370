"""Right requests for lost phones."""

from infra.access.callers import Caller
from services.identity.hashing import hash_secret
from services.identity.passwords import CHEAPEST
from services.identity.recovery import CODE_BYTES, make_code
from services.wallets.block_code import read_block_code
from services.wallets.lost_phone import KeepBlockCode, keep_block_code
from tests.access.requests import Ask, is_right, new_phone
from tests.access.stage import StagedTown, wallet_of


@is_right("wallet POST /wallets/{wallet_id}/block-code")
async def _print(town: StagedTown, caller: Caller) -> Ask:
    return Ask(f"/wallets/{wallet_of(town.stage, caller).wallet.id}/block-code", {}, 201)


@is_right("wallet POST /lost-phone")
async def _lost(town: StagedTown, _caller: Caller) -> Ask:
    """A code of a resident who has done nothing else yet."""
    who = await town.resident(new_phone(town))
    code = make_code(town.entropy.take(CODE_BYTES))
    parts = read_block_code(code)
    hashed = await hash_secret(parts.secret, CHEAPEST, town.entropy)
    await town.do(keep_block_code, KeepBlockCode(who.wallet.id, who.account_id, parts.locator, hashed))
    return Ask("/lost-phone", {"code": code})
