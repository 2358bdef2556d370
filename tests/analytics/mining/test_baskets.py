from collections import defaultdict
from fractions import Fraction
from itertools import combinations
from math import ceil, nan
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.frames import FrameUnfit
from analytics.mining.baskets import basket_rules, store_pairs
from analytics.mining.refusals import OutOfRange
from tests.analytics.mining.world import START, any_spending, kept, pay, spending


def _baskets(data: pd.DataFrame, kind: str) -> list[set[str]]:
    content: dict[Any, set[str]] = defaultdict(set)
    for _, _, who, shop, day, _ in kept(data):
        part = {"resident": 0, "resident_month": (day.year, day.month), "resident_day": day}[kind]
        content[who, part].add(shop)
    return list(content.values())


@settings(max_examples=12, deadline=None)
@given(data=any_spending(), kind=st.sampled_from(["resident", "resident_month", "resident_day"]))
def test_pairs_are_counted_as_a_plain_loop_counts_them(data: pd.DataFrame, kind: str) -> None:
    expected: dict[tuple[str, str], int] = defaultdict(int)
    for basket in _baskets(data, kind):
        for pair in combinations(sorted(basket), 2):
            expected[pair] += 1
    found = store_pairs(data, kind)
    assert dict(zip(zip(found["store"], found["other"], strict=True), found["baskets"], strict=True)) == expected


@settings(max_examples=12, deadline=None)
@given(
    data=any_spending(),
    kind=st.sampled_from(["resident", "resident_day"]),
    support=st.fractions("1/10", 1, max_denominator=10),
    confidence=st.fractions("1/10", 1, max_denominator=10),
)
def test_the_rules_are_all_and_only_those_that_meet_both_thresholds(
    data: pd.DataFrame, kind: str, support: Fraction, confidence: Fraction
) -> None:
    baskets = _baskets(data, kind)

    def held(stores: set[str]) -> int:
        return sum(stores <= basket for basket in baskets)

    expected = set()
    for size in (2, 3):
        for members in combinations("ABCD", size):
            both = held(set(members))
            for other in members:
                rest = set(members) - {other}
                if both and both >= support * len(baskets) and both >= confidence * held(rest):
                    expected.add((" ".join(sorted(rest)), other, both))
    rules = basket_rules(data, support, confidence, kind)
    assert set(rules[["stores", "other", "baskets"]].itertuples(index=False, name=None)) == expected


def _exact_tie() -> pd.DataFrame:
    """100 residents: A is used by 90 of them and B by 63 of these, so that A leads to B in exactly 7 of 10."""
    return spending(
        *[pay(i, i, "A", START) for i in range(90)],
        *[pay(100 + i, i, "B", START) for i in range(63)],
        *[pay(300 + i, i, "C", START) for i in range(90, 100)],
    )


@pytest.mark.parametrize("threshold", [Fraction(7, 10), 0.7])
def test_a_rule_that_meets_its_thresholds_exactly_is_kept(threshold: Fraction) -> None:
    rules = basket_rules(_exact_tie(), Fraction(63, 100), threshold)
    assert ("A", "B") in set(rules[["stores", "other"]].itertuples(index=False, name=None))
    above = basket_rules(_exact_tie(), Fraction(63, 100), Fraction(7, 10) + Fraction(1, 10**15))
    assert ("A", "B") not in set(above[["stores", "other"]].itertuples(index=False, name=None))


@pytest.mark.parametrize(("count", "number"), [(7, 25), (15, 29), (29, 35), (21, 38)])
def test_a_support_that_floats_round_upwards_is_met_exactly(count: int, number: int) -> None:
    """In floating point count / number * number is a little more than count, and its ceiling one more."""
    assert ceil(count / number * number) > count
    both = [pay(1000 * place + i, i, shop, START) for place, shop in enumerate("AB") for i in range(count)]
    others = [pay(5000 + i, 5000 + i, "C", START) for i in range(number - count)]
    data = spending(*both, *others)
    assert len(basket_rules(data, Fraction(count, number), Fraction(1))) == 2
    assert len(basket_rules(data, Fraction(count, number) + Fraction(1, 10**9), Fraction(1))) == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"minimum_support": Fraction(0)},
        {"minimum_confidence": Fraction(3, 2)},
        {"minimum_support": float("nan")},
        {"minimum_support": float("inf")},
        {"minimum_confidence": "half"},
        {"minimum_confidence": None},
        {"basket": "year"},
        {"largest": 1},
    ],
    ids=str,
)
def test_what_cannot_be_asked_is_refused(asked: dict[str, Any]) -> None:
    usual: dict[str, Any] = {"minimum_support": Fraction(1, 2), "minimum_confidence": Fraction(1, 2)}
    with pytest.raises(OutOfRange):
        basket_rules(_exact_tie(), **(usual | asked))
    for fewer in (0, nan):
        with pytest.raises(OutOfRange):
            store_pairs(_exact_tie(), minimum_baskets=fewer)  # type: ignore[arg-type]  # nan: what a frame's own mean may be


def test_sets_of_stores_that_would_read_alike_are_refused_and_other_spaces_are_not() -> None:
    apart = [pay(1, 1, "A B", START), pay(2, 1, "C", START), pay(3, 1, "D", START)]
    found = basket_rules(spending(*apart), Fraction(1, 2), Fraction(1, 2))
    assert "A B C" in set(found["stores"])
    alike = [pay(4, 2, "A", START), pay(5, 2, "B C", START), pay(6, 2, "D", START)]
    with pytest.raises(FrameUnfit) as refused:
        basket_rules(spending(*apart, *alike), Fraction(1, 2), Fraction(1, 2))
    assert refused.value.params == {"frame": "spending", "column": "store", "problem": "read_alike"}
