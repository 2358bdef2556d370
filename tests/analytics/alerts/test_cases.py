"""All rules together: bad input, order, keys, and how a budget is spent."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.alerts.cases import CASES, find_alerts, ranked
from analytics.alerts.excess import ODD, excess
from analytics.alerts.findings import ALERTS, EVIDENCE, RULES, SUBJECTS, Alert, findings_of
from analytics.alerts.trial import MISDEEDS, tried
from analytics.frames import RESIDENTS, SPENDING, FrameUnfit
from analytics.mining.refusals import OutOfRange
from tests.analytics.alerts.town import folk, ordinary, ring, ring_people, shuffled
from tests.analytics.mining.world import START, any_spending, frame, pay, spending
from tests.house.test_texts import LANGUAGES, placeholders, texts


def test_nothing_gives_nothing_and_a_foreign_frame_is_refused() -> None:
    findings = find_alerts(SPENDING.empty(), RESIDENTS.empty())
    for declared, data in ((ALERTS, findings.alerts), (SUBJECTS, findings.subjects), (EVIDENCE, findings.evidence)):
        pd.testing.assert_frame_equal(data, declared.empty())
    assert ranked(findings, 5).empty
    with pytest.raises(FrameUnfit):
        find_alerts(pd.DataFrame({"resident": [1]}), RESIDENTS.empty())
    with pytest.raises(OutOfRange):
        ranked(findings, 0)


def test_one_store_and_one_resident_raise_no_rule_that_compares() -> None:
    rows = [pay(n, 1, "A", START + pd.Timedelta(days=n, hours=2), emptied=True) for n in range(9)]
    assert find_alerts(spending(*rows), folk()).alerts.empty


@settings(max_examples=5, deadline=None)
@given(any_spending(40))
def test_any_frame_gives_declared_findings(data: pd.DataFrame) -> None:
    findings = find_alerts(data, folk(people=4))
    ALERTS.conform(findings.alerts)
    assert findings.alerts["score"].between(0, 1).all()
    assert findings.alerts["alert"].is_unique
    assert set(findings.subjects["alert"]) == set(findings.alerts["alert"])
    assert set(findings.evidence["payment"]) <= set(data["payment"])


@pytest.mark.parametrize("seed", [1])
def test_the_order_of_rows_changes_neither_keys_nor_places(seed: int) -> None:
    rows, people = [*ordinary(), *ring("S12")], folk(*ring_people())
    one, other = find_alerts(spending(*rows), people), find_alerts(shuffled(rows, seed), people)
    pd.testing.assert_frame_equal(one.alerts, other.alerts)
    pd.testing.assert_frame_equal(one.evidence, other.evidence)
    pd.testing.assert_frame_equal(ranked(one, 5), ranked(other, 5))


def test_tomorrows_run_finds_todays_alert_under_the_same_key() -> None:
    today = find_alerts(spending(*ordinary(), *ring("S12")), folk(*ring_people()))
    more = [pay(70_000 + n, 1 + n, "S01", START + pd.Timedelta(days=61, hours=12)) for n in range(20)]
    tomorrow = find_alerts(spending(*ordinary(), *ring("S12"), *more), folk(*ring_people()))
    assert set(today.alerts["alert"]) == set(tomorrow.alerts["alert"]) != set()


def test_a_ring_that_spends_something_elsewhere_is_not_said_to_use_one_store_only() -> None:
    elsewhere = [
        pay(70_000 + n, 900 + n, "S03", START + pd.Timedelta(days=25, hours=12 + n), 12_000 + n) for n in range(6)
    ]
    findings = find_alerts(spending(*ordinary(), *ring("S12"), *elsewhere), folk(*ring_people()))
    [told] = findings.alerts.loc[findings.alerts["rule"] == "new_account_ring", "parameters"]
    assert json.loads(told)["captives"] == 6, "more than seven tenths of theirs were spent at one store"
    for language in LANGUAGES:
        words = texts(language)["alert.new_account_ring"].format(**json.loads(told))
        assert not any(only in words for only in ("only this", "hardly anywhere", "だけで", "だけを", "だけの"))


def test_a_share_is_said_to_be_of_the_days_looked_at() -> None:
    """What was spent before these days is not in the frame, so that a share of all that somebody had is not known."""
    said = {"en": "in the days looked at", "ja": "調べた期間", "ja-simple": "しらべた 日"}
    for language, words in said.items():
        assert all(words in texts(language)[f"alert.{rule}"] for rule in ("whole_balance", "related_payer"))


def _alert(rule: str, store: str, score: float, who: int = 1) -> Alert:
    return Alert(rule, store, (who,), (), score, {}, None if store else who)


def test_rules_that_agree_on_a_store_come_before_either_alone_and_one_rule_counts_once() -> None:
    findings = findings_of(
        [
            _alert("top_payers", "A", 0.5),
            _alert("whole_balance", "A", 0.5),
            _alert("top_payers", "B", 0.6),
            Alert("split_payment", "C", (1,), (), 0.6, {}, 1),
            Alert("split_payment", "C", (2,), (), 0.5, {}, 2),
            _alert("night", "", 0.6, who=9),
        ]
    )
    cases = ranked(findings, 10)
    assert cases["subject"].tolist() == ["store:A", "resident:9", "store:B", "store:C"]
    assert cases["score"].tolist() == pytest.approx([0.75, 0.6, 0.6, 0.6])
    assert cases["rules"].iloc[0] == "top_payers whole_balance"
    assert cases["alerts"].tolist() == [2, 1, 1, 2]
    pd.testing.assert_frame_equal(ranked(findings, 2), cases.head(2))
    assert len(CASES.conform(cases)) == 4


def test_a_case_counts_as_right_only_for_the_store_and_half_of_the_people() -> None:
    findings = findings_of([_alert("top_payers", "A", 0.5, who=1), _alert("night", "", 0.4, who=9)])
    planted = [
        {"case": 1, "kind": "ring", "resident": 1, "store": "A"},
        {"case": 1, "kind": "ring", "resident": 2, "store": "A"},
        {"case": 2, "kind": "ring", "resident": 1, "store": "B"},
        {"case": 3, "kind": "night", "resident": 9, "store": ""},
    ]
    trial = tried(findings, ranked(findings, 2), frame(MISDEEDS, planted))
    assert trial.precision == 1.0
    assert trial.recall == pytest.approx(2 / 3)
    planted.append({"case": 1, "kind": "ring", "resident": 3, "store": "A"})
    assert tried(findings, ranked(findings, 2), frame(MISDEEDS, planted)).right == 1


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), min_size=8, max_size=20))
def test_an_excess_is_finite_equal_for_equals_and_grows_with_the_count(pairs: list[tuple[int, int]]) -> None:
    counts = pd.DataFrame({"x": [x for x, _ in pairs], "n": [x + rest + 1 for x, rest in pairs]})
    counts["odd"] = excess(counts["x"].to_numpy(), counts["n"].to_numpy())
    assert counts["odd"].between(0, 37).all()
    assert (counts.groupby(["x", "n"])["odd"].nunique() == 1).all()
    for _, same in counts.groupby("n"):
        assert same.sort_values("x")["odd"].is_monotonic_increasing


def test_members_who_differ_by_nature_are_not_odd_and_the_one_who_stands_out_is() -> None:
    trials = np.full(30, 100)
    natural = np.array([2, 7, 10, 13, 18] * 6)
    assert (excess(natural, trials) < ODD).all()
    natural[7] = 90
    assert (excess(natural, trials) >= ODD).nonzero()[0].tolist() == [7]


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_its_name_and_its_reason_in_three_languages(rule: str) -> None:
    for language in LANGUAGES:
        known = texts(language)
        assert known[f"rule.{rule}"]
        assert placeholders(known[f"alert.{rule}"])


def test_the_parameters_of_an_alert_fill_the_words_of_its_reason() -> None:
    means = [pay(80_000 + n, 7, f"S0{n % 2}", START + pd.Timedelta(hours=12, minutes=2 * n), 900) for n in range(6)]
    findings = find_alerts(spending(*ordinary(), *ring("S12"), *means), folk(*ring_people()))
    words = texts("en")
    assert len(findings.alerts) >= 3
    for row in findings.alerts.to_dict("records"):
        assert "{" not in words[f"alert.{row['rule']}"].format(**json.loads(row["parameters"]))
