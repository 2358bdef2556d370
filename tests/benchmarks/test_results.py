import json
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from infra.benchmarks import show as show_module
from infra.benchmarks.plan import Outcome
from infra.benchmarks.results import (
    HALF_LOAD,
    MEASUREMENTS,
    MINIMAL,
    QUICK,
    TPCB,
    Cpu,
    Findings,
    Measurement,
    Repetition,
    Report,
    disturbed,
    goals,
)

OUTCOME = Outcome(1_000, 1_250, 1_000, elapsed_s=0.5, load_cpu_s=0.02, p50_ms=2.0, p99_ms=8.0)
NAMES = {
    "pay_zipf_128",
    "pay_zipf_32",
    "pay_one_store_128",
    "pay_codes_128",
    "pay_10m_rows_128",
    "pay_plain_128",
    "pay_half_load",
}


def findings(name: str = "pay_zipf_128", **changes: Any) -> Findings:
    given: dict[str, Any] = {
        "repetitions": [Repetition(replace(OUTCOME, elapsed_s=s), Cpu(0.06, 0.08, 0.02)) for s in (0.5, 0.4, 5.0)],
        "acknowledged": 3_040,
        "stored": 3_040,
        "proofs": [True, True],
    }
    return Findings(Measurement(name), **(given | changes))


def report(*found: Findings, **changes: Any) -> Report:
    references = {TPCB: [900.0, 1_000.0, 2_000.0], MINIMAL: [800.0]}
    return Report({"cpu": "x"}, {"fsync": "on"}, references, found or [findings()], **changes)


def test_the_names_are_the_promised_ones() -> None:
    assert {each.name for each in MEASUREMENTS} == NAMES
    assert [each.name for each in QUICK] == ["pay_zipf_128", "pay_one_store_128", "pay_codes_128"]


def test_the_figures_have_the_promised_shape() -> None:
    found = json.loads(json.dumps(report().plain()))
    assert {"machine", "settings", "references", "results"} <= found.keys()
    assert found["references"] == {"tpcb_per_s": 1_000.0, "minimal_per_s": 800.0}
    [result] = found["results"]
    promised = {
        "name": "pay_zipf_128",
        "per_s": 2_000.0,
        "ratio_tpcb": 2.0,
        "p50_ms": 2.0,
        "p99_ms": 8.0,
        "cpu_us": {"python": 60.0, "postgres": 80.0, "load": 20.0},
        "acknowledged": 3_040,
        "stored": 3_040,
        "proof_clean": True,
    }
    assert {name: result[name] for name in promised} == promised


def test_a_rate_counts_distinct_payments_not_requests() -> None:
    assert OUTCOME.per_s == 2_000.0
    assert report().plain()["results"][0]["requests_per_s"] == 2_500.0


def test_a_run_in_which_all_is_accounted_for_has_no_faults() -> None:
    assert report().faults == []


def test_every_kind_of_fault_is_told() -> None:
    assert report(findings(stored=3_039)).faults == ["pay_zipf_128: 3040 payments were acknowledged, 3039 are stored"]
    assert report(findings(proofs=[True, False])).faults == ["pay_zipf_128: the proof was not clean"]
    assert report(findings(proofs=[])).faults == ["pay_zipf_128: the proof was not clean"]
    assert report(findings(problems=["status 500"])).faults == ["pay_zipf_128: status 500"]
    assert report(further_faults=["lots"]).faults == ["lots"]
    assert report(findings(proofs=[False])).plain()["results"][0]["proof_clean"] is False


def test_goals_are_judged_within_the_run() -> None:
    def result(name: str, per_s: float, p99_ms: float = 8.0) -> dict[str, Any]:
        return {"name": name, "per_s": per_s, "ratio_tpcb": per_s / 1_000, "p50_ms": 2.0, "p99_ms": p99_ms}

    good = [
        result("pay_zipf_128", 2_000.0),
        result("pay_one_store_128", 1_600.0),
        result("pay_10m_rows_128", 1_800.0),
        result("pay_codes_128", 1_400.0),
        result("pay_half_load", 1_000.0, p99_ms=10.0),
    ]
    assert [each.reached for each in goals(good)] == [True] * 5
    bad = [
        result("pay_zipf_128", 1_990.0),
        result("pay_one_store_128", 1_590.0),
        result("pay_10m_rows_128", 1_780.0),
        result("pay_codes_128", 1_380.0),
        result("pay_half_load", 995.0, p99_ms=10.1),
    ]
    assert [each.reached for each in goals(bad)] == [False] * 5
    assert [each.name for each in goals(good[:1])] == ["pay_zipf_128"]
    settled = [settlement("close_1m", 2.0), settlement("expire_100k", 2.01)]
    assert [each.reached for each in goals([], settled)] == [True, False]


def settlement(name: str, ratio: float, quiet_ms: float = 20.0) -> dict[str, Any]:
    return {
        **{"name": name, "seconds": 7.0, "seconds_alone": 6.0, "payments_per_s": 3_000.0, "ratio_p99": ratio},
        **{"p99_quiet_ms": quiet_ms, "p99_counting_ms": 60.0, "p99_during_ms": ratio * quiet_ms},
    }


def test_beside_a_disturbed_minute_nothing_is_judged_and_every_figure_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settled = [settlement("close_1m", 1.02, 765.0), settlement("expire_100k", 1.5, 40.0)]
    found = json.loads(json.dumps(report(findings(HALF_LOAD), settling=settled).plain()))
    assert [each["reached"] for each in found["goals"]] == [True, None, True]
    assert [each["judged"] for each in found["goals"]] == [True, False, True]
    assert [{**each, "warnings": []} for each in found["settling"]] == [{**each, "warnings": []} for each in settled]
    assert [len(each["warnings"]) for each in found["settling"]] == [1, 0]
    assert (
        "765.0 ms is more than 5 times that of pay_half_load in this run (8.0 ms)"
        in found["settling"][0]["warnings"][0]
    )
    monkeypatch.setattr(show_module, "out", Console(width=200))
    show_module.show({**found, "settings": {"fsync": "on", "synchronous_commit": "on"}})
    told = capsys.readouterr().out
    assert "not judged" in told
    assert "the machine was disturbed" in told
    assert "765.0" in told
    assert "780.3" in told


def test_five_times_the_half_load_is_the_edge() -> None:
    half = findings(HALF_LOAD).plain(1_000.0)
    assert disturbed(settlement("close_1m", 1.0, 40.0), half) == []
    assert disturbed(settlement("close_1m", 3.0, 40.1), half) != []
    assert disturbed(settlement("close_1m", 1.0, 4_000.0), None) == []
