"""Which lots a payment takes from and a return gives back to. See docs/algorithms/allocation.md."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.money import split_in_proportion
from services.wallets.allocation import (
    Ceiling,
    IdlePurse,
    LimitReached,
    Outstanding,
    Shortfall,
    Taken,
    Unusable,
    allocate,
    give_back,
    in_spend_order,
    unusable,
)
from services.wallets.lots import Lot, Origin, Parts

NOW = datetime(2026, 4, 6, 3, tzinfo=UTC)
DAY = timedelta(days=1)
ONE, TWO = UUID(int=1), UUID(int=2)
WALLET = UUID(int=99)
BOTH, SMALL = ("large", "small"), ("small",)
PLENTY = Ceiling(10**9, 10**9)
FREE = {ONE: PLENTY, TWO: PLENTY}


def lot(
    number: int,
    paid: int = 0,
    premium: int = 0,
    *,
    programme: UUID = ONE,
    classes: tuple[str, ...] = BOTH,
    expires: datetime = NOW + 10 * DAY,
    usable_from: datetime = NOW - DAY,
    issued: datetime = NOW - DAY,
) -> Lot:
    purse = "common" if classes == BOTH else "small"
    origin = Origin.PURCHASE if paid else Origin.GRANT
    return Lot(
        UUID(int=number),
        WALLET,
        programme,
        1,
        purse,
        classes,
        origin,
        UUID(int=number + 1_000),
        paid,
        premium,
        paid,
        premium,
        10**9,
        10**9,
        issued,
        usable_from,
        expires,
        expires,
    )


LOTS = st.lists(
    st.builds(
        lot,
        st.integers(1, 10**6),
        st.integers(0, 400),
        st.integers(0, 400),
        programme=st.sampled_from([ONE, TWO]),
        classes=st.sampled_from([BOTH, SMALL]),
        expires=st.sampled_from([NOW - DAY, NOW, NOW + timedelta(microseconds=1), NOW + DAY]),
        usable_from=st.sampled_from([NOW - DAY, NOW, NOW + timedelta(microseconds=1)]),
        issued=st.sampled_from([NOW - 2 * DAY, NOW - DAY]),
    ),
    max_size=6,
    unique_by=lambda each: each.id,
)
CLASSES = st.sampled_from(["large", "small"])
AMOUNTS = st.integers(1, 2_500)
CEILINGS = st.fixed_dictionaries(
    {key: st.builds(Ceiling, st.integers(0, 1_500), st.integers(0, 1_500)) for key in (ONE, TWO)}
)


def test_spend_order_is_expiry_then_the_narrower_purse_then_the_oldest() -> None:
    late = lot(1, 5, expires=NOW + 9 * DAY, classes=SMALL, issued=NOW - 9 * DAY)
    young_small = lot(2, 5, classes=SMALL, expires=NOW + DAY, issued=NOW - DAY)
    old_small = lot(3, 5, classes=SMALL, expires=NOW + DAY, issued=NOW - 2 * DAY)
    old_common = lot(4, 5, expires=NOW + DAY, issued=NOW - 9 * DAY)
    twin = lot(5, 5, expires=NOW + DAY, issued=NOW - 9 * DAY)
    assert in_spend_order([late, twin, old_common, young_small, old_small]) == [
        old_small,
        young_small,
        old_common,
        twin,
        late,
    ]


@given(LOTS)
def test_spend_order_does_not_depend_on_how_lots_were_read(lots: list[Lot]) -> None:
    assert in_spend_order(lots) == in_spend_order(list(reversed(lots)))
    assert sorted(lots, key=lambda each: each.id) == sorted(in_spend_order(lots), key=lambda each: each.id)


@pytest.mark.parametrize(
    ("changes", "store_class", "why"),
    [
        ({}, "small", None),
        ({"expires_at": NOW}, "small", Unusable.EXPIRED),
        ({"expires_at": NOW + timedelta(microseconds=1)}, "small", None),
        ({"usable_from": NOW}, "small", None),
        ({"usable_from": NOW + timedelta(microseconds=1)}, "small", Unusable.NOT_YET),
        ({"store_classes": SMALL}, "large", Unusable.STORE_CLASS),
        ({"store_classes": SMALL}, "small", None),
        ({"store_classes": SMALL, "expires_at": NOW}, "large", Unusable.EXPIRED),
    ],
)
def test_a_lot_counts_from_its_first_instant_until_before_its_expiry_where_its_purse_is_taken(
    changes: dict[str, object], store_class: str, why: Unusable | None
) -> None:
    assert unusable(replace(lot(1, 5), **changes), store_class, NOW) is why  # type: ignore[arg-type]


def by_hand(lots: list[Lot], amount: int, store_class: str, ceilings: dict[UUID, Ceiling]) -> dict[UUID, int] | None:
    """Yen by lot, point after point: each from the first lot in order that may still give one."""
    usable = [each for each in lots if unusable(each, store_class, NOW) is None]
    room = {key: min(each.payment_yen, each.day_left_yen) for key, each in ceilings.items()}
    taken: dict[UUID, int] = {}
    for _ in range(amount):
        for each in in_spend_order(usable):
            if taken.get(each.id, 0) < each.paid_yen + each.premium_yen and room[each.programme_id] > 0:
                taken[each.id] = taken.get(each.id, 0) + 1
                room[each.programme_id] -= 1
                break
        else:
            return None
    return taken


@given(LOTS, AMOUNTS, CLASSES, CEILINGS)
def test_an_allocation_takes_exactly_the_amount_in_order_within_limits_or_says_why_not(
    lots: list[Lot], amount: int, store_class: str, ceilings: dict[UUID, Ceiling]
) -> None:
    expected = by_hand(lots, amount, store_class, ceilings)
    found = allocate(lots, amount, store_class, NOW, ceilings)
    held = {each.id: each for each in lots}
    usable_yen = sum(each.remaining_yen for each in lots if unusable(each, store_class, NOW) is None)
    match found:
        case Taken(parts):
            assert {part.lot_id: part.total_yen for part in parts} == expected
            assert [held[part.lot_id] for part in parts] == in_spend_order(held[part.lot_id] for part in parts)
            for part in parts:
                source = held[part.lot_id]
                assert (part.programme_id, part.origin) == (source.programme_id, source.origin)
                share = split_in_proportion(part.total_yen, source.paid_yen, source.premium_yen)
                assert (part.paid_yen, part.premium_yen) == share
        case Shortfall(missing_yen, idle):
            assert expected is None
            assert missing_yen == amount - usable_yen > 0
            assert sum(each.yen for each in idle) == sum(each.remaining_yen for each in lots) - usable_yen
        case LimitReached(programme_id, per_day, limit_yen):
            assert expected is None
            assert amount <= usable_yen
            ceiling = ceilings[programme_id]
            assert limit_yen == ceiling.yen
            assert per_day == (ceiling.day_left_yen < ceiling.payment_yen)


def test_one_yen_more_than_there_is_misses_one_yen() -> None:
    lots = [lot(1, 300, 90), lot(2, 10, 0)]
    assert isinstance(allocate(lots, 400, "small", NOW, FREE), Taken)
    assert allocate(lots, 401, "small", NOW, FREE) == Shortfall(1, ())


def test_a_shortfall_names_each_idle_purse_and_why_it_does_not_count() -> None:
    lots = [
        lot(1, 100),
        lot(2, 200, classes=SMALL),
        lot(3, 50, classes=SMALL),
        lot(4, 30, expires=NOW),
        lot(5, 20, usable_from=NOW + DAY, programme=TWO),
        lot(6, 0, 0, classes=SMALL, expires=NOW),
    ]
    found = allocate(lots, 1_000, "large", NOW, FREE)
    assert found == Shortfall(
        900,
        (
            IdlePurse(ONE, "common", 30, Unusable.EXPIRED),
            IdlePurse(ONE, "small", 250, Unusable.STORE_CLASS),
            IdlePurse(TWO, "common", 20, Unusable.NOT_YET),
        ),
    )


def test_a_limit_of_one_programme_moves_the_rest_to_the_next() -> None:
    lots = [lot(1, 500, programme=ONE, expires=NOW + DAY), lot(2, 500, programme=TWO)]
    found = allocate(lots, 600, "small", NOW, {ONE: Ceiling(200, 900), TWO: PLENTY})
    assert isinstance(found, Taken)
    assert [(part.programme_id, part.total_yen) for part in found.parts] == [(ONE, 200), (TWO, 400)]


def test_a_limit_says_whether_it_is_of_the_payment_or_of_the_day() -> None:
    lots = [lot(1, 500)]
    assert allocate(lots, 300, "small", NOW, {ONE: Ceiling(200, 900)}) == LimitReached(ONE, False, 200)
    assert allocate(lots, 300, "small", NOW, {ONE: Ceiling(200, 150)}) == LimitReached(ONE, True, 150)
    assert allocate(lots, 300, "small", NOW, {ONE: Ceiling(200, 0)}) == LimitReached(ONE, True, 0)


HELD = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 400), st.sampled_from([ONE, TWO])), min_size=1, max_size=6
)


def outstanding(held: list[tuple[int, int, UUID]]) -> list[Outstanding]:
    return [
        Outstanding(turn, UUID(int=turn + 1), programme, Origin.PURCHASE, paid, premium)
        for turn, (paid, premium, programme) in enumerate(held)
    ]


def after(held: list[Outstanding], parts: tuple[Parts, ...]) -> list[Outstanding]:
    back = {part.lot_id: part for part in parts}
    return [
        replace(
            each,
            paid_yen=each.paid_yen - back[each.lot_id].paid_yen,
            premium_yen=each.premium_yen - back[each.lot_id].premium_yen,
        )
        if each.lot_id in back
        else each
        for each in held
    ]


@given(HELD, st.data())
def test_returns_go_to_the_last_lot_first_and_never_above_what_it_gave(
    held: list[tuple[int, int, UUID]], data: st.DataObject
) -> None:
    taken = outstanding(held)
    total = sum(each.paid_yen + each.premium_yen for each in taken)
    amount = data.draw(st.integers(0, total))
    parts = give_back(data.draw(st.permutations(taken)), amount)
    assert sum(part.total_yen for part in parts) == amount
    turns = {each.lot_id: each for each in taken}
    assert [part.lot_id.int for part in parts] == sorted((part.lot_id.int for part in parts), reverse=True)
    for place, part in enumerate(parts):
        source = turns[part.lot_id]
        assert part.total_yen > 0
        assert 0 <= part.paid_yen <= source.paid_yen
        assert 0 <= part.premium_yen <= source.premium_yen
        last = place == len(parts) - 1
        assert last or part.total_yen == source.paid_yen + source.premium_yen


@given(HELD, st.lists(st.integers(1, 300), max_size=12))
def test_many_returns_of_everything_give_every_part_back_exactly(
    held: list[tuple[int, int, UUID]], amounts: list[int]
) -> None:
    left = outstanding(held)
    for amount in [*amounts, 10**9]:
        rest = sum(each.paid_yen + each.premium_yen for each in left)
        left = after(left, give_back(left, min(amount, rest)))
    assert all((each.paid_yen, each.premium_yen) == (0, 0) for each in left)


def test_more_is_never_given_back_than_was_taken() -> None:
    with pytest.raises(ValueError, match="more is given back"):
        give_back(outstanding([(10, 5, ONE)]), 16)
