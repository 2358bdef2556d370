"""The stores' hot operation: take a payment by the customer's code, as `merchant_api.payments.take_payment` does."""

from typing import Annotated
from uuid import UUID

import msgspec

from infra.http.auth import TILL
from infra.http.hot import Hot, Order
from infra.http.strict import MAX_SCANNED
from merchant_api.app import PREFIX
from services.kit.money import MAX_AMOUNT_YEN
from services.payments.order import PayByCode


class PlainPayment(msgspec.Struct, forbid_unknown_fields=True):
    """`merchant_api.payments.PaymentRequest`."""

    pay_code: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SCANNED)]
    amount_yen: Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT_YEN)]


def hot() -> Hot[PlainPayment]:
    return Hot(f"{PREFIX}/stores/", "/payments", TILL, PlainPayment, _order)


def _order(body: PlainPayment, store_id: UUID, account_id: UUID) -> Order:
    asked = PayByCode(account_id, store_id, body.pay_code.strip(), body.amount_yen)
    return Order("store.pay", asked)
