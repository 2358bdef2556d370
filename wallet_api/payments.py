"""Pay a store by its code, and keep the receipts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import PayingResident, Resident
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.problems import InvalidRequest
from infra.http.strict import AmountYen, Answer, Body, ScannedText
from services.campaigns.programme import ProgrammeClosed
from services.kit.db import Tx
from services.merchants.at_till import OwnStore, StoreSuspended
from services.payments.order import PayStore, PayTill
from services.payments.payment import (
    AmountDiffers,
    Receipt,
    Return,
    TillCodeExpired,
    TillCodeUsed,
)
from services.payments.qr import StoreCode
from services.payments.read import receipt_for
from services.payments.velocity import VelocityReached
from services.wallets.spend import DayLimitReached, PaymentLimitReached, PointsMissing
from services.wallets.wallet import NewPhoneLimit, WalletSuspended
from wallet_api.codes import CODE_REFUSALS, read_code
from wallet_api.wallets import Mine, wallet_in_hand

routes = router("payments")


class PaymentRequest(Body):
    """What was scanned or typed, and the amount unless the code holds it."""

    code: ScannedText = Field(description="A scanned text, or a store's or register's number as typed.")
    amount_yen: AmountYen | None = None


class PaidPart(Answer):
    """What one lot paid, in spending order."""

    programme_id: UUID
    lot_id: UUID
    yen: int


class ReceiptAnswer(Answer):
    """What the resident keeps of a payment."""

    payment_id: UUID
    number: str
    store_code: str
    store_name: str
    mode: str = Field(description="`cpm`: your code was scanned; `mpm`: the store's; `till`: the register's.")
    amount_yen: int
    paid_at: datetime
    balance_after_yen: int
    parts: list[PaidPart]


class ReturnAnswer(Answer):
    """What came back of a payment, to the lots that it came from."""

    id: UUID
    number: str
    kind: str = Field(description="`cancel` or `refund`.")
    amount_yen: int
    reason: str
    effective_at: datetime


class PaymentAnswer(Answer):
    receipt: ReceiptAnswer
    returns: list[ReturnAnswer]


@dataclass(frozen=True)
class _OnePayment:
    mine: Mine
    payment_id: UUID


@routes.post(
    "/wallets/{wallet_id}/payments",
    status_code=201,
    responses=refuses(
        *CODE_REFUSALS,
        StoreSuspended,
        OwnStore,
        WalletSuspended,
        TillCodeUsed,
        TillCodeExpired,
        AmountDiffers,
        ProgrammeClosed,
        PointsMissing,
        PaymentLimitReached,
        NewPhoneLimit,
        VelocityReached,
        DayLimitReached,
    ),
)
async def pay_store(
    wallet_id: UUID, body: PaymentRequest, token: PayingResident, here: Here, command: Command
) -> ReceiptAnswer:
    """Pay with points, in steps of one yen."""
    code, account_id = read_code(body.code, here), token.account_id
    if not isinstance(code, StoreCode):
        till = PayTill(account_id, wallet_id, code.number, body.amount_yen)
        return ReceiptAnswer.of(await command.pay(token, "wallet.pay.till", till))
    if body.amount_yen is None:
        raise InvalidRequest(fields=[{"location": "body.amount_yen", "code": "missing"}])
    store = PayStore(account_id, wallet_id, code.number, body.amount_yen)
    return ReceiptAnswer.of(await command.pay(token, "wallet.pay.store", store))


@routes.get("/wallets/{wallet_id}/payments/{payment_id}")
async def get_payment(wallet_id: UUID, payment_id: UUID, token: Resident, here: Here) -> PaymentAnswer:
    """A receipt, with what has come back of it."""
    asked = _OnePayment(Mine(wallet_id, token.account_id), payment_id)
    receipt, returns = await here.database.transact(_find, asked)
    return PaymentAnswer(receipt=ReceiptAnswer.of(receipt), returns=[ReturnAnswer.of(each) for each in returns])


async def _find(tx: Tx, asked: _OnePayment) -> tuple[Receipt, tuple[Return, ...]]:
    return await receipt_for(tx, await wallet_in_hand(tx, asked.mine), asked.payment_id)
