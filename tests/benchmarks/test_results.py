import json
from dataclasses import replace
from typing import Any

from infra.benchmarks.plan import Outcome
from infra.benchmarks.results import (
    MEASUREMENTS,
    MINIMAL,
    QUICK,
    TPCB,
    Cpu,
    Findings,
    Measurement,
    Repetition,
    Report,
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
    settled = [{"name": "close_1m", "ratio_p99": 2.0}, {"name": "expire_100k", "ratio_p99": 2.01}]
    assert [each.reached for each in goals([], settled)] == [True, False]
