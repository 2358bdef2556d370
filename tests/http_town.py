"""A town behind its HTTP doors: the same deeds as `tests.town`, asked for as apps ask for them."""

import asyncio
import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.commands.openapi import documents
from infra.http.problems import PROBLEM_JSON
from infra.http.tokens import new_token
from infra.keys import Keys, make_keys
from infra.town import build_town
from services.identity.bulk_reading import RECOMMENDED, LookLimits
from services.identity.hashing import hash_new_password
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.read import accounts
from services.identity.session import Carrier, Session, hash_of
from services.identity.staff import OpenCityAccount, open_city_account
from services.identity.tables.sessions import insert_session
from services.identity.tokens import Audience
from services.identity.totp import code_at, step_of
from services.kit.db import Tx
from services.payments.tap import TAP_ABOVE_YEN, PayingLimits
from services.residency.sign_in_service import Identity, Secrets
from tests.town import Resident, Shop, Town

URL = "http://localhost:8000"
WALLET, MERCHANT, CITY = "/api/wallet/v1", "/api/merchant/v1", "/api/city/v1"


@cache
def town_keys() -> Keys:
    return make_keys()


class InventedService:
    """Plays the government's sign-in service: whoever comes back is called by the code. `tests/oidc` has a real one."""

    async def address(self, secrets: Secrets) -> str:
        return f"https://sign-in.example.jp/auth?state={secrets.state}"

    async def identify(self, code: str, secrets: Secrets, now: datetime) -> Identity:
        return Identity(f"subject of {code}", code, "19600707", "神奈川県平塚市見附台1-1", "254-0045")

    def is_ours(self, address: str) -> bool:
        return address.startswith("神奈川県平塚市")


class HttpTown(Town):
    """A town with clients that are signed in; each answers like the server would, without a socket."""

    def __init__(
        self,
        engine: AsyncEngine,
        *,
        look_limits: LookLimits = RECOMMENDED,
        tap_above_yen: int = TAP_ABOVE_YEN,
        **options: Any,
    ) -> None:
        super().__init__(engine, **options)
        self.built = build_town(
            self.database,
            town_keys(),
            public_url=URL,
            password_cost=CHEAPEST,
            sign_in_service=InventedService(),
            look_limits=look_limits,
            paying=PayingLimits(tap_above_yen=tap_above_yen),
        )
        self._staff: dict[tuple[Role, ...], UUID] = {}
        self._to_open: list[tuple[UUID, UUID]] = []
        self._opening = asyncio.Lock()
        self.authenticators: dict[str, Authenticator] = {}

    def client(self, prefix: str, token: str | None = None, *, shows_factor: bool = True) -> "Client":
        """`shows_factor`: a sign-in that asks for a second factor is given it, as if it had been one request."""
        transport = httpx.ASGITransport(self.built.app, raise_app_exceptions=False)
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return Client(self, shows_factor, transport=transport, base_url=URL + prefix, headers=headers)

    def token(self, audience: Audience, account_id: UUID, *roles: Role) -> str:
        """A token of a session of its own, which is opened when a client next asks something."""
        session_id = uuid4()
        self._to_open.append((session_id, account_id))
        return new_token(self.built.context, audience, account_id, roles, session_id)

    async def open_sessions(self) -> None:
        """Open the sessions of the tokens that were given out; who asks at once waits for whoever opens them."""
        async with self._opening:
            waiting, self._to_open = self._to_open, []
            if waiting:
                await self.do(_open, waiting)

    def as_resident(self, who: Resident) -> "Client":
        return self.client(WALLET, self.token(Audience.WALLET, who.account_id, Role.RESIDENT))

    def as_clerk(self, shop: Shop) -> "Client":
        return self.client(MERCHANT, self.token(Audience.MERCHANT, shop.clerk_id, Role.MERCHANT))

    async def as_staff(self, *roles: Role) -> "Client":
        """Somebody of the city with these roles; the same account each time."""
        if roles not in self._staff:
            email = f"{'-'.join(roles)}@city.example.jp"
            secret = await hash_new_password(email, "tsuki-to-hoshi-88", CHEAPEST, self.entropy)
            opened = await self.do(open_city_account, OpenCityAccount(None, email, "職員", secret, roles))
            self._staff[roles] = opened.account_id
        return self.client(CITY, self.token(Audience.CITY, self._staff[roles], *roles))

    def account_of(self, *roles: Role) -> UUID:
        """The account behind `as_staff`."""
        return self._staff[roles]

    async def second_yes(self, proposed: dict[str, Any]) -> dict[str, Any]:
        """An approver lets a proposed change happen."""
        path, yes = f"/changes/{proposed['change_id']}/approval", {"fingerprint": proposed["fingerprint"]}
        return done(await (await self.as_staff(Role.APPROVER)).command(path, yes), 201)

    def new_key(self) -> str:
        return str(UUID(bytes=self.entropy.take(16), version=4))


async def _open(tx: Tx, waiting: list[tuple[UUID, UUID]]) -> None:
    found = await accounts(tx, [account_id for _, account_id in waiting])
    for session_id, account_id in waiting:
        if account_id in found:  # whoever has no account has no session either
            until = tx.now + timedelta(days=90)
            session = Session(session_id, Carrier.BEARER, "test", tx.now, tx.now, until)
            await insert_session(tx, session, account_id, (hash_of(b"family"), hash_of(b"turn")), until)


@dataclass
class Authenticator:
    """Somebody's authenticator app, which never shows a code twice, and their recovery codes for when it would."""

    secret: bytes
    last_step: int = 0
    recovery_codes: list[str] = field(default_factory=list)

    def code(self, now: datetime) -> str:
        """A code that is good now; of a step that no sign-in of this town has used."""
        middle = step_of(now)
        step = max(self.last_step + 1, middle - 1)
        if step > middle + 1:
            return self.recovery_codes.pop()
        self.last_step = step
        return code_at(self.secret, step)


class Client(httpx.AsyncClient):
    """A client whose commands have an id of their own unless the test gives one."""

    def __init__(self, town: HttpTown, shows_factor: bool, **options: Any) -> None:
        super().__init__(**options)
        self._town = town
        self._shows_factor = shows_factor

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        await self._town.open_sessions()
        answer = await super().send(request, **options)
        asked = request.method == "POST" and request.url.path.endswith("/sign-in") and answer.status_code == 200
        if not (asked and self._shows_factor and "attempt_id" in answer.json()):
            return answer
        return await self._show_factor(json.loads(request.content), answer.json(), request.headers)

    async def _show_factor(self, typed: dict[str, Any], asked: dict[str, Any], sent: httpx.Headers) -> httpx.Response:
        """Enrol an authenticator the first time, then show what it shows."""
        known, attempt = self._town.authenticators, {"attempt_id": asked["attempt_id"]}
        name = typed["email"].lower()
        if not asked["ways"]:
            made = done(await self.post("/sign-in/second-factor/enrolment", json=attempt))
            known[name] = Authenticator(base64.b32decode(made["secret"]))
        body = attempt | {"code": known[name].code(self._town.clock.now())}
        body |= {key: typed[key] for key in ("carrier", "earlier_refresh_token") if key in typed}
        kept = {key: sent[key] for key in ("origin", "sec-fetch-site", "x-tanabata-page", "cookie") if key in sent}
        answer = await self.post("/sign-in/second-factor", json=body, headers=kept)
        known[name].recovery_codes += answer.json().get("recovery_codes", [])
        return answer

    async def command(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> httpx.Response:
        headers = {"idempotency-key": key or self._town.new_key()} | options.pop("headers", {})
        content = options or {"json": {} if body is None else body}
        return await self.post(path, headers=headers, **content)


@cache
def operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Method, path and responses of every documented operation, the longest paths first."""
    found = []
    for name, text in documents().items():
        for path, by_method in json.loads(text)["paths"].items():
            pattern = re.compile(f"/api/{name}/v1" + re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(path)))
            found += [(method.upper(), pattern, each["responses"]) for method, each in by_method.items()]
    return sorted(found, key=lambda each: each[1].pattern.count("[^/]+"))


def documented_codes(method: str, path: str, status: int) -> list[str] | None:
    """The codes that an operation may answer with this status; None where there is no such operation."""
    for its_method, pattern, responses in operations():
        if its_method == method and pattern.fullmatch(path):
            codes: list[str] = responses.get(str(status), {}).get("x-codes", [])
            return codes
    return None


def done(answer: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The body of an answer that went well."""
    assert answer.status_code == status, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problem(answer: httpx.Response, status: int, code: str) -> Mapping[str, Any]:
    """The parameters of a problem with this status and code, which the API's document must know of."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == PROBLEM_JSON
    documented = documented_codes(answer.request.method, answer.request.url.path, status)
    assert documented is None or code in documented, f"{answer.request.method} {answer.request.url.path}: {code}"
    params: dict[str, Any] = answer.json()["params"]
    return params
