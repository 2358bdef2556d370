"""Pay stores: the hot path. Any number of payments in one transaction, each with its own outcome.

All ways end in the same deed: lock the wallets, look at the stores, choose the lots, take from them, write the
payments, post the journals; at most eight statements whatever the number, and nothing of a store is locked. The
instant of the deed decides about codes, limits, suspension and expiry alike. One payment alone is a batch of one.
"""

from collections.abc import Sequence

from services.identity.clauses import session_is_open
from services.identity.session import SessionEnded
from services.kit.db import CONSTRAINT_BROKEN, Tx, broken_constraint
from services.kit.errors import Missing, Refusal
from services.kit.posting import Kind, Sessions
from services.kit.waiting import Elsewhere
from services.ledger import post
from services.payments.agree import Agreed, agree, counter_asked
from services.payments.order import (
    Order,
    PayByCard,
    PayByCode,
    PayStore,
    PayTill,
    answer_of,
    answer_type_of,
    keys_of,
    payer_asked,
)
from services.payments.payment import (
    DeedKind,
    Leg,
    Mode,
    PartPaid,
    PayCodeUsed,
    Payment,
    Receipt,
    StoreReceipt,
    TillCodeUsed,
    by_programme,
    for_the_store,
    leg_journals,
    receipt_of,
)
from services.payments.tables import reading, writing
from services.payments.tables.writing import Made
from services.payments.velocity import USUAL, Velocity
from services.wallets import spend
from services.wallets.card import CITY_LIMITS, CardLimits
from services.wallets.hold_card import hold_card
from services.wallets.lots import Parts
from services.wallets.note_deeds import CareDeed, note_deeds
from services.wallets.spend import Spent, Want
from services.wallets.wallet import Absent, DeviceUnknown, Payer, PayerAsked

NUMBER_PREFIX, NUMBER_LENGTH = "P", 10


async def pay(
    tx: Tx, orders: Sequence[Order], alone: bool, velocity: Velocity = USUAL, tap_above_yen: int | None = None
) -> list[Receipt | Refusal | Elsewhere]:
    """Pay what can be paid; an outcome for each order, in their order. Every wallet at most once.

    An order that is `alone` in the transaction waits for its wallet's lock; otherwise, one whose wallet
    is held elsewhere is answered `Elsewhere.HELD` and nothing is done for it. Raises what breaks a constraint, and then
    nothing at all was paid.
    """
    outcomes: list[Receipt | Refusal | Elsewhere | None] = [None] * len(orders)
    asked: list[tuple[int, Order, PayerAsked]] = []
    for place, order in enumerate(orders):
        try:
            asked.append((place, order, payer_asked(order)))
        except Refusal as refusal:
            outcomes[place] = refusal
    payers = await spend.lock_payers(tx, [each[2] for each in asked], wait=alone) if asked else []
    held: list[tuple[int, Order, Payer]] = []
    for (place, order, _), payer in zip(asked, payers, strict=True):
        if isinstance(payer, Payer):
            held.append((place, order, payer))
        elif isinstance(payer, Absent):
            outcomes[place] = DeviceUnknown() if payer is Absent.DEVICE else Missing()
        else:
            outcomes[place] = payer
    counters = await reading.counters(tx, [counter_asked(order, payer) for _, order, payer in held]) if held else []
    agreed: list[tuple[int, Agreed]] = []
    for (place, order, payer), counter in zip(held, counters, strict=True):
        try:
            agreed.append((place, agree(tx, order, payer, counter, velocity, tap_above_yen)))
        except Refusal as refusal:
            outcomes[place] = refusal
    for (place, _), outcome in zip(agreed, await _settle(tx, [each for _, each in agreed], velocity), strict=True):
        outcomes[place] = outcome
    return [outcome for outcome in outcomes if outcome is not None]


async def pay_by_code(tx: Tx, command: PayByCode) -> Receipt:
    """Consumer-presented: the code works once, within its 60 seconds, at any store."""
    return await _pay_alone(tx, command)


async def pay_store(tx: Tx, command: PayStore) -> Receipt:
    """Merchant-presented with the store's own code."""
    return await _pay_alone(tx, command)


async def pay_till(tx: Tx, command: PayTill) -> Receipt:
    """Merchant-presented with a register's code, which works once and for a few minutes."""
    return await _pay_alone(tx, command)


async def pay_by_card(
    tx: Tx, command: PayByCard, velocity: Velocity = USUAL, city: CardLimits = CITY_LIMITS
) -> StoreReceipt:
    """By a printed card, held until the payment stands: nobody freezes it between the look and the deed.

    Raises CardFrozen, CardLimitReached, Missing for a card of another wallet, and what `pay` refuses with.
    """
    if await hold_card(tx, command.card_number, command.amount_yen, city) != command.wallet_id:
        raise Missing()
    return for_the_store(await _pay_alone(tx, command, velocity))


async def _pay_alone(tx: Tx, order: Order, velocity: Velocity = USUAL) -> Receipt:
    [outcome] = await pay(tx, [order], True, velocity)
    if isinstance(outcome, Refusal):
        raise outcome
    if not isinstance(outcome, Receipt):
        raise AssertionError("one order alone waits for its wallet")  # noqa: TRY004 - not a matter of types
    return outcome


async def _settle(tx: Tx, agreed: Sequence[Agreed], velocity: Velocity) -> list[Receipt | Refusal]:
    """Take the points, write the payments, post the journals."""
    if not agreed:
        return []
    wants = [Want(each.payer, each.amount_yen, each.store.store_class, each.against) for each in agreed]
    outcomes = await spend.spend(tx, wants)
    paid = [(each, spent) for each, spent in zip(agreed, outcomes, strict=True) if isinstance(spent, Spent)]
    made = _make(tx, paid)
    if made:
        await _write(tx, made, velocity)
        await _note_care(tx, [(agreed, new.payment) for (agreed, _), new in zip(paid, made, strict=True)])
    receipts = iter([_receipt(each, new.payment, spent) for (each, spent), new in zip(paid, made, strict=True)])
    return [next(receipts) if isinstance(outcome, Spent) else outcome for outcome in outcomes]


def _make(tx: Tx, paid: Sequence[tuple[Agreed, Spent]]) -> list[Made]:
    """The payments with their legs, one a programme."""
    programmes = [by_programme(spent.parts) for _, spent in paid]
    ids = iter(tx.new_ids(len(paid) + sum(map(len, programmes))))
    numbers = tx.new_dated_numbers(NUMBER_PREFIX, NUMBER_LENGTH, len(paid))
    made, kind = [], DeedKind.PAYMENT
    for (agreed, spent), number, parts_of in zip(paid, numbers, programmes, strict=True):
        payment = Payment(
            next(ids),
            number,
            agreed.payer.wallet.id,
            agreed.store.id,
            agreed.mode,
            agreed.amount_yen,
            spent.balance_after_yen,
            agreed.acted_by,
            tx.now,
            agreed.register_id,
        )
        legs = [
            Leg(next(ids), payment.id, kind, payment.id, programme_id, payment.store_id, _yen(parts), parts)
            for programme_id, parts in parts_of.items()
        ]
        turns = {part.lot_id: turn for turn, part in enumerate(spent.parts)}
        made.append(Made(payment, legs, turns, agreed.code_id))
    return made


def _yen(parts: Sequence[Parts]) -> int:
    return sum([part.total_yen for part in parts])


async def _write(tx: Tx, made: Sequence[Made], velocity: Velocity) -> None:
    try:
        await writing.insert_payments(tx, made, velocity)
    except CONSTRAINT_BROKEN as error:
        if broken_constraint(error) != "pk_code_use" or len(made) > 1:
            raise  # of several, nobody knows whose code it was: each is tried alone
        raise (TillCodeUsed() if made[0].payment.mode is Mode.TILL else PayCodeUsed()) from error
    await post.post(tx, leg_journals([leg for each in made for leg in each.legs]))


async def _note_care(tx: Tx, paid: Sequence[tuple[Agreed, Payment]]) -> None:
    """Who paid for whom; a payment that nobody made for somebody else costs nothing here."""
    by_carers = [
        CareDeed(payment.id, payment.wallet_id, agreed.payer.care) for agreed, payment in paid if agreed.payer.care
    ]
    if by_carers:
        await note_deeds(tx, "care.paid", by_carers)


def _receipt(agreed: Agreed, payment: Payment, spent: Spent) -> Receipt:
    parts = tuple(PartPaid(part.programme_id, part.lot_id, part.total_yen) for part in spent.parts)
    return receipt_of(payment, agreed.store.code, agreed.store.name, parts)


PAYMENTS: Kind[Order, Receipt] = Kind(
    pay, keys_of, answer_of, answer_type_of, sessions=Sessions(session_is_open, SessionEnded)
)
"""Payments as deeds that are posted together; a store's answer holds nothing of who paid."""
