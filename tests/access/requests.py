"""A right request for every route: right in everything but, perhaps, who sends it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from standardwebhooks import Webhook

from infra.access.callers import Caller
from infra.phone import SandboxPhone
from services.identity.request_code import RequestCode, request_code
from services.kit.numbers import display_number
from services.wallets.buy import Buy, reserve
from tests.access.stage import PASSWORD, StagedTown, wallet_of
from tests.http_town import URL, town_keys
from tests.town import CODE

JSON = "application/json"


@dataclass(frozen=True)
class Ask:
    """A request below its API's prefix, and the status of its success. `body` None: no body at all."""

    path: str
    body: Any = None
    status: int = 200
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    media_type: str = JSON

    def options(self, town: StagedTown, method: str) -> dict[str, Any]:
        """For httpx; a command has an id of its own."""
        headers = dict(self.headers)
        content = self.content
        if method == "POST":
            headers.setdefault("idempotency-key", town.new_key())
        if content is None and self.body is not None:
            content = json.dumps(self.body).encode()
        if content is not None:
            headers.setdefault("content-type", self.media_type)
        return {"headers": headers, "params": dict(self.params), "content": content}


Exemplar = Callable[[StagedTown, Caller], Awaitable[Ask]]
REQUESTS: dict[str, Exemplar] = {}

WHY = {"reason": "matters of course"}
NEW_PASSWORD = "kaze-to-nami-4096"


def is_right(route: str) -> Callable[[Exemplar], Exemplar]:
    """Registers the request of one route."""

    def register(exemplar: Exemplar) -> Exemplar:
        if route in REQUESTS:
            raise AssertionError(f"{route} has two requests")
        REQUESTS[route] = exemplar
        return exemplar

    return register


def plain(route: str, make: Callable[[StagedTown], Ask]) -> None:
    """One that is the same for every caller."""

    async def exemplar(town: StagedTown, _caller: Caller) -> Ask:
        return make(town)

    is_right(route)(exemplar)


def _wallet(route: str, make: Callable[[StagedTown], Ask]) -> None:
    """One below a wallet: the caller's own, if it ever had one, else the resident's. Written with `{wallet}`."""

    async def exemplar(town: StagedTown, caller: Caller) -> Ask:
        ask = make(town)
        path = ask.path.replace("{wallet}", str(wallet_of(town.stage, caller).wallet.id))
        return Ask(path, ask.body, ask.status, ask.params, ask.headers, ask.content, ask.media_type)

    is_right(route)(exemplar)


# --- for residents

for api in ("wallet", "merchant", "city"):
    plain(f"{api} GET /openapi.json", lambda _: Ask("/openapi.json"))

plain("wallet GET /programmes", lambda _: Ask("/programmes"))
plain("wallet GET /programmes/{code}", lambda _: Ask(f"/programmes/{CODE}"))
plain("wallet GET /stores/{code}", lambda town: Ask(f"/stores/{town.stage.shop.code}"))
plain("wallet POST /codes", lambda town: Ask("/codes", {"text": display_number(town.stage.shop.code)}))
plain("wallet GET /wallets", lambda _: Ask("/wallets"))
_wallet("wallet GET /wallets/{wallet_id}", lambda _: Ask("/wallets/{wallet}"))
_wallet("wallet GET /wallets/{wallet_id}/history", lambda _: Ask("/wallets/{wallet}/history"))
_wallet("wallet GET /wallets/{wallet_id}/devices", lambda _: Ask("/wallets/{wallet}/devices"))
_wallet("wallet GET /wallets/{wallet_id}/purchases", lambda _: Ask("/wallets/{wallet}/purchases"))


@is_right("wallet POST /sign-in/codes")
async def _code(town: StagedTown, _caller: Caller) -> Ask:
    return Ask("/sign-in/codes", {"phone": new_phone(town)}, 202)


@is_right("wallet POST /sign-in")
async def _enter(town: StagedTown, _caller: Caller) -> Ask:
    made = await town.do(request_code, RequestCode(new_phone(town), town_keys().code_key))
    return Ask("/sign-in", {"attempt_id": str(made.attempt_id), "code": made.code})


def new_phone(town: StagedTown) -> str:
    """A number that nobody has."""
    return f"080-2{int.from_bytes(town.entropy.take(4)) % 1000:03}-{int.from_bytes(town.entropy.take(4)) % 10_000:04}"


@is_right("wallet POST /checkout/webhook")
async def _webhook(town: StagedTown, _caller: Caller) -> Ask:
    """The word of a payment that was heard long ago: signed, and without a second effect."""
    unused = town.stage.unused
    data = {"checkout_id": f"checkout-{unused.id}", "purchase_id": str(unused.id), "amount_yen": unused.price_yen}
    return signed(town, {"type": "checkout.paid", "data": data})


def signed(town: StagedTown, event: Any, *, secret: str | None = None, age: float = 0) -> Ask:
    """A webhook as the channel sends it, `age` seconds ago."""
    at = town.clock.now() - timedelta(seconds=age)
    body = json.dumps(event)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret or town_keys().webhook_secret).sign("msg_1", at, body),
    }
    return Ask("/checkout/webhook", None, 204, headers=headers, content=body.encode())


def _device(town: StagedTown) -> Ask:
    phone = SandboxPhone(town.entropy.take(32))
    return Ask("/wallets/{wallet}/devices", {"name": "new phone", "public_jwk": phone.public_jwk()}, 201)


_wallet("wallet POST /wallets/{wallet_id}/devices", _device)
_wallet(
    "wallet POST /wallets/{wallet_id}/devices/{device_id}/name",
    lambda town: Ask(f"/wallets/{{wallet}}/devices/{town.stage.resident.device.id}/name", {"name": "old phone"}),
)
_wallet(
    "wallet POST /wallets/{wallet_id}/devices/{device_id}/block",
    lambda town: Ask(f"/wallets/{{wallet}}/devices/{town.stage.resident.device.id}/block"),
)
_wallet(
    "wallet GET /wallets/{wallet_id}/deeds/{key}",
    lambda town: Ask(f"/wallets/{{wallet}}/deeds/{town.stage.deed_keys['resident']}"),
)
_wallet(
    "wallet POST /wallets/{wallet_id}/purchases",
    lambda _: Ask("/wallets/{wallet}/purchases", {"programme": CODE, "units": 1}, 201),
)
_wallet("wallet GET /wallets/{wallet_id}/till-codes", lambda _: Ask("/wallets/{wallet}/till-codes"))
_wallet(
    "wallet POST /wallets/{wallet_id}/payments",
    lambda town: Ask("/wallets/{wallet}/payments", {"code": f"{URL}/S/{town.stage.shop.code}", "amount_yen": 30}, 201),
)
_wallet(
    "wallet GET /wallets/{wallet_id}/payments/{payment_id}",
    lambda town: Ask(f"/wallets/{{wallet}}/payments/{town.stage.paid.payment_id}"),
)


@is_right("wallet GET /wallets/{wallet_id}/purchases/{purchase_id}")
async def _purchase(town: StagedTown, caller: Caller) -> Ask:
    who = wallet_of(town.stage, caller)
    made = await town.do(reserve, Buy(town.stage.resident.wallet.id, town.stage.resident.account_id, CODE, 1))
    return Ask(f"/wallets/{who.wallet.id}/purchases/{made.id}")


# --- for stores


def _store(route: str, tail: str, **options: Any) -> None:
    def make(town: StagedTown) -> Ask:
        stage = town.stage
        filled = tail.format(payment=stage.paid.payment_id, till=stage.till_code_id, statement=stage.statement_id)
        return Ask(f"/stores/{stage.shop.id}{filled}", **options)

    plain(f"merchant {route}", make)


plain("merchant GET /stores", lambda _: Ask("/stores"))
_store("GET /stores/{store_id}", "")
for _picture in ("qr.svg", "qr.png", "sticker.svg", "emvco", "emvco.svg", "emvco.png"):
    _store(f"GET /stores/{{store_id}}/{_picture}", f"/{_picture}")
for _list in ("payments", "totals", "statements", "members"):
    _store(f"GET /stores/{{store_id}}/{_list}", f"/{_list}")
_store("GET /stores/{store_id}/payments/{payment_id}", "/payments/{payment}")
_store("POST /stores/{store_id}/payments/{payment_id}/cancel", "/payments/{payment}/cancel", body=WHY, status=201)
_store(
    "POST /stores/{store_id}/payments/{payment_id}/refunds",
    "/payments/{payment}/refunds",
    body={"amount_yen": 5} | WHY,
    status=201,
)
_store("POST /stores/{store_id}/till-codes", "/till-codes", body={"amount_yen": 40}, status=201)
_store("GET /stores/{store_id}/till-codes/{till_code_id}", "/till-codes/{till}")
_store("GET /stores/{store_id}/till-codes/{till_code_id}/qr.svg", "/till-codes/{till}/qr.svg")
_store("GET /stores/{store_id}/insight", "/insight", params={"month": "2026-04"}, status=409)
_store("GET /stores/{store_id}/statements/{statement_id}", "/statements/{statement}")
_store("GET /stores/{store_id}/statements/{statement_id}.txt", "/statements/{statement}.txt")


@is_right("merchant GET /stores/{store_id}/deeds/{key}")
async def _own_deed(town: StagedTown, caller: Caller) -> Ask:
    key = town.stage.deed_keys.get(caller.name, town.stage.deed_keys["clerk"])
    return Ask(f"/stores/{town.stage.shop.id}/deeds/{key}")


@is_right("merchant POST /stores/{store_id}/payments")
async def _take(town: StagedTown, _caller: Caller) -> Ask:
    body = {"pay_code": town.code_of(town.stage.resident), "amount_yen": 20}
    return Ask(f"/stores/{town.stage.shop.id}/payments", body, 201)


def _new_member(town: StagedTown) -> Ask:
    body = {"email": "new@shop.example.jp", "name": "新人", "password": NEW_PASSWORD, "role": "clerk"}
    return Ask(f"/stores/{town.stage.shop.id}/members", body, 201)


def _let_go(town: StagedTown) -> Ask:
    return Ask(f"/stores/{town.stage.shop.id}/members/{town.stage.accounts['spare clerk']}/disable", WHY)


def _wallet_of_member(town: StagedTown) -> Ask:
    body = WHY | {"wallet_number": town.stage.neighbour.wallet.number}
    return Ask(f"/stores/{town.stage.shop.id}/members/{town.stage.accounts['spare clerk']}/wallet", body)


for _api in ("merchant", "city"):
    plain(f"{_api} POST /stores/{{store_id}}/members", _new_member)
    plain(f"{_api} POST /stores/{{store_id}}/members/{{account_id}}/wallet", _wallet_of_member)
    plain(f"{_api} POST /stores/{{store_id}}/members/{{account_id}}/disable", _let_go)
    plain(
        f"{_api} POST /password", lambda _: Ask("/password", {"old_password": PASSWORD, "new_password": NEW_PASSWORD})
    )
plain(
    "merchant POST /sign-in",
    lambda town: Ask("/sign-in", {"email": town.stage.emails["owner"], "password": PASSWORD}),
)


def ids_of_payer(town: StagedTown) -> list[str]:
    """Everything by which the resident who paid could be known."""
    who = town.stage.resident
    names: list[UUID | str] = [who.account_id, who.person_id, who.wallet.id, who.device.id, who.wallet.number]
    return [str(name) for name in names] + [display_number(who.wallet.number)]
