"""Pay what is plain in one statement; everything else is left to `pay`, which decides and words it.

Law: see `tables.at_speed`. Here only what needs no table is looked at: whether a pay code is whole,
signed by a key that is known already, and alive at the deed's instant.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from services.kit.db import Tx
from services.kit.errors import Refusal
from services.kit.waiting import DonePlainly, Waiting
from services.payments.order import Order, PayByCode, PayStore
from services.payments.pay import NUMBER_LENGTH, NUMBER_PREFIX
from services.payments.pay_code import peek_device, peek_use, verify_registered
from services.payments.payment import must_be_amount
from services.payments.tables import at_speed
from services.payments.tables.at_speed import PlainRow
from services.wallets.wallet import NEVER_LIMITED_YEN


async def pay_plainly(tx: Tx, named: Sequence[Waiting[Order]], keys: Mapping[UUID, str]) -> DonePlainly:
    """The answers of those that were paid, whose deeds are stored as well, and what was told of known ids.

    `keys` are the public keys of phones that are known, as JSON.
    """
    ids = tx.new_ids(len(named))
    numbers = tx.new_dated_numbers(NUMBER_PREFIX, NUMBER_LENGTH, len(named))
    tried = []
    for n, each in enumerate(named):
        row = _row(tx, n, each, keys, ids[n], numbers[n])
        if row is not None:
            tried.append(row)
    answers: dict[int, str] = {}
    known: dict[int, tuple[bytes, str]] = {}
    if tried:
        for n, told_for, told in await at_speed.pay_plainly(tx, tried, tx.now.isoformat().replace("+00:00", "Z")):
            if told_for is None:
                answers[n] = told
            else:
                known[n] = (told_for, told)
    return DonePlainly(answers, known)


def _row(
    tx: Tx, n: int, named: Waiting[Order], keys: Mapping[UUID, str], payment_id: UUID, number: str
) -> PlainRow | None:
    """The order as the statement takes it; None for what is not plain already by its form."""
    order = named.command
    if order.amount_yen is not None and order.amount_yen > NEVER_LIMITED_YEN:
        return None  # it may be more than a new phone pays, which the statement does not ask
    deed = (named.account_id, named.key, named.fingerprint.hex())
    new = (payment_id, number, named.session_id)
    try:
        if isinstance(order, PayStore) and order.store_code.isalnum():
            must_be_amount(order.amount_yen)
            return PlainRow(n, *deed, order.wallet_id, order.store_code, order.amount_yen, *new)
        if isinstance(order, PayByCode):
            must_be_amount(order.amount_yen)
            wallet_id, device_id, code_id = _payer(tx, order, keys)
            phones = (order.store_id, device_id, code_id)
            return PlainRow(n, *deed, wallet_id, None, order.amount_yen, *new, *phones)
    except (Refusal, KeyError):
        return None
    return None


def _payer(tx: Tx, order: PayByCode, keys: Mapping[UUID, str]) -> tuple[UUID, UUID, UUID]:
    """Wallet, phone and the code's use. Raises KeyError for an unknown phone, and what is wrong with the code."""
    device_id = peek_device(order.pay_code)
    code = verify_registered(order.pay_code, keys[device_id], tx.now)
    return code.wallet_id, device_id, peek_use(order.pay_code)
