"""Each rule of docs/algorithms/fraud-alerts.md: what it speaks of, what it leaves alone, and what it says."""

import json
from typing import Any

import pandas as pd
import pytest

from analytics.alerts.cases import find_alerts
from analytics.alerts.findings import Findings
from analytics.alerts.relations import MEANS, RELATIONS
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


def test_one_card_on_three_accounts_is_told_and_on_two_it_is_a_couple() -> None:
    means = frame(MEANS, [{"resident": n, "kind": "card", "means": 1} for n in (1, 2, 3)])
    assert _found(_alerts(means=means), "shared_means") == {"resident:1": {"kind": "card", "people": 3}}
    assert not _found(_alerts(means=means.iloc[:2]), "shared_means")


def test_a_ring_that_spreads_its_money_over_two_stores_is_beyond_this_rule() -> None:
    """The limit that docs/algorithms/fraud-alerts.md names: nobody leaves 70 % at one store."""
    rows = [row | {"store": "S13"} if row["emptied"] else row for row in ring("S12")]
    assert not _found(_alerts(*rows, people=tuple(ring_people())), "new_account_ring")
