"""A register's code with the amount in it: made, shown, asked about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fastapi import Response
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import AtCounter
from infra.http.context import Context, Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.pictures import qr_svg
from infra.http.strict import AmountYen, Answer, Body
from merchant_api.codes import Svg, emvco, origin
from merchant_api.stores import AtStore, own_store
from services.kit.db import Tx
from services.merchants.at_till import StoreSuspended
from services.merchants.shops import Store
from services.payments import read
from services.payments.payment import TillCode
from services.payments.qr import till_url
from services.payments.till import MakeTillCode, make_till_code

routes = router("till-codes")


class TillCodeRequest(Body):
    amount_yen: AmountYen


class TillCodeAnswer(Answer):
    """A code that asks for exactly this amount; it pays once, before it expires."""

    id: UUID
    number: str = Field(description="What a customer without a camera types.")
    amount_yen: int
    url: str = Field(description="The text of the code; show it as a QR symbol.")
    emvco: str = Field(description="The same as an EMVCo merchant-presented text.")
    expires_at: datetime
    payment_id: UUID | None = Field(description="Its payment, once there is one.")


@dataclass(frozen=True)
class _Found:
    code: TillCode
    store: Store
    payment_id: UUID | None


@routes.post("/stores/{store_id}/till-codes", status_code=201, responses=refuses(StoreSuspended))
async def create_till_code(
    store_id: UUID, body: TillCodeRequest, token: AtCounter, here: Here, command: Command
) -> TillCodeAnswer:
    """Make a code with the amount in it, for five minutes."""
    asked = MakeTillCode(token.account_id, store_id, body.amount_yen, token.register_id)
    code = await command.perform(token.account_id, "store.till_code", _make, asked, TillCode)
    store = (await here.database.transact(own_store, AtStore(store_id, token.account_id), direct=True)).store
    return _answer(here, _Found(code, store, None))


@routes.get("/stores/{store_id}/till-codes/{till_code_id}")
async def get_till_code(store_id: UUID, till_code_id: UUID, token: AtCounter, here: Here) -> TillCodeAnswer:
    """Whether a register's code has been paid."""
    asked = (AtStore(store_id, token.account_id), till_code_id)
    return _answer(here, await here.database.transact(_find, asked))


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
        payment_id=found.payment_id,
    )


async def _make(tx: Tx, command: MakeTillCode) -> TillCode:
    """The code alone is what the deed keeps: who works for the store is not in it."""
    return (await make_till_code(tx, command)).code


async def _find(tx: Tx, asked: tuple[AtStore, UUID]) -> _Found:
    at, till_code_id = asked
    store = await own_store(tx, at)
    code, paid = await read.till_code_of(tx, at.store_id, at.account_id, till_code_id)
    return _Found(code, store.store, paid.payment.id if paid else None)
