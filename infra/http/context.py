"""What the endpoints of one city work with: made at the door, handed to every app."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request

from infra.http.bearers import Bearers
from infra.http.rates import Rates
from services.identity.bulk_reading import RECOMMENDED as LOOK_LIMITS
from services.identity.bulk_reading import LookLimits
from services.identity.passwords import RECOMMENDED, PasswordCost
from services.identity.ports import MailPort, SmsPort
from services.identity.tokens import TokenKeys
from services.kit.clock import Clock
from services.kit.db import Database
from services.kit.deeds import Deeds
from services.payments.desk import PaymentDesk
from services.residency.sign_in_service import SignInService
from services.wallets.card import CITY_LIMITS, CardLimits
from services.wallets.care import MOST_CARED_FOR
from services.wallets.checkout import CheckoutPort

EMVCO_GUID = "jp.example.tanabata"
"""Our globally unique id in EMVCo codes; an installation uses its own reverse domain."""


class InsightPort(Protocol):
    """Answers questions about the city's figures; what they look like, `analytics.desk.messages` says."""

    # Any: analytics stand above what all APIs share, so their words cannot be named here.
    async def ask(self, asked: Any) -> Any: ...

    async def chart(self, asked: Any) -> Any: ...

    async def store(self, asked: Any) -> Any: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Context:
    """One city's database, clock, ports and secrets.

    `public_url` is where people reach the platform; it is printed in QR codes. `docs` False
    hides the OpenAPI documents. `new_phone_limit_yen` is what a new phone pays at once, for a day.
    `code_key` seals one-time codes, the turns of refresh tokens
    follow from `session_key`; `webhook_secret` (`whsec_…`) is
    the checkout channel's. `infra.keys` makes and keeps them.
    """

    database: Database
    deeds: Deeds
    payments: PaymentDesk
    clock: Clock
    tokens: TokenKeys
    bearers: Bearers
    code_key: bytes = field(repr=False)
    session_key: bytes = field(repr=False)
    webhook_secret: str = field(repr=False)
    sms: SmsPort
    mail: MailPort
    checkout: CheckoutPort
    public_url: str
    docs: bool = True
    password_cost: PasswordCost = RECOMMENDED
    sign_in_service: SignInService | None = None
    """The government's; None where the installation is not connected to it."""
    insight: InsightPort | None = None
    """None where nothing is evaluated."""
    new_phone_limit_yen: int = 10_000
    rates: Rates = field(default_factory=Rates)
    look_limits: LookLimits = LOOK_LIMITS
    """How many people one of the city's accounts may look at."""
    most_cared_for: int = MOST_CARED_FOR
    """How many people one person may care for."""
    card_limits: CardLimits = CITY_LIMITS


def context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _here(request: Request) -> Context:
    return context_of(request)  # FastAPI runs what is not async on a thread, which costs more than the rest


Here = Annotated[Context, Depends(_here)]
