"""The residents' hot operation: pay a store by its code, as `wallet_api.payments.pay_store` does."""

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

import msgspec

from infra.http.auth import RESIDENT
from infra.http.context import Context
from infra.http.hot import Hot, Order
from infra.http.strict import MAX_SCANNED
from services.kit.money import MAX_AMOUNT_YEN
from services.payments.order import PayStore, PayTill
from services.payments.qr import StoreCode, TillCode
from wallet_api.app import PREFIX
from wallet_api.codes import read_code

KNOWN_TEXTS = 4_096
"""Texts of stores that are remembered; beyond it they are forgotten all at once."""


class PlainPayment(msgspec.Struct, forbid_unknown_fields=True):
    """`wallet_api.payments.PaymentRequest`, less what is rare."""

    code: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SCANNED)]
    amount_yen: Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT_YEN)] | None = None


def hot(context: Context) -> Hot[PlainPayment]:
    """The operation over one city's context."""
    read = _remembering(context)

    def order(body: PlainPayment, wallet_id: UUID, account_id: UUID) -> Order | None:
        code = read(body.code)
        if isinstance(code, TillCode):
            till = PayTill(account_id, wallet_id, code.number, body.amount_yen)
            return Order("wallet.pay.till", till)
        if body.amount_yen is None:
            return None
        store = PayStore(account_id, wallet_id, code.number, body.amount_yen)
        return Order("wallet.pay.store", store)

    return Hot(f"{PREFIX}/wallets/", "/payments", RESIDENT, PlainPayment, order)


def _remembering(context: Context) -> Callable[[str], StoreCode | TillCode]:
    """`read_code`, which remembers the stores: their texts are few and sent all day."""
    stores: dict[str, StoreCode] = {}

    def read(text: str) -> StoreCode | TillCode:
        known = stores.get(text)
        if known is not None:
            return known
        code = read_code(text, context)
        if isinstance(code, StoreCode):
            if len(stores) >= KNOWN_TEXTS:
                stores.clear()
            stores[text] = code
        return code

    return read
