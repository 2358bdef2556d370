"""The vectorised books against the house's own rule. See docs/algorithms/allocation.md."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.synthetic.books import Booked, Lots, book, split
from analytics.synthetic.deeds import ALL, NONE, PAY, REFUND, Deeds
from services.kit.money import split_in_proportion
from services.wallets.allocation import Ceiling, Outstanding, Shortfall, Taken, allocate, give_back
from services.wallets.lots import Lot, Origin, Parts

PROGRAMME = UUID(int=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
FREE = {PROGRAMME: Ceiling(10**9, 10**9)}
LARGE = np.array([False, True])
CLASSES = ("small", "large")

yen = st.integers(0, 40_000)
wallets = st.lists(st.tuples(yen, yen, st.integers(0, 20)), min_size=3, max_size=3)
"""Three lots each, in the order small purse, common purse, common purse: paid, premium, usable from."""
wishes = st.lists(st.tuples(st.booleans(), st.integers(0, 1), st.integers(1, 50_000), st.integers(0, 30)), max_size=12)
"""Whether it is a return, at which store, how much, which earlier payment."""


@settings(deadline=None)
@given(st.integers(0, 10**6), yen, yen)
def test_an_amount_is_split_as_the_house_splits_it(amount: int, paid: int, premium: int) -> None:
    amount = min(amount, paid + premium)
    ours = split(np.array([amount]), np.array([paid]), np.array([premium]))
    assert (ours[0][0], ours[1][0]) == split_in_proportion(amount, paid, premium)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(wallets, wishes), min_size=1, max_size=4))
def test_many_wallets_at_once_are_booked_as_the_house_books_each(
    people: list[tuple[list[tuple[int, int, int]], list[tuple[bool, int, int, int]]]],
) -> None:
    lots = _lots([wallet for wallet, _ in people])
    deeds = _deeds([wished for _, wished in people])
    booked = book(deeds, lots, LARGE)
    for who in range(len(people)):
        _compare(who, lots, deeds, booked)


def _lots(wallets: list[list[tuple[int, int, int]]]) -> Lots:
    columns = np.array(wallets, dtype=np.int64)
    since = np.sort(columns[:, :, 2], axis=1)
    purse = np.tile(np.array([0, 1, 1]), (len(wallets), 1))
    return Lots(columns[:, :, 0], columns[:, :, 1], since, since, purse, purse == 1)


def _deeds(people: list[list[tuple[bool, int, int, int]]]) -> Deeds:
    rows: list[tuple[int, int, int, int, int, int]] = []
    for who, wished in enumerate(people):
        paid: list[int] = []
        for turn, (is_return, store, amount, which) in enumerate(wished):
            if is_return and paid:
                rows.append((who, 5 * turn, store, amount, REFUND, paid[which % len(paid)]))
            else:
                paid.append(len(rows))
                rows.append((who, 5 * turn, store, int(ALL) if amount > 45_000 else amount, PAY, NONE))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 6).T
    zero = np.zeros(len(rows), dtype=np.int64)
    who_, at, store_, yen_, kind, of = columns
    return Deeds(who_, at, store_, yen_, zero, kind, of, zero.astype(float), zero - 1)


def _compare(who: int, lots: Lots, deeds: Deeds, booked: Booked) -> None:
    """Do the deeds of one wallet by the house's functions, and compare lot by lot."""
    left = [(int(paid), int(premium)) for paid, premium in zip(lots.paid[who], lots.premium[who], strict=True)]
    outstanding: dict[int, list[Outstanding]] = {}
    for row in np.flatnonzero(deeds.resident == who):
        wanted = int(deeds.yen[row])
        if deeds.kind[row] == PAY:
            held = [_lot(slot, lots, who, parts) for slot, parts in enumerate(left)]
            parts = _paid(held, wanted, CLASSES[deeds.store[row]], START + timedelta(seconds=int(deeds.at[row])))
            outstanding[int(row)] = [
                Outstanding(turn, part.lot_id, PROGRAMME, Origin.PURCHASE, part.paid_yen, part.premium_yen)
                for turn, part in enumerate(parts)
            ]
            sign = -1
        else:
            of = int(deeds.of[row])
            wanted = min(wanted, sum(each.paid_yen + each.premium_yen for each in outstanding[of]))
            parts = give_back(outstanding[of], wanted)
            back = {part.lot_id: part for part in parts}
            outstanding[of] = [
                Outstanding(
                    each.turn,
                    each.lot_id,
                    PROGRAMME,
                    Origin.PURCHASE,
                    each.paid_yen - (back[each.lot_id].paid_yen if each.lot_id in back else 0),
                    each.premium_yen - (back[each.lot_id].premium_yen if each.lot_id in back else 0),
                )
                for each in outstanding[of]
            ]
            sign = 1
        expected = {part.lot_id.int: (part.paid_yen, part.premium_yen) for part in parts}
        for slot, (paid, premium) in enumerate(left):
            moved = expected.get(slot, (0, 0))
            assert (booked.paid[row, slot], booked.premium[row, slot]) == moved
            left[slot] = (paid + sign * moved[0], premium + sign * moved[1])
        there = lots.issued_at[who] <= deeds.at[row]
        held_after = sum(sum(parts) for parts, issued in zip(left, there, strict=True) if issued)
        assert bool(booked.emptied[row]) == (deeds.kind[row] == PAY and held_after == 0)
    assert [(int(p), int(q)) for p, q in zip(booked.left_paid[who], booked.left_premium[who], strict=True)] == left


def _paid(held: list[Lot], wanted: int, store_class: str, now: datetime) -> tuple[Parts, ...]:
    """All that is wanted, or where there is less, all that there is."""
    found = allocate(held, wanted, store_class, now, FREE)
    if isinstance(found, Shortfall):
        there = wanted - found.missing_yen
        found = allocate(held, there, store_class, now, FREE) if there else Taken(())
    assert isinstance(found, Taken)
    return found.parts


def _lot(slot: int, lots: Lots, who: int, parts: tuple[int, int]) -> Lot:
    since = START + timedelta(seconds=int(lots.usable_from[who, slot]))
    over = START + timedelta(days=100)
    classes = ("small", "large") if lots.takes_large[who, slot] else ("small",)
    return Lot(
        id=UUID(int=slot),
        wallet_id=UUID(int=9),
        programme_id=PROGRAMME,
        programme_version=1,
        purse=str(lots.purse[who, slot]),
        store_classes=classes,
        origin=Origin.PURCHASE,
        origin_id=UUID(int=8),
        paid_issued_yen=parts[0],
        premium_issued_yen=parts[1],
        paid_yen=parts[0],
        premium_yen=parts[1],
        payment_limit_yen=10**9,
        day_limit_yen=10**9,
        issued_at=since,
        usable_from=since,
        first_expires_at=over,
        expires_at=over,
    )
