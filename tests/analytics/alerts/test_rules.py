"""Each rule of docs/algorithms/fraud-alerts.md: what it speaks of, what it leaves alone, and what it says."""

import json
from typing import Any

import pandas as pd
import pytest

from analytics.alerts.cases import find_alerts
from analytics.alerts.findings import Findings
from analytics.alerts.relations import MEANS, RELATIONS
from analytics.frames import FrameUnfit
from tests.analytics.alerts.town import folk, ordinary, ring, ring_people
from tests.analytics.mining.world import START, frame, pay, spending

NOON = START + pd.Timedelta(days=30, hours=12)


def _found(findings: Findings, rule: str) -> dict[str, dict[str, Any]]:
    chosen = findings.alerts[findings.alerts["rule"] == rule]
    return {
        str(subject): json.loads(text) for subject, text in zip(chosen["subject"], chosen["parameters"], strict=True)
    }


def _alerts(*more: dict[str, Any], people: tuple[dict[str, Any], ...] = (), **near: pd.DataFrame) -> Findings:
    return find_alerts(spending(*ordinary(), *more), folk(*people), **near)


def test_an_ordinary_town_raises_no_alert() -> None:
    assert _alerts().alerts.empty


def test_a_ring_of_new_accounts_is_named_with_its_members_and_payments() -> None:
    findings = _alerts(*ring("S12"), people=tuple(ring_people()))
    told = _found(findings, "new_account_ring")
    assert told == {
        "store:S12": {"amount_yen": 234_000, "captives": 6, "density_percent": 100, "people": 6},
    }
    key = findings.alerts.loc[findings.alerts["rule"] == "new_account_ring", "alert"].item()
    assert findings.subjects.loc[findings.subjects["alert"] == key, "resident"].tolist() == list(range(900, 906))
    assert (findings.evidence["alert"] == key).sum() == 12


def test_accounts_that_are_not_new_or_did_not_join_together_are_no_ring() -> None:
    old = _alerts(*ring("S12"), people=tuple(ring_people(joined=-60)))
    assert not _found(old, "new_account_ring")
    apart = tuple(row for place in range(6) for row in ring_people(900 + place, 1, joined=-20 + 5 * place))
    assert not _found(_alerts(*ring("S12"), people=apart), "new_account_ring")


def test_a_store_where_wallets_end_and_few_bring_most_is_named() -> None:
    findings = _alerts(*ring("S12"), people=tuple(ring_people(joined=-60)))
    drained = _found(findings, "whole_balance")
    assert drained.keys() == {"store:S12"}
    assert drained["store:S12"]["people"] == 6
    three = [pay(80_000 + n, 1 + n % 3, "S15", NOON + pd.Timedelta(days=n), 15_000) for n in range(12)]
    top = _found(_alerts(*three), "top_payers")
    assert top.keys() == {"store:S15"}
    assert top["store:S15"]["people"] == 3
    assert top["store:S15"]["share_percent"] > 50


@pytest.mark.parametrize(("parts", "spoken"), [(2, False), (3, True), (5, True)])
def test_a_purchase_in_three_parts_within_a_quarter_of_an_hour_is_split(parts: int, spoken: bool) -> None:
    rows = [pay(80_000 + n, 7, "S03", NOON + pd.Timedelta(minutes=5 * n), 2_980) for n in range(parts)]
    found = _found(_alerts(*rows), "split_payment")
    assert bool(found) == spoken
    if spoken:
        within = min(parts, 4)
        assert found["store:S03"] == {"amount_yen": 2_980 * within, "minutes": 15, "parts": within}


def test_the_window_of_a_split_runs_across_midnight_and_ends_after_its_minutes() -> None:
    late = START + pd.Timedelta(days=31) - pd.Timedelta(minutes=4)
    rows = [pay(80_000 + n, 7, "S03", late + pd.Timedelta(minutes=4 * n), 2_000) for n in range(3)]
    assert _found(_alerts(*rows), "split_payment")
    slow = [pay(80_000 + n, 7, "S03", NOON + pd.Timedelta(minutes=8 * n), 2_000) for n in range(3)]
    assert not _found(_alerts(*slow), "split_payment")


def _loop(times: int, back: int) -> list[dict[str, Any]]:
    rows = []
    for n in range(times):
        at = NOON + pd.Timedelta(days=n)
        rows.append(pay(80_000 + n, 7, "S03", at, 5_000))
        rows.append(pay(80_000 + n, 7, "S03", at + pd.Timedelta(hours=3), -back, "refund", deed=85_000 + n))
    return rows


def test_money_that_goes_round_three_times_is_a_loop() -> None:
    found = _found(_alerts(*_loop(3, 4_000)), "refund_loop")
    assert found["store:S03"]["loops"] == 3
    assert found["store:S03"]["amount_yen"] == 12_000
    assert not _found(_alerts(*_loop(2, 5_000)), "refund_loop")
    assert not _found(_alerts(*_loop(3, 3_999)), "refund_loop"), "less than four fifths is a complaint"


@pytest.mark.parametrize(
    ("times", "back", "told"),
    [
        (5, 2_500, {"half_refunds"}),
        (5, 2_499, set()),
        (4, 2_500, set()),
        (5, 3_999, {"half_refunds"}),
        (5, 4_000, {"refund_loop"}),
    ],
)
def test_five_payments_of_which_half_came_back_are_told_and_nobody_twice(times: int, back: int, told: set[str]) -> None:
    findings = _alerts(*_loop(times, back))
    assert {rule for rule in ("refund_loop", "half_refunds") if _found(findings, rule)} == told
    for rule in told:
        said = _found(findings, rule)["store:S03"]
        assert (said["loops"], said["amount_yen"]) == (5, 5 * back)


def _circle(who: int, first: int, back: int = 4_500, *, times: int = 2, kept: int = 0) -> list[dict[str, Any]]:
    """Payments of 9,000 at a store of few payers of which so many come back; `kept` others are kept."""
    rows = []
    for n in range(times + kept):
        at = NOON + pd.Timedelta(days=n, minutes=first % 60)
        rows.append(pay(first + n, who, "S19", at, 9_000))
        if n < times:
            rows.append(pay(first + n, who, "S19", at + pd.Timedelta(hours=1), -back, "refund", deed=first + 500 + n))
    return rows


def test_two_people_whose_money_goes_round_at_one_store_are_a_ring() -> None:
    people = _strangers("S19", 2)
    findings = _alerts(*_circle(people[0], 80_000), *_circle(people[1], 81_000, kept=2))
    assert _found(findings, "refund_ring") == {"store:S19": {"people": 2, "loops": 4, "amount_yen": 18_000}}
    key = findings.alerts.loc[findings.alerts["rule"] == "refund_ring", "alert"].item()
    assert findings.subjects.loc[findings.subjects["alert"] == key, "resident"].tolist() == people
    assert sorted(findings.evidence.loc[findings.evidence["alert"] == key, "payment"]) == [
        80_000,
        80_001,
        81_000,
        81_001,
    ]


def test_what_is_no_ring_of_refunds() -> None:
    one, other = _strangers("S19", 2)
    both = _circle(one, 80_000)
    assert not _found(_alerts(*both), "refund_ring"), "one person alone"
    assert not _found(_alerts(*both, *_circle(other, 81_000, times=1)), "refund_ring"), "one payment is a complaint"
    assert not _found(_alerts(*both, *_circle(other, 81_000, 4_499)), "refund_ring"), "less than a half"
    assert not _found(_alerts(*both, *_circle(other, 81_000, kept=3)), "refund_ring"), "most of hers were kept"


def test_a_store_whose_customers_return_much_is_not_held_to_what_others_return() -> None:
    """A shop for clothes: everybody takes two home and brings one back, some both."""
    people = _strangers("S19", 40)
    rows = [row for n, who in enumerate(people) for row in _circle(who, 100_000 + 1_000 * n, times=1, kept=1)]
    three = [row for n in range(3) for row in _circle(201 + n, 80_000 + 1_000 * n)]
    assert not _found(_alerts(*rows, *three), "refund_ring")
    assert _found(_alerts(*three), "refund_ring")


def _strangers(store: str, count: int) -> list[int]:
    """People who never paid at the store."""
    known = {row["resident"] for row in ordinary() if row["store"] == store}
    return [who for who in range(1, 121) if who not in known][:count]


def test_six_payments_in_a_quarter_of_an_hour_at_two_stores_are_too_fast() -> None:
    rows = [pay(80_000 + n, 7, f"S0{n % 2}", NOON + pd.Timedelta(minutes=2 * n), 300) for n in range(6)]
    assert _found(_alerts(*rows), "velocity") == {"resident:7": {"minutes": 15, "payments": 6, "stores": 2}}
    assert not _found(_alerts(*rows[:5]), "velocity")


def test_who_pays_at_night_on_three_days_is_named_by_the_clock_of_tokyo() -> None:
    def at(hour: int, days: int) -> list[dict[str, Any]]:
        return [pay(80_000 + n, 7, "S03", NOON.normalize() + pd.Timedelta(days=n, hours=hour)) for n in range(days)]

    assert _found(_alerts(*at(0, 4), *at(4, 0)), "night")["resident:7"]["payments"] == 4
    assert not _found(_alerts(*at(5, 4)), "night")
    assert not _found(_alerts(*at(3, 2)), "night")


def test_whoever_stands_near_to_a_store_and_pays_there_is_told_by_the_relation() -> None:
    near = frame(RELATIONS, [{"resident": 7, "store": "S03", "relation": r} for r in ("household", "owner")])
    findings = _alerts(pay(80_000, 7, "S03", NOON), relations=near)
    told = findings.alerts[findings.alerts["rule"] == "related_payer"]
    assert sorted(json.loads(text)["relation"] for text in told["parameters"]) == ["household", "owner"]
    assert told["alert"].nunique() == 2
    elsewhere = frame(RELATIONS, [{"resident": 999, "store": "S03", "relation": "owner"}])
    assert not _found(_alerts(relations=elsewhere), "related_payer")


def test_what_is_known_twice_of_people_doubles_no_yen_and_joins_nobody_to_themselves() -> None:
    near = frame(RELATIONS, [{"resident": 7, "store": "S03", "relation": "owner"}] * 2)
    shared = frame(MEANS, [{"resident": 7, "kind": "card", "means": 1}] * 2)
    rows, people = spending(*ordinary(), *ring("S03")), folk(*ring_people())
    for given in ((people, near, None), (people, None, shared), (pd.concat([people, people]), None, None)):
        with pytest.raises(FrameUnfit) as refused:
            find_alerts(rows, *given)
        assert refused.value.params["problem"] == "repeated"


def test_one_card_on_three_accounts_is_told_and_on_two_it_is_a_couple() -> None:
    means = frame(MEANS, [{"resident": n, "kind": "card", "means": 1} for n in (1, 2, 3)])
    assert _found(_alerts(means=means), "shared_means") == {"resident:1": {"kind": "card", "people": 3}}
    assert not _found(_alerts(means=means.iloc[:2]), "shared_means")


def _elsewhere(yen: int, size: int = 6) -> list[dict[str, Any]]:
    """What each of a ring spends at another store of its own before they meet."""
    return [
        pay(70_000 + place, 900 + place, f"S{place:02d}", START + pd.Timedelta(days=16, hours=12), yen)
        for place in range(size)
    ]


@pytest.mark.parametrize(
    ("yen", "rule"), [(16_714, "new_account_ring"), (16_715, "half_captive_ring"), (39_000, "half_captive_ring")]
)
def test_a_ring_that_lives_elsewhere_as_well_is_told_by_one_rule(yen: int, rule: str) -> None:
    """39,000 yen here are seven tenths of 55,714, and half of 78,000."""
    findings = _alerts(*ring("S12"), *_elsewhere(yen), people=tuple(ring_people()))
    rings = {name for name in ("new_account_ring", "half_captive_ring") if _found(findings, name)}
    assert rings == {rule}
    assert _found(findings, rule)["store:S12"]["people"] == 6


def test_whoever_spends_more_elsewhere_or_brings_fewer_is_no_half_captive_ring() -> None:
    more = _alerts(*ring("S12"), *_elsewhere(39_001), people=tuple(ring_people()))
    assert not _found(more, "half_captive_ring")
    five = _alerts(*ring("S12", size=5), *_elsewhere(39_000, 5), people=tuple(ring_people(size=5)))
    assert not _found(five, "half_captive_ring")


def test_a_ring_that_spreads_its_money_over_three_stores_is_beyond_these_rules() -> None:
    """The limit that docs/algorithms/fraud-alerts.md names: nobody leaves half at one store."""
    rows = []
    for place in range(6):
        for number, store in enumerate(("S11", "S12", "S13")):
            at = START + pd.Timedelta(days=20 + number, hours=12, minutes=place)
            rows.append(pay(90_000 + 10 * place + number, 900 + place, store, at, 13_000))
    findings = _alerts(*rows, people=tuple(ring_people()))
    assert not _found(findings, "new_account_ring") and not _found(findings, "half_captive_ring")
