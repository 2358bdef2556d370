"""Take a payment by the customer's code; give it back; the day's list and sums. Never who paid."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import AtCounter, Till
from infra.http.context import Context, Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.strict import AmountYen, Answer, Body, Day, Reason, ScannedText
from services.campaigns.programme import ProgrammeClosed
from services.kit.clock import civil_date
from services.kit.db import Tx
from services.merchants.at_till import OwnStore, StoreSuspended
from services.payments import read, refund
from services.payments.order import PayAtRegister, PayByCode
from services.payments.pay_code import PayCodeClock, PayCodeExpired, PayCodeForged, PayCodeMalformed
from services.payments.payment import (
    CancelTooLate,
    Mode,
    NothingToCancel,
    PayCodeUsed,
    RefundTooLate,
    RefundTooMuch,
    ReturnReceipt,
)
from services.payments.tap import TapNeeded
from services.payments.velocity import VelocityReached
from services.wallets.spend import DayLimitReached, PaymentLimitReached, PointsMissing
from services.wallets.wallet import DeviceBlocked, DeviceUnknown, NewPhoneLimit, WalletSuspended

routes = router("payments")


class PaymentRequest(Body):
    """The code on the customer's phone, and what the clerk typed."""

    pay_code: ScannedText = Field(description="The scanned text; it works once, within 60 seconds.")
    amount_yen: AmountYen


class CancelRequest(Body):
    reason: Reason


class RefundRequest(Body):
    """Part or all of what is left of a payment."""

    amount_yen: AmountYen
    reason: Reason


class ReceiptAnswer(Answer):
    """What the store keeps of a payment."""

    payment_id: UUID
    number: str
    store_code: str
    store_name: str
    mode: str = Field(description="`cpm`: the customer's code; `mpm`: the store's; `till`: the register's.")
    amount_yen: int
    paid_at: datetime


class PaymentLine(Answer):
    """A payment as its store sees it."""

    id: UUID
    number: str
    mode: str
    amount_yen: int
    returned_yen: int = Field(description="What has gone back of it, by cancel or refunds.")
    paid_at: datetime
    taken_by: UUID | None = Field(description="The account of the staff who took it; null where the customer paid.")
    register_id: UUID | None = Field(description="The register, where somebody had signed in at one.")


class ReturnLine(Answer):
    """A cancel or a refund."""

    id: UUID
    number: str
    kind: str
    amount_yen: int
    reason: str
    effective_at: datetime
    acted_by: UUID = Field(description="The account of the staff who gave it back.")
    register_id: UUID | None


class PaymentAnswer(PaymentLine):
    returns: list[ReturnLine]


class PaymentsAnswer(Answer):
    """One page of a day, newest first; ask on with `after` = `next` until that is null."""

    day: date
    payments: list[PaymentLine]
    next: UUID | None


class ReturnAnswer(Answer):
    """What was given back, at once, to the lots that it came from."""

    return_id: UUID
    number: str
    payment_number: str
    kind: str
    amount_yen: int
    left_yen: int = Field(description="What may still be refunded.")
    returned_at: datetime


class TotalsAnswer(Answer):
    """A civil day of the store; cancels and refunds count on the day on which they were made."""

    day: date
    payments: int
    paid_yen: int
    cancels: int
    cancelled_yen: int
    refunds: int
    refunded_yen: int


_BY_STAFF = frozenset({Mode.CPM, Mode.CARD})
"""In other ways the customer pays, and who that is no store learns."""


@dataclass(frozen=True)
class _Asked:
    store_id: UUID
    account_id: UUID
    day: date


@dataclass(frozen=True)
class _Page:
    asked: _Asked
    after: UUID | None
    limit: int


@routes.post(
    "/stores/{store_id}/payments",
    status_code=201,
    responses=refuses(
        PayCodeMalformed,
        PayCodeForged,
        PayCodeExpired,
        PayCodeClock,
        PayCodeUsed,
        TapNeeded,
        DeviceUnknown,
        DeviceBlocked,
        WalletSuspended,
        StoreSuspended,
        OwnStore,
        ProgrammeClosed,
        PointsMissing,
        PaymentLimitReached,
        NewPhoneLimit,
        VelocityReached,
        DayLimitReached,
    ),
)
async def take_payment(store_id: UUID, body: PaymentRequest, token: Till, command: Command) -> ReceiptAnswer:
    """Take a payment by the code on the customer's phone."""
    by, code = token.account_id, body.pay_code.strip()
    asked: PayByCode | PayAtRegister = PayByCode(by, store_id, code, body.amount_yen)
    if token.register_id is not None:
        asked = PayAtRegister(by, store_id, code, body.amount_yen, token.register_id)
    return ReceiptAnswer.of(await command.pay(token, "store.pay", asked))


@routes.get("/stores/{store_id}/payments")
async def list_payments(
    store_id: UUID,
    token: AtCounter,
    here: Here,
    day: Day | None = None,
    after: UUID | None = None,
    limit: PageSize = 500,
) -> PaymentsAnswer:
    """A day's payments, newest first; today unless `day` says another."""
    asked = _asked(here, store_id, token.account_id, day)
    found = await here.database.transact(_list, _Page(asked, after, limit))
    shown, following = paged(found, limit, lambda each: each.payment.id)
    return PaymentsAnswer(day=asked.day, payments=[PaymentLine(**_line(each)) for each in shown], next=following)


@routes.get("/stores/{store_id}/payments/{payment_id}")
async def get_payment(store_id: UUID, payment_id: UUID, token: AtCounter, here: Here) -> PaymentAnswer:
    """One payment, with what has gone back of it."""
    asked = (store_id, token.account_id, payment_id)
    found = await here.database.transact(_find, asked)
    return PaymentAnswer(**_line(found), returns=[ReturnLine.of(each) for each in found.returns])


@routes.post(
    "/stores/{store_id}/payments/{payment_id}/cancel",
    status_code=201,
    responses=refuses(CancelTooLate, NothingToCancel),
)
async def cancel_payment(
    store_id: UUID, payment_id: UUID, body: CancelRequest, token: AtCounter, command: Command
) -> ReturnAnswer:
    """Take a whole payment back on the day that it was made."""
    asked = refund.Cancel(token.account_id, store_id, payment_id, body.reason, token.register_id)
    return ReturnAnswer.of(await command.perform(token.account_id, "store.cancel", refund.cancel, asked, ReturnReceipt))


@routes.post(
    "/stores/{store_id}/payments/{payment_id}/refunds",
    status_code=201,
    responses=refuses(RefundTooMuch, RefundTooLate),
)
async def refund_payment(
    store_id: UUID, payment_id: UUID, body: RefundRequest, token: AtCounter, command: Command
) -> ReturnAnswer:
    """Give back part or all of a payment; several times, up to what was paid."""
    by = token.account_id
    asked = refund.Refund(by, store_id, payment_id, body.amount_yen, body.reason, token.register_id)
    return ReturnAnswer.of(await command.perform(token.account_id, "store.refund", refund.refund, asked, ReturnReceipt))


@routes.get("/stores/{store_id}/totals")
async def get_totals(store_id: UUID, token: AtCounter, here: Here, day: Day | None = None) -> TotalsAnswer:
    """A day's sums; today unless `day` says another."""
    return TotalsAnswer.of(await here.database.transact(_totals, _asked(here, store_id, token.account_id, day)))


def _asked(here: Context, store_id: UUID, account_id: UUID, day: date | None) -> _Asked:
    return _Asked(store_id, account_id, day or civil_date(here.clock.now()))


def _line(found: read.StorePayment) -> dict[str, Any]:
    payment = found.payment
    return {
        "id": payment.id,
        "number": payment.number,
        "mode": payment.mode.value,
        "amount_yen": payment.amount_yen,
        "returned_yen": found.returned_yen,
        "paid_at": payment.effective_at,
        "taken_by": payment.acted_by if payment.mode in _BY_STAFF else None,
        "register_id": payment.register_id,
    }


async def _list(tx: Tx, page: _Page) -> list[read.StorePayment]:
    asked, limit = page.asked, page.limit + 1
    return await read.payments_of_day(tx, asked.store_id, asked.account_id, asked.day, after=page.after, limit=limit)


async def _find(tx: Tx, asked: tuple[UUID, UUID, UUID]) -> read.StorePayment:
    return await read.payment_of_store(tx, *asked)


async def _totals(tx: Tx, asked: _Asked) -> read.DayTotals:
    return await read.day_totals(tx, asked.store_id, asked.account_id, asked.day)
