"""A declined payment as the desk explains it: what stood against it, and which refusals are kept at all.

Law: only what somebody proved to be theirs is kept under a wallet: a code that its phone has signed, an account that
acts for the wallet, a card whose symbol is ours. Codes, PINs and keys are not kept, neither is what the platform itself
was short of (a busy database). What is kept is forgotten after 90 days.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from services.campaigns.programme import ProgrammeClosed
from services.kit.errors import Refusal
from services.merchants.at_till import OwnStore, StoreSuspended, StoreUnknown
from services.payments.order import Order, PayAtRegister, PayByCard, PayByCode, PayStore
from services.payments.pay_code import PayCodeClock, PayCodeExpired, peek_device, peek_wallet
from services.payments.payment import (
    AmountDiffers,
    Mode,
    PayCodeUsed,
    TillCodeExpired,
    TillCodeUnknown,
    TillCodeUsed,
)
from services.payments.tap import TapNeeded
from services.payments.velocity import VelocityReached
from services.wallets.card import (
    CardFrozen,
    CardLimitReached,
    CardPinInvalid,
    CardPinMissing,
    CardPinThrottled,
    CardPinWrong,
)
from services.wallets.spend import DayLimitReached, PaymentLimitReached, PointsMissing
from services.wallets.wallet import DeviceBlocked, NewPhoneLimit, WalletSuspended

KEPT_FOR = timedelta(days=90)
MOST_A_DAY = 100
"""Of one wallet within 24 hours; whoever keeps knocking learns nothing more from the hundred-and-first."""

EXPLAINED: frozenset[type[Refusal]] = frozenset(
    {
        PointsMissing,
        PaymentLimitReached,
        DayLimitReached,
        NewPhoneLimit,
        VelocityReached,
        WalletSuspended,
        DeviceBlocked,
        PayCodeExpired,
        PayCodeClock,
        PayCodeUsed,
        TapNeeded,
        TillCodeUsed,
        TillCodeExpired,
        TillCodeUnknown,
        AmountDiffers,
        StoreUnknown,
        StoreSuspended,
        OwnStore,
        ProgrammeClosed,
        CardFrozen,
        CardLimitReached,
        CardPinMissing,
        CardPinInvalid,
        CardPinWrong,
        CardPinThrottled,
    }
)
"""Each has its words in `error.<code>`, and the way out in `decline.<code>`."""
BEFORE_THE_STORE: frozenset[type[Refusal]] = frozenset({CardPinMissing, CardPinInvalid, CardPinWrong, CardPinThrottled})
"""Said before it was asked whether the clerk works there: the store is not kept."""


@dataclass(frozen=True)
class Declined:
    """A refusal to be kept. The store by its id, or by its own or its register's code as it was read."""

    wallet_id: UUID
    code: str
    params: Mapping[str, object]
    mode: Mode
    amount_yen: int | None
    declined_at: datetime
    store_id: UUID | None = None
    store_code: str | None = None
    till_number: str | None = None
    device_id: UUID | None = None
    """The phone whose code it was; it has to be the wallet's."""


@dataclass(frozen=True)
class Decline:
    """A kept refusal; `params` are those of its words."""

    id: UUID
    wallet_id: UUID
    code: str
    params: Mapping[str, object] = field(repr=False)
    mode: Mode
    amount_yen: int | None
    store_id: UUID | None
    declined_at: datetime


def declined(order: Order, refusal: Refusal, now: datetime) -> Declined | None:
    """What is kept of a refused order; None for what is not."""
    if type(refusal) not in EXPLAINED:
        return None
    said = (refusal.code, dict(refusal.params))
    if isinstance(order, PayByCode | PayAtRegister):
        wallet_id, device_id = peek_wallet(order.pay_code), peek_device(order.pay_code)
        return Declined(wallet_id, *said, Mode.CPM, order.amount_yen, now, order.store_id, device_id=device_id)
    if isinstance(order, PayByCard):
        store_id = None if type(refusal) in BEFORE_THE_STORE else order.store_id
        return Declined(order.wallet_id, *said, Mode.CARD, order.amount_yen, now, store_id)
    if isinstance(order, PayStore):
        return Declined(order.wallet_id, *said, Mode.MPM, order.amount_yen, now, store_code=order.store_code)
    return Declined(order.wallet_id, *said, Mode.TILL, order.amount_yen, now, till_number=order.till_code)
