"""What a scanned or typed code is, before anybody pays: whose store, what sum."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import PUBLIC, Resident
from infra.http.context import EMVCO_GUID, Context, Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, ScannedText, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.kit.db import Tx
from services.kit.errors import Refusal
from services.kit.numbers import NumberMistyped, parse_number
from services.merchants.at_till import StoreAtTill, StoreUnknown
from services.payments import payment, read
from services.payments.emvco import (
    EmvcoChecksum,
    EmvcoMalformed,
    EmvcoRepeatedId,
    EmvcoTooLong,
    EmvcoTruncated,
    EmvcoValue,
)
from services.payments.pay_code import PayCodeMalformed
from services.payments.payment import TillCodeUnknown
from services.payments.qr import (
    STORE_PREFIX,
    CodeForeign,
    CodeUnknown,
    PayCode,
    StoreCode,
    TillCode,
    recognise,
)
from wallet_api.wallets import Mine, wallet_in_hand

routes = router("codes")

CODE_REFUSALS: tuple[type[Refusal], ...] = (
    CodeUnknown,
    CodeForeign,
    StoreUnknown,
    TillCodeUnknown,
    PayCodeMalformed,
    *NUMBER_REFUSALS,
    EmvcoTooLong,
    EmvcoTruncated,
    EmvcoMalformed,
    EmvcoRepeatedId,
    EmvcoChecksum,
    EmvcoValue,
)
"""What a scanned or typed code may be refused with, wherever it is read."""


class StoreAnswer(Answer):
    """A store as its customers see it."""

    code: str = Field(description="The number on its sticker.")
    name: str
    store_class: str = Field(description="`large` or `small`: some purses are for small stores only.")
    accepting: bool = Field(description="False while the store is suspended.")


class CodeText(Body):
    """What the camera read, or what a person typed."""

    text: ScannedText


class CodeAnswer(Answer):
    """A code that can be paid; show the store's name before paying."""

    kind: Literal["store", "till"] = Field(description="`till`: a register's code, with the amount in it.")
    code: str = Field(description="The number to send as `code` when paying.")
    store: StoreAnswer
    amount_yen: int | None = Field(description="Null where the payer types the amount.")
    expires_at: datetime | None = Field(description="When a register's code ends.")
    used: bool = Field(description="Whether a register's code has paid already.")


class AskedAnswer(Answer):
    """A sum that a register asks of this wallet; pay `code` to say yes."""

    code: str = Field(description="The number to send as `code` when paying.")
    store: StoreAnswer
    amount_yen: int
    expires_at: datetime


class AskedAnswers(Answer):
    """Newest first. Show the store's name and the sum, and let the person decide."""

    asked: list[AskedAnswer]


@dataclass(frozen=True)
class _Found:
    kind: Literal["store", "till"]
    code: str
    store: StoreAtTill
    amount_yen: int | None = None
    expires_at: datetime | None = None
    used: bool = False


@routes.get("/stores/{code}", dependencies=[PUBLIC], responses=refuses(StoreUnknown, *NUMBER_REFUSALS))
async def get_store(code: ShortText, here: Here) -> StoreAnswer:
    """The store behind the number on a sticker."""
    number = parse_number(code, prefix=STORE_PREFIX)
    return StoreAnswer.of(await here.database.transact(read.store_by_code, number, single=True))


@routes.post("/codes", responses=refuses(*CODE_REFUSALS))
async def recognise_code(body: CodeText, _token: Resident, here: Here) -> CodeAnswer:
    """Say what a code is; a code of another payment service is called by its name."""
    return CodeAnswer.of(await here.database.transact(_look_up, read_code(body.text, here), direct=True))


@routes.get("/wallets/{wallet_id}/till-codes")
async def list_asked(wallet_id: UUID, token: Resident, here: Here) -> AskedAnswers:
    """What registers ask of this wallet now: its code was scanned, and the sum needs a yes on the phone."""
    found = await here.database.transact(_asked, Mine(wallet_id, token.account_id), direct=True)
    return AskedAnswers(
        asked=[
            AskedAnswer(
                code=code.number,
                store=StoreAnswer.of(store),
                amount_yen=code.amount_yen,
                expires_at=code.expires_at,
            )
            for store, code in found
        ]
    )


def read_code(text: str, context: Context) -> StoreCode | TillCode:
    """The store's or the register's code in what was scanned or typed.

    Raises CodeForeign, CodeUnknown (also for a resident's own pay code, which pays nobody here),
    and the refusals of numbers and EMVCo codes.
    """
    address = urlsplit(context.public_url)
    try:
        found = recognise(text, f"{address.scheme}://{address.netloc}", EMVCO_GUID)
    except CodeUnknown:
        found = _typed(text)
    if isinstance(found, PayCode):
        raise CodeUnknown
    return found


def _typed(text: str) -> StoreCode | TillCode:
    """A number as a person types it. A slip is told as such; what is no number stays unknown."""
    try:
        number = parse_number(text)
    except NumberMistyped:
        raise
    except Refusal as error:
        raise CodeUnknown from error
    if number.startswith(STORE_PREFIX):
        return StoreCode(number)
    return TillCode(parse_number(number, prefix="T"))


async def _asked(tx: Tx, mine: Mine) -> list[tuple[StoreAtTill, payment.TillCode]]:
    return await read.asked_of(tx, await wallet_in_hand(tx, mine))


async def _look_up(tx: Tx, code: StoreCode | TillCode) -> _Found:
    if isinstance(code, StoreCode):
        return _Found("store", code.number, await read.store_by_code(tx, code.number))
    store, till, used = await read.till_code_by_number(tx, code.number)
    return _Found("till", till.number, store, till.amount_yen, till.expires_at, used)
