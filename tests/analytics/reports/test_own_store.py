"""A store sees its own month to the yen, and of others a rounded median that it can take nothing out of."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

import pytest

from analytics.desk.messages import StoreFigure, StoreQuestion, StoreTold
from analytics.lake.lake import InMemory
from analytics.reports.own_store import FIGURES, OF_PEOPLE, own_store, rounded
from tests.analytics.hand import frame, on

APRIL = date(2026, 4, 1)
MAY = datetime(2026, 5, 1, tzinfo=UTC)
Rows = list[dict[str, Any]]


def paid(store: str, each_yen: int, people: Iterable[int] = range(1, 11), day: int = 6) -> Rows:
    return [{"store": store, "resident": who, "amount_yen": each_yen, "at": on(day, 12, who % 60)} for who in people]


def shops(*codes: str, merchant: str | None = None) -> Rows:
    return [{"store": code, "merchant": merchant or f"M-{code}"} for code in codes]


OTHERS = {"B": 1010, "C": 1020, "D": 1040, "E": 1330, "F": 1500}
NEIGHBOURS = [row for store, yen in OTHERS.items() for row in paid(store, yen)]


def told(spending: Rows, stores: Rows, store: str = "A", known: datetime = MAY) -> StoreTold:
    with InMemory({"spending": frame("spending", spending), "stores": frame("stores", stores)}, known) as source:
        return own_store(source, StoreQuestion(store, APRIL))


def medians(answer: StoreTold) -> dict[str, Any]:
    return {each.measure: each.median for each in answer.figures}


def own(answer: StoreTold) -> dict[str, Any]:
    return {each.measure: each.own for each in answer.figures}


def reasons(answer: StoreTold) -> dict[str, tuple[str | None, str | None]]:
    return {each.measure: (each.own_withheld, each.median_withheld) for each in answer.figures}


def test_a_store_sees_its_own_sales_by_day_and_hour_to_the_yen() -> None:
    back = {"store": "A", "resident": 1, "amount_yen": -7, "kind": "refund", "payment": 1, "at": on(9, 8)}
    outside = {"store": "A", "at": "2026-05-01T00:00+09:00"}
    answer = told([*paid("A", 101), *paid("A", 50, range(1, 3), day=7), back, outside], shops("A"))
    assert answer.days == [("2026-04-06", 1010), ("2026-04-07", 100), ("2026-04-09", -7)]
    assert answer.hours == [(8, -7), (12, 1110)]
    assert own(answer) == {
        "sales": 1103,
        "payments": 12,
        "average_payment": 1103 / 12,
        "active_residents": 10,
        "repeat_share": 0.2,
        "new_customers": 10,
    }


def test_the_median_of_five_other_merchants_stands_beside_it_to_two_digits() -> None:
    answer = told([*paid("A", 400), *NEIGHBOURS], shops("A", *OTHERS))
    assert answer.likeness == "category_class_district_size"
    assert median(OTHERS.values()) == 1040
    assert medians(answer) == {
        "sales": 10_000,
        "payments": 10,
        "average_payment": 1000.0,
        "active_residents": 10,
        "repeat_share": 0.0,
        "new_customers": 10,
    }
    assert reasons(answer) == dict.fromkeys(FIGURES, (None, None))


def test_nothing_that_the_asking_merchant_sells_is_in_the_median() -> None:
    """Else it would be found by selling more or less, and looking again."""
    beside = shops("A2", merchant="M-A")
    little = told([*paid("A", 1), *paid("A2", 1), *NEIGHBOURS], shops("A", *OTHERS) + beside)
    much = told([*paid("A", 99_000), *paid("A2", 99_000), *NEIGHBOURS], shops("A", *OTHERS) + beside)
    assert medians(little) == medians(much)
    assert medians(little)["sales"] == 10_000


@pytest.mark.parametrize("missing", [shops("F", merchant="M-E"), shops("F", merchant="M-A"), []])
def test_under_five_other_merchants_there_is_no_median(missing: Rows) -> None:
    answer = told([*paid("A", 400), *NEIGHBOURS], shops("A", "B", "C", "D", "E") + missing)
    assert (answer.likeness, set(medians(answer).values())) == (None, {None})
    assert reasons(answer) == dict.fromkeys(FIGURES, (None, "few_similar"))


def test_a_store_where_few_people_paid_is_in_no_median() -> None:
    few = [row for row in NEIGHBOURS if (row["store"], row["resident"]) != ("F", 10)]
    assert set(medians(told([*paid("A", 400), *few], shops("A", *OTHERS))).values()) == {None}


def test_a_chain_among_the_neighbours_does_not_tell_its_figure() -> None:
    """Nine stores of one merchant among thirteen would make the median that merchant's own."""
    chain = {f"K{n}": 3000 + n for n in range(9)}
    spending = [*paid("A", 400), *NEIGHBOURS, *(row for code, yen in chain.items() for row in paid(code, yen))]
    answer = told(spending, [*shops("A", *OTHERS), *shops(*chain, merchant="M-K")])
    assert medians(answer)["sales"] == rounded(10 * (1040 + 1330) / 2, "sales"), (
        "of five merchants and the chain as one"
    )


def test_by_the_size_of_ones_own_store_nobody_reads_off_the_stores_one_by_one() -> None:
    """A window about one's own size would tell one store after the other, by its edge."""
    sizes = {f"S{n:02d}": 10 + 3 * n for n in range(30)}
    spending = [row for code, size in sizes.items() for row in paid(code, 1000 * size + 1, range(1, size + 1))]
    seen = set()
    for mine in range(10, 400, 60):
        answer = told([*spending, *paid("A", 1, range(1, mine + 1))], shops("A", *sizes))
        seen.add((answer.likeness, *medians(answer).values()))
    assert len(seen) <= 3, "the bands from 4 and from 64 on, and the category"


def test_of_a_month_that_is_not_over_no_median_is_told() -> None:
    """A figure that grows day by day would tell what each day added."""
    last_evening = datetime(2026, 4, 30, 14, 59, tzinfo=UTC)
    answer = told([*paid("A", 400), *NEIGHBOURS], shops("A", *OTHERS), known=last_evening)
    assert reasons(answer) == dict.fromkeys(FIGURES, (None, "month_open"))
    assert own(answer)["sales"] == 4000


def test_how_nine_people_came_back_is_not_told() -> None:
    answer = told([*paid("A", 400, range(1, 10)), *NEIGHBOURS], shops("A", *OTHERS))
    withheld = {each.measure for each in answer.figures if each.own_withheld == "few_customers"}
    assert withheld == OF_PEOPLE
    assert {each.measure for each in answer.figures if each.own is None} == OF_PEOPLE


def test_a_store_that_nobody_paid_has_zeros_and_one_that_is_not_known_no_neighbours() -> None:
    answer = told(NEIGHBOURS, shops(*OTHERS), store="Z")
    assert (answer.days, answer.hours, answer.likeness) == ([], [], None)
    assert answer.figures[0] == StoreFigure("sales", 0, None, None, "few_similar")
    assert own(answer)["average_payment"] is None


@pytest.mark.parametrize("people", [1, 9])
def test_where_every_store_has_few_people_there_is_no_median_and_not_one_of_nothing(people: int) -> None:
    few = [row for store, yen in OTHERS.items() for row in paid(store, yen, range(1, people + 1))]
    answer = told([*paid("A", 400, range(1, people + 1)), *few], shops("A", *OTHERS))
    assert answer.likeness is None
    assert set(medians(answer).values()) == {None}


def test_a_month_in_which_a_store_only_gave_back_is_told() -> None:
    back = {"store": "B", "resident": 1, "amount_yen": -7, "kind": "refund", "payment": 1, "at": on(9, 8)}
    rows = [*paid("A", 400, range(1, 3)), back]
    assert own(told(rows, shops("A", "B")))["sales"] == 800
    answer = told(rows, shops("A", "B"), store="B")
    assert own(answer) == dict.fromkeys(FIGURES, 0) | {"sales": -7, "average_payment": None, "repeat_share": None}
    assert set(medians(answer).values()) == {None}
