"""Right requests about care: the resident's carer is on the stage, and a code that nobody has typed yet."""

from infra.access.callers import Caller
from services.wallets.care import WORDS
from tests.access.requests import WHY, Ask, is_right, plain
from tests.access.stage import StagedTown, wallet_of

plain("wallet GET /care/words", lambda _: Ask("/care/words"))
plain("wallet GET /care", lambda _: Ask("/care"))
plain(
    "wallet POST /care",
    lambda town: Ask("/care", {"code": town.stage.care_code, "cared_for_name": "mother"}, 201),
)
plain("wallet POST /care/{care_id}/end", lambda town: Ask(f"/care/{town.stage.care_id}/end", {}))


@is_right("wallet POST /wallets/{wallet_id}/care-codes")
async def _give(town: StagedTown, caller: Caller) -> Ask:
    path = f"/wallets/{wallet_of(town.stage, caller).wallet.id}/care-codes"
    return Ask(path, {"words": WORDS, "carer_name": "daughter"}, 201)


def _care(town: StagedTown) -> Ask:
    sides = {"carer": town.stage.neighbour.wallet.number, "cared_for": town.stage.resident.wallet.number}
    said = {"kind": "guardian", "evidence": "guardian_certificate", "carer_name": "guardian", "cared_for_name": "ward"}
    return Ask("/care", sides | said | WHY, 201)


plain("city POST /care", _care)
plain(
    "city GET /wallets/{number}/care",
    lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}/care", params=WHY),
)
plain("city POST /care/{care_id}/end", lambda town: Ask(f"/care/{town.stage.care_id}/end", WHY))


def _merge(town: StagedTown) -> Ask:
    sides = {"closed": town.stage.neighbour.wallet.number, "into": town.stage.resident.wallet.number}
    return Ask("/merges", sides | {"evidence": "identity_document"} | WHY, 201)


plain("city POST /merges", _merge)
