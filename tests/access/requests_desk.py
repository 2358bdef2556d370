"""Right requests for the support desk."""

from tests.access.requests import WHY, Ask, plain
from tests.access.stage import StagedTown

LOOK = {"purpose": "complaint"}
STOP = {"identified_by": "birthday"} | WHY


def _of_wallet(town: StagedTown, tail: str) -> str:
    return f"/wallets/{town.stage.resident.wallet.number}/{tail}"


plain(
    "city POST /people/search",
    lambda town: Ask(
        "/people/search", LOOK | {"by": {"type": "wallet", "wallet_number": town.stage.resident.wallet.number}}
    ),
)
plain("city GET /wallets/{number}/cards", lambda town: Ask(_of_wallet(town, "cards"), params=LOOK))
plain("city GET /wallets/{number}/declines", lambda town: Ask(_of_wallet(town, "declines"), params=LOOK))
plain("city POST /wallets/{number}/cards/freeze", lambda town: Ask(_of_wallet(town, "cards/freeze"), STOP))
plain("city POST /wallets/{number}/sign-ins/end", lambda town: Ask(_of_wallet(town, "sign-ins/end"), STOP))
plain("city GET /look-alarms", lambda _: Ask("/look-alarms"))
plain(
    "city POST /look-alarms/{alarm_id}/closing",
    lambda town: Ask(f"/look-alarms/{town.stage.alarm_id}/closing", {"note": "letters of the register"}),
)
