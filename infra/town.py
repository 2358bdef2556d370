"""One city put together in a process: the three APIs, the local ports, the pages.

The server, simulations and tests build the same thing; they differ in clock, entropy and where
the sandbox keeps its state.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Lifespan

from city_api.app import PREFIX as CITY
from city_api.app import create_city_api
from infra.http.bearers import Bearers
from infra.http.context import Context, InsightPort
from infra.http.door import Door
from infra.http.edge import Edge
from infra.http.problems import on_http_exception, on_refusal
from infra.http.rates import Rates
from infra.keys import Keys, keys_for
from infra.ports.outbox import LocalOutbox
from infra.ports.outgoing import outgoing
from infra.ports.pages import pages
from infra.ports.sandbox_checkout import SandboxCheckout
from merchant_api import hot as merchant_hot
from merchant_api.app import PREFIX as MERCHANT
from merchant_api.app import create_merchant_api
from services.identity.bulk_reading import RECOMMENDED as LOOK_LIMITS
from services.identity.bulk_reading import LookLimits
from services.identity.passwords import RECOMMENDED, PasswordCost
from services.kit.db import Database
from services.kit.deeds import Deeds
from services.kit.errors import Refusal
from services.kit.micro_batch import MOST_TOGETHER
from services.payments.desk import PaymentDesk
from services.payments.tap import USUAL_LIMITS, PayingLimits
from services.residency.sign_in_service import SignInService
from services.wallets.card import CITY_LIMITS, CardLimits
from services.wallets.care import MOST_CARED_FOR
from wallet_api import hot as wallet_hot
from wallet_api.app import PREFIX as WALLET
from wallet_api.app import SECONDS, create_wallet_api

PAGE_SECONDS = 15.0


@dataclass(frozen=True)
class Town:
    """What was put together; `app` serves everything, `outbox` and `checkout` play the outside world.

    `plain` serves everything too, without the fast door before it. `jobs` is the database as the
    city's API and the platform's own jobs use it.
    """

    app: Door
    plain: Starlette
    context: Context
    jobs: Database
    outbox: LocalOutbox
    checkout: SandboxCheckout


def build_town(
    database: Database,
    keys: Keys,
    *,
    jobs: Database | None = None,
    public_url: str,
    state: Path | None = None,
    docs: bool = True,
    local_pages: bool = True,
    plain_payments: bool = False,
    password_cost: PasswordCost = RECOMMENDED,
    sign_in_service: SignInService | None = None,
    new_phone_limit_yen: int = 10_000,
    rates: Rates | None = None,
    look_limits: LookLimits = LOOK_LIMITS,
    paying: PayingLimits = USUAL_LIMITS,
    most_cared_for: int = MOST_CARED_FOR,
    card_limits: CardLimits = CITY_LIMITS,
    lifespan: Lifespan[Any] | None = None,
    insight: InsightPort | None = None,
) -> Town:
    """A town on a database, with its clock and entropy.

    `jobs` is the same database with the limits of jobs; None shares one. `state` is the sandbox checkout's file; None
    keeps it in memory. Without `local_pages` nobody reads the outbox or pays at the sandbox. `plain_payments` makes
    each payment a transaction.
    """
    outbox, carrier = LocalOutbox(database.clock), _Carrier(public_url)
    together, secure = 1 if plain_payments else MOST_TOGETHER, public_url.startswith("https:")
    checkout = _sandbox(database, keys, public_url, state, carrier)
    context = Context(
        database=database,
        deeds=Deeds(database),
        payments=PaymentDesk(database, most_together=together, limits=paying),
        clock=database.clock,
        tokens=(tokens := keys_for(keys, public_url)),
        bearers=Bearers(tokens),
        code_key=keys.code_key,
        session_key=keys.session_key,
        webhook_secret=keys.webhook_secret,
        sms=outbox,
        mail=outbox,
        checkout=checkout,
        public_url=public_url,
        docs=docs,
        password_cost=password_cost,
        sign_in_service=sign_in_service,
        new_phone_limit_yen=new_phone_limit_yen,
        rates=rates or Rates(),
        insight=insight,
        look_limits=look_limits,
        most_cared_for=most_cared_for,
        card_limits=card_limits,
    )
    city = replace(context, database=(slow := jobs or database), deeds=Deeds(slow))
    elsewhere = _elsewhere(pages(outbox, checkout) if local_pages else [], secure=secure)
    plain = carrier.app = _apps(context, city, elsewhere, lifespan)
    door = Door(plain, context, [wallet_hot.hot(context), merchant_hot.hot()], seconds=SECONDS, secure=secure)
    return Town(door, plain, context, slow, outbox, checkout)


def _sandbox(
    database: Database, keys: Keys, public_url: str, state: Path | None, carrier: "_Carrier"
) -> SandboxCheckout:
    return SandboxCheckout(
        path=state,
        public_url=public_url,
        secret=keys.webhook_secret,
        clock=database.clock,
        deliver=carrier.deliver,
    )


def _apps(context: Context, city: Context, elsewhere: Starlette, lifespan: Lifespan[Any] | None) -> Starlette:
    """The three APIs, and what is none."""
    plain = Starlette(
        routes=[
            Mount(WALLET, create_wallet_api(context)),
            Mount(MERCHANT, create_merchant_api(context)),
            Mount(CITY, create_city_api(city)),
            Mount("/", elsewhere),
        ],
        lifespan=lifespan,
    )
    # A path that no mount takes (one with a line break in it) is answered like any other that does not exist.
    plain.router.default = elsewhere
    return plain


def _elsewhere(routes: list[Route], *, secure: bool) -> Starlette:
    """Everything that is no API: the local pages if there are any, and problems for what does not exist."""
    handlers = {Refusal: on_refusal, HTTPException: on_http_exception}
    edge = Middleware(Edge, seconds=PAGE_SECONDS, secure=secure)
    app = Starlette(routes=routes, middleware=[edge], exception_handlers=handlers)
    app.router.redirect_slashes = False
    return app


class _Carrier:
    """Brings the sandbox's webhooks to the platform's own door, through the whole of HTTP but the wire."""

    app: ASGIApp

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    async def deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with outgoing([self._public_url], transport=transport, base_url=self._public_url) as client:
            answer = await client.post(f"{WALLET}/checkout/webhook", content=body, headers=dict(headers))
        return answer.status_code
