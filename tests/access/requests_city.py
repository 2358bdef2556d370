"""Right requests for the city's routes and for the local pages."""

import json
from typing import Any

import msgspec

from infra.access.callers import Caller
from services.wallets.buy import Buy, reserve
from services.wallets.checkout import CheckoutRequest
from tests.access.requests import NEW_PASSWORD, WHY, Ask, is_right, plain
from tests.access.stage import PASSWORD, WAITING, StagedTown
from tests.http_town import URL
from tests.town import CODE, town_terms

TERMS: dict[str, Any] = json.loads(msgspec.json.encode(town_terms(name="星明かり")))
STORE = {
    "name": "星空食堂",
    "name_latin": "HOSHIZORA SHOKUDO",
    "store_class": "small",
    "mcc": "5812",
    "postal_code": "254-0045",
    "city_latin": "HOSHIMI",
}
ACCOUNT = {
    "type": "bank",
    "bank_code": "0138",
    "branch_code": "380",
    "kind": "1",
    "number": "7654321",
    "holder": "ホシゾラショクドウ",
}

# --- for the city

plain("city POST /sign-in", lambda town: Ask("/sign-in", {"email": town.stage.emails["officer"], "password": PASSWORD}))
for _path in ("/programmes", "/merchants", "/bank-files", "/proof", "/proofs", "/audit"):
    plain(f"city GET {_path}", lambda _, path=_path: Ask(path))  # type: ignore[misc]
plain("city GET /proofs/{proof_id}", lambda town: Ask(f"/proofs/{town.stage.proof_id}"))
plain("city POST /proofs", lambda _: Ask("/proofs", None, 202))
plain("city GET /measures", lambda _: Ask("/measures"))
# Who may ask is answered that there is no lake yet.
plain("city GET /measures/{name}", lambda _: Ask("/measures/sales", None, 409))
plain("city GET /insight/alerts", lambda _: Ask("/insight/alerts"))
plain(
    "city POST /insight/alerts/{alert_id}/review",
    lambda town: Ask(f"/insight/alerts/{town.stage.alert_id}/review", {"verdict": "harmless", "note": "seen"}),
)
# Who may ask is answered that behind this number stands nobody.
plain(
    "city GET /insight/alerts/{alert_id}/people/{resident}",
    lambda town: Ask(f"/insight/alerts/{town.stage.alert_id}/people/7", None, 404, WHY),
)
plain("city GET /insight/charts", lambda _: Ask("/insight/charts"))
plain("city GET /insight/charts/{name}", lambda _: Ask("/insight/charts/hours", None, 409))
for _tail in ("", "/versions", "/trial-balance", "/closes"):
    plain(f"city GET /programmes/{{code}}{_tail}", lambda _, tail=_tail: Ask(f"/programmes/{CODE}{tail}"))  # type: ignore[misc]
plain("city POST /programmes", lambda _: Ask("/programmes", {"code": "third", "terms": TERMS} | WHY, 201))
plain(
    "city POST /programmes/{code}/versions",
    lambda _: Ask(f"/programmes/{CODE}/versions", {"terms": TERMS} | WHY, 201),
)
plain(
    "city POST /programmes/{code}/versions/{version}/approval",
    lambda town: Ask(
        f"/programmes/{WAITING}/versions/1/approval", {"fingerprint": town.stage.waiting.fingerprint}, 201
    ),
)
plain(
    "city POST /programmes/{code}/closes",
    lambda _: Ask(f"/programmes/{CODE}/closes", {"closing_date": "2026-06-15"}, 201),
)
plain(
    "city POST /programmes/{code}/money-in",
    lambda _: Ask(f"/programmes/{CODE}/money-in", {"source": "channel", "amount_yen": 100}, 201),
)
plain("city GET /closes/{close_id}/statements", lambda town: Ask(f"/closes/{town.stage.close_id}/statements"))
plain("city GET /statements/{statement_id}.txt", lambda town: Ask(f"/statements/{town.stage.statement_id}.txt"))
plain(
    "city POST /merchants",
    lambda _: Ask("/merchants", {"name": "星空食堂", "payout_account": ACCOUNT, "store": STORE}, 201),
)
plain("city GET /merchants/{merchant_id}", lambda town: Ask(f"/merchants/{town.stage.shop.merchant_id}"))
plain(
    "city POST /merchants/{merchant_id}/payout-accounts",
    lambda town: Ask(f"/merchants/{town.stage.shop.merchant_id}/payout-accounts", {"payout_account": ACCOUNT}, 201),
)
plain(
    "city POST /merchants/{merchant_id}/status",
    lambda town: Ask(f"/merchants/{town.stage.shop.merchant_id}/status", {"status": "suspended"} | WHY),
)
plain(
    "city POST /merchants/{merchant_id}/stores",
    lambda town: Ask(f"/merchants/{town.stage.shop.merchant_id}/stores", STORE, 201),
)
plain(
    "city POST /stores/{store_id}/status",
    lambda town: Ask(f"/stores/{town.stage.shop.id}/status", {"status": "suspended"} | WHY),
)
plain("city GET /stores/{store_id}/members", lambda town: Ask(f"/stores/{town.stage.shop.id}/members"))
plain("city GET /wallets/{number}", lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}", params=WHY))
plain(
    "city POST /wallets/{number}/status",
    lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}/status", {"status": "suspended"} | WHY),
)

plain(
    "city GET /wallets/{number}/phones",
    lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}/phones", params=WHY),
)
plain(
    "city POST /wallets/{number}/phones/block",
    lambda town: Ask(f"/wallets/{town.stage.resident.wallet.number}/phones/block", {"identified_by": "birthday"} | WHY),
)


def _grant(town: StagedTown) -> Ask:
    body = {"programme": CODE, "wallet_number": town.stage.resident.wallet.number, "purse": "common", "points": 10}
    return Ask("/grants", body | WHY, 201)


def _grants(town: StagedTown) -> Ask:
    rows = f"wallet_number,points\n{town.stage.resident.wallet.number},10\n".encode()
    params = {"programme": CODE, "purse": "common"} | WHY
    return Ask("/grants/batches", None, 201, params, content=rows, media_type="text/csv")


plain("city POST /grants", _grant)
plain("city POST /grants/batches", _grants)
plain("city POST /purchases/{number}/undo", lambda town: Ask(f"/purchases/{town.stage.unused.number}/undo", WHY))
plain(
    "city POST /officers",
    lambda _: Ask(
        "/officers",
        {"email": "new@city.example.jp", "name": "新人", "password": NEW_PASSWORD, "roles": ["officer"]},
        201,
    ),
)
plain(
    "city POST /accounts/{account_id}/status",
    lambda town: Ask(f"/accounts/{town.stage.accounts['spare clerk']}/status", {"status": "disabled"} | WHY),
)
plain(
    "city POST /accounts/{account_id}/roles/removal",
    lambda town: Ask(f"/accounts/{town.stage.accounts['proposer']}/roles/removal", {"role": "officer"} | WHY),
)
plain(
    "city POST /accounts/{account_id}/person",
    lambda town: Ask(
        f"/accounts/{town.stage.accounts['proposer']}/person",
        {"staff_number": "A-0417", "wallet_number": town.stage.resident.wallet.number},
        201,
    ),
)
plain(
    "city POST /accounts/{account_id}/second-factor/reset",
    lambda town: Ask(f"/accounts/{town.stage.accounts['proposer']}/second-factor/reset", WHY),
)
plain(
    "city POST /bank-files",
    lambda _: Ask("/bank-files", {"programme": CODE, "transfer_date": "2026-06-22"}, 201),
)


def _file(route: str, which: str, tail: str, *, status: int = 200, body: Any = None) -> None:
    def make(town: StagedTown) -> Ask:
        file = getattr(town.stage, which)
        return Ask(f"/bank-files/{file.id}{tail}", {"sha256": file.sha256} if body == "sha256" else body, status)

    plain(f"city {route}", make)


_file("GET /bank-files/{bank_file_id}", "proposed", "")
_file("GET /bank-files/{bank_file_id}/content", "approved", "/content")
_file("POST /bank-files/{bank_file_id}/approval", "proposed", "/approval", status=201, body="sha256")
_file("POST /bank-files/{bank_file_id}/void", "proposed", "/void", body=WHY)
_file("POST /bank-files/{bank_file_id}/withdrawal", "approved", "/withdrawal", body=WHY)
_file("POST /bank-files/{bank_file_id}/sent", "approved", "/sent")
_file("POST /bank-files/{bank_file_id}/paid", "sent", "/paid")

plain("city GET /changes", lambda _: Ask("/changes"))
plain("city GET /changes/{change_id}", lambda town: Ask(f"/changes/{town.stage.change.change_id}"))
plain(
    "city POST /changes/{change_id}/approval",
    lambda town: Ask(
        f"/changes/{town.stage.change.change_id}/approval", {"fingerprint": town.stage.change.fingerprint}, 201
    ),
)
plain(
    "city POST /changes/{change_id}/withdrawal",
    lambda town: Ask(f"/changes/{town.stage.change.change_id}/withdrawal", WHY),
)

# --- the local pages

for _page in ("/", "/local.css", "/outbox"):
    plain(f"pages GET {_page}", lambda _, page=_page: Ask(page))  # type: ignore[misc]


async def _checkout(town: StagedTown) -> str:
    """A checkout that waits for its payer."""
    who = town.stage.neighbour
    town.wait(seconds=1)
    made = await town.do(reserve, Buy(who.wallet.id, who.account_id, CODE, 1))
    request = CheckoutRequest(made.id, made.price_yen, "a unit", f"{URL}/", made.reserved_until)
    return (await town.built.checkout.create(request)).checkout_id


@is_right("pages GET /sandbox/checkout/{checkout_id}")
async def _show(town: StagedTown, _caller: Caller) -> Ask:
    return Ask(f"/sandbox/checkout/{await _checkout(town)}")


@is_right("pages POST /sandbox/checkout/{checkout_id}/{choice}")
async def _decline(town: StagedTown, _caller: Caller) -> Ask:
    return Ask(f"/sandbox/checkout/{await _checkout(town)}/decline", status=303)
