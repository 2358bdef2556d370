"""Right requests about who residents are: proofs, the register, second proofs."""

from infra.access.callers import Caller
from services.residency.sign_in_service import secrets_of
from services.wallets.card import card_token
from tests.access.requests import WHY, Ask, is_right, plain
from tests.access.stage import StagedTown, wallet_of
from tests.access.stage_residents import LETTER_CODE, REFERENCE, REGISTER
from tests.http_town import town_keys

SEEN = {"name": "星野 光", "kana": "ほしの ひかる", "birth_date": "1960-07-07", "postal_code": "254-0045"}


@is_right("wallet GET /wallets/{wallet_id}/residency")
async def _own(town: StagedTown, caller: Caller) -> Ask:
    return Ask(f"/wallets/{wallet_of(town.stage, caller).wallet.id}/residency")


@is_right("wallet POST /wallets/{wallet_id}/residency/letter")
async def _letter(town: StagedTown, caller: Caller) -> Ask:
    body = {"name": SEEN["name"], "birth_date": SEEN["birth_date"], "code": LETTER_CODE}
    return Ask(f"/wallets/{wallet_of(town.stage, caller).wallet.id}/residency/letter", body)


@is_right("wallet POST /wallets/{wallet_id}/residency/service")
async def _go(town: StagedTown, caller: Caller) -> Ask:
    return Ask(f"/wallets/{wallet_of(town.stage, caller).wallet.id}/residency/service")


@is_right("wallet POST /wallets/{wallet_id}/residency/service/{attempt_id}")
async def _come_back(town: StagedTown, caller: Caller) -> Ask:
    attempt_id = town.stage.attempt_id
    body = {"state": secrets_of(town_keys().code_key, attempt_id).state, "code": SEEN["name"]}
    return Ask(f"/wallets/{wallet_of(town.stage, caller).wallet.id}/residency/service/{attempt_id}", body)


plain(
    "city GET /wallets/{number}/residency",
    lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}/residency", params=WHY),
)
plain(
    "city POST /wallets/{number}/residency",
    lambda town: Ask(
        f"/wallets/{town.stage.resident.wallet.number}/residency", SEEN | {"evidence": "driving licence"}, 201
    ),
)
plain("city POST /register", lambda _: Ask("/register", None, 201, content=REGISTER.encode(), media_type="text/csv"))
plain(
    "city POST /districts",
    lambda _: Ask(
        "/districts", None, 201, content="postal_code,district\n254-0045,見附台\n".encode(), media_type="text/csv"
    ),
)
plain("city POST /register/letters", lambda _: Ask("/register/letters", {"references": []}, 201))
plain("city GET /residency-claims", lambda _: Ask("/residency-claims"))


plain(
    "city POST /register/letters/file",
    lambda _: Ask("/register/letters/file", {"references": [REFERENCE]} | WHY),
)
plain(
    "city GET /residency-claims/{claim_id}",
    lambda town: Ask(f"/residency-claims/{town.stage.claim_id}", params=WHY),
)
plain(
    "city POST /residency-claims/{claim_id}/decision",
    lambda town: Ask(f"/residency-claims/{town.stage.claim_id}/decision", {"decision": "same_person"} | WHY),
)
plain(
    "city POST /card-holders",
    lambda _: Ask("/card-holders", SEEN | {"name": "月野 花", "kana": "つきの はな", "evidence": "passport"}, 201),
)
plain(
    "city POST /wallets/{number}/cards",
    lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}/cards", {"pin": "1470"} | WHY, 201),
)
plain(
    "city POST /cards/{number}/status",
    lambda town: Ask(f"/cards/{town.stage.card.number}/status", {"status": "frozen"} | WHY),
)
plain(
    "city POST /cards/{number}/pin",
    lambda town: Ask(f"/cards/{town.stage.card.number}/pin", {"pin": "1470"} | WHY),
)
plain(
    "city POST /cards/{number}/limits",
    lambda town: Ask(
        f"/cards/{town.stage.card.number}/limits",
        {"without_pin_yen": 0, "payment_yen": 500, "day_yen": None} | WHY,
    ),
)
for _asked, _more in {"balance": {}, "history": {}, "pin": {"new_pin": "2580"}, "limits": {"day_yen": 30_000}}.items():
    plain(
        f"wallet POST /cards/{_asked}",
        lambda town, asked=_asked, more=_more: Ask(  # type: ignore[misc]
            f"/cards/{asked}", {"number": town.stage.card.number, "pin": "2580"} | more
        ),
    )
plain(
    "merchant POST /stores/{store_id}/card-payments",
    lambda town: Ask(
        f"/stores/{town.stage.shop.id}/card-payments",
        {"card": card_token(town_keys().code_key, town.stage.card.number, town.stage.card.card_id), "amount_yen": 10},
        201,
    ),
)
