"""A register's code with the amount in it: made, shown or asked of one customer's phone, asked about."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from fastapi import Response
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import AtCounter
from infra.http.context import Context, Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.pictures import qr_svg
from infra.http.strict import AmountYen, Answer, Body, ScannedText
from merchant_api.codes import Svg, emvco, origin
from merchant_api.stores import AtStore, own_store
from services.kit.db import Tx
from services.merchants.at_till import OwnStore, StoreSuspended
from services.merchants.shops import Store
from services.payments import read
from services.payments.pay_code import PayCodeClock, PayCodeExpired, PayCodeForged, PayCodeMalformed
from services.payments.payment import PayCodeUsed, TillCode
from services.payments.qr import till_url
from services.payments.till import MakeTillCode, make_till_code
from services.payments.velocity import Velocity, VelocityReached
from services.wallets.wallet import DeviceBlocked, DeviceUnknown, NewPhoneLimit, WalletSuspended

routes = router("till-codes")


class TillCodeRequest(Body):
    """What is to be paid, and the customer's scanned code where their phone is to be asked."""

    amount_yen: AmountYen
    pay_code: ScannedText | None = Field(
        default=None,
        description="The customer's code: store and sum appear on their phone, and nobody else pays. It stays unused.",
    )


class TillCodeAnswer(Answer):
    """A code that asks for exactly this amount; it pays once, before it expires."""

    id: UUID
    number: str = Field(description="What a customer without a camera types.")
    amount_yen: int
    url: str = Field(description="The text of the code; show it as a QR symbol.")
    emvco: str = Field(description="The same as an EMVCo merchant-presented text.")
    expires_at: datetime
    asks_phone: bool = Field(description="Whether one customer's phone is asked; then show the code to nobody.")
    payment_id: UUID | None = Field(description="Its payment, once there is one.")


@dataclass(frozen=True)
class _Made:
    """What the deed keeps of a code: neither whose phone is asked nor who works for the store is in it."""

    id: UUID
    number: str
    amount_yen: int
    expires_at: datetime
    asks_phone: bool


@dataclass(frozen=True)
class _Found:
    code: _Made
    store: Store
    payment_id: UUID | None


@routes.post(
    "/stores/{store_id}/till-codes",
    status_code=201,
    responses=refuses(
        StoreSuspended,
        PayCodeMalformed,
        PayCodeForged,
        PayCodeExpired,
        PayCodeClock,
        PayCodeUsed,
        DeviceUnknown,
        DeviceBlocked,
        WalletSuspended,
        OwnStore,
        NewPhoneLimit,
        VelocityReached,
    ),
)
async def create_till_code(
    store_id: UUID, body: TillCodeRequest, token: AtCounter, here: Here, command: Command
) -> TillCodeAnswer:
    """Make a code with the amount in it, for five minutes; or ask a customer's phone for it, in the same time."""
    scanned = None if body.pay_code is None else body.pay_code.strip()
    asked = MakeTillCode(token.account_id, store_id, body.amount_yen, token.register_id, scanned)
    make = partial(_make, velocity=here.payments.velocity)
    code = await command.perform(token.account_id, "store.till_code", make, asked, _Made)
    store = (await here.database.transact(own_store, AtStore(store_id, token.account_id), direct=True)).store
    return _answer(here, _Found(code, store, None))


@routes.get("/stores/{store_id}/till-codes/{till_code_id}")
async def get_till_code(store_id: UUID, till_code_id: UUID, token: AtCounter, here: Here) -> TillCodeAnswer:
    """Whether a register's code has been paid."""
    asked = (AtStore(store_id, token.account_id), till_code_id)
    return _answer(here, await here.database.transact(_find, asked, direct=True))


@routes.get("/stores/{store_id}/till-codes/{till_code_id}/qr.svg", response_class=Svg)
async def get_till_code_svg(store_id: UUID, till_code_id: UUID, token: AtCounter, here: Here) -> Response:
    """The register's code for a customer display."""
    found = await here.database.transact(_find, (AtStore(store_id, token.account_id), till_code_id))
    return Svg(qr_svg(till_url(origin(here), found.code.number)))


def _answer(here: Context, found: _Found) -> TillCodeAnswer:
    code = found.code
    return TillCodeAnswer(
        id=code.id,
        number=code.number,
        amount_yen=code.amount_yen,
        url=till_url(origin(here), code.number),
        emvco=emvco(found.store, code.amount_yen, code.number),
        expires_at=code.expires_at,
        asks_phone=code.asks_phone,
        payment_id=found.payment_id,
    )


async def _make(tx: Tx, command: MakeTillCode, *, velocity: Velocity) -> _Made:
    return _for_the_store((await make_till_code(tx, command, velocity)).code)


def _for_the_store(code: TillCode) -> _Made:
    return _Made(code.id, code.number, code.amount_yen, code.expires_at, code.wallet_id is not None)


async def _find(tx: Tx, asked: tuple[AtStore, UUID]) -> _Found:
    at, till_code_id = asked
    store = await own_store(tx, at)
    code, paid = await read.till_code_of(tx, at.store_id, at.account_id, till_code_id)
    return _Found(_for_the_store(code), store.store, paid.payment.id if paid else None)
