"""A whole programme, small: the same bytes twice, files that a bank would take, figures that agree."""

import json
from collections import Counter
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from infra.simulation.ending import Outcome
from infra.simulation.report import REQUIRED, disagreements
from infra.simulation.settling import PaidFile
from services.settlement.calendar import BankCalendar
from tests.simulation.conftest import SEED, Commanded, simulate
from tests.strict_zengin import read_strictly

POINTS = {"issued_paid", "issued_premium", "granted", "spent", "cancelled", "refunded", "expired", "reversed", "held"}
STORES = {
    "gross_yen",
    "cancelled_yen",
    "refunded_yen",
    "fee_yen",
    "fee_tax_yen",
    "net_yen",
    "carried_yen",
    "receivable_yen",
    "paid_out_yen",
}
COUNTS = {
    "residents",
    "buyers",
    "stores",
    "payments_cpm",
    "payments_mpm",
    "cancels",
    "refunds",
    "statements",
    "bank_files",
    "transfers",
}


def bank_files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in files.items() if name.endswith(".zengin")}


def whole_numbers(value: Any) -> bool:
    """No fraction anywhere; names and truth values are welcome."""
    if isinstance(value, dict):
        return all(whole_numbers(each) for each in value.values())
    return all(whole_numbers(each) for each in value) if isinstance(value, list) else not isinstance(value, float)


def check_report(report: dict[str, Any], files: dict[str, bytes]) -> None:
    """The identities that the report is documented with, computed here again."""
    points, stores = report["points"], report["stores"]
    assert points["issued_paid"] + points["issued_premium"] + points["granted"] == (
        points["spent"]
        - points["cancelled"]
        - points["refunded"]
        + points["expired"]
        + points["reversed"]
        + points["held"]
    )
    assert stores["net_yen"] == (
        stores["gross_yen"]
        - stores["cancelled_yen"]
        - stores["refunded_yen"]
        - stores["fee_yen"]
        - stores["fee_tax_yen"]
    )
    assert stores["paid_out_yen"] == stores["net_yen"] - stores["carried_yen"] + stores["receivable_yen"]
    read = [read_strictly(content) for content in bank_files(files).values()]
    trailers = [record for records in read for record in records if record["record"] == "8"]
    assert sum(int(record["total_yen"]) for record in trailers) == stores["paid_out_yen"]
    assert sum(int(record["count"]) for record in trailers) == report["counts"]["transfers"]
    assert len(read) == report["counts"]["bank_files"]


def test_the_same_seed_writes_the_same_bytes(outcome: Outcome, commanded: Commanded) -> None:
    assert commanded.exit_code == 0, commanded.output
    assert list(commanded.files) == sorted(outcome.files)
    for name, content in commanded.files.items():
        assert content == outcome.files[name], name


def test_nothing_disagrees_and_the_proof_is_clean(outcome: Outcome) -> None:
    assert outcome.wrong == ()
    proof = outcome.report["proof"]
    assert proof["clean"]
    assert len(proof["checks"]) > 50
    assert all(check["ok"] and check["expected"] == check["found"] for check in proof["checks"])


def test_the_report_has_the_documented_form(commanded: Commanded) -> None:
    content = commanded.files["report.json"]
    report = json.loads(content)
    assert set(report) == {"programme", "points", "stores", "counts", "proof"}
    assert (set(report["points"]), set(report["stores"]), set(report["counts"])) == (POINTS, STORES, COUNTS)
    assert all({"name", "expected", "found", "ok"} == set(check) for check in report["proof"]["checks"])
    assert whole_numbers(report)
    assert content.decode() == json.dumps(report, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def test_the_identities_hold_and_the_bank_files_are_what_was_paid_out(commanded: Commanded) -> None:
    check_report(json.loads(commanded.files["report.json"]), commanded.files)


def test_every_bank_file_satisfies_the_strict_reader_on_a_business_day(commanded: Commanded) -> None:
    files = bank_files(commanded.files)
    assert len(files) >= 9
    for name, content in files.items():
        day = date.fromisoformat(name[:10])
        header = read_strictly(content)[0]
        assert header["mmdd"] == f"{day:%m%d}"
        assert BankCalendar().is_business_day(day)


def test_one_transfer_pays_both_stores_of_a_chain(commanded: Commanded) -> None:
    report = json.loads(commanded.files["report.json"])
    paying = [text for name, text in commanded.files.items() if name.startswith("statements/")]
    paying = [text for text in paying if "振込予定日" in text.decode()]
    assert report["counts"]["transfers"] < len(paying)


def test_everything_of_the_story_occurred(outcome: Outcome) -> None:
    assert all(outcome.story[what] > 0 for what in REQUIRED)
    assert outcome.story["statement with a carry"] >= 2
    assert outcome.story["statement with a debt"] >= 2


def test_every_statement_is_written_out(commanded: Commanded) -> None:
    report = json.loads(commanded.files["report.json"])
    statements = {name: text for name, text in commanded.files.items() if name.startswith("statements/")}
    assert len(statements) == report["counts"]["statements"]
    for name, text in statements.items():
        assert text.decode().startswith("支払通知書"), name


def test_the_trial_balance_comes_to_zero_in_aligned_columns(commanded: Commanded) -> None:
    lines = commanded.files["trial-balance.txt"].decode().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["account", "debit_yen", "credit_yen", "balance_yen"]
    rows = [line.split() for line in lines if line[0] != "-"][1:]
    figures = [[int(cell.replace(",", "")) for cell in row[1:]] for row in rows]
    assert rows[-1][0] == "total"
    assert [sum(column) for column in zip(*figures[:-1], strict=True)] == figures[-1]
    assert figures[-1][0] == figures[-1][1]
    assert figures[-1][2] == 0


def test_the_command_says_what_it_did(commanded: Commanded) -> None:
    assert "paid out" in commanded.output
    assert "laws hold" in commanded.output


@pytest.mark.parametrize(
    ("group", "name"), [(g, n) for g, names in (("points", POINTS), ("stores", STORES)) for n in sorted(names)]
)
def test_a_figure_that_is_one_off_is_found(outcome: Outcome, group: str, name: str) -> None:
    report = deepcopy(dict(outcome.report))
    report[group][name] += 1
    assert list(disagreements(report, paid_files(outcome), Counter(outcome.story)))


def test_a_missing_scene_and_a_broken_proof_are_found(outcome: Outcome) -> None:
    files, story = paid_files(outcome), Counter(outcome.story)
    assert not list(disagreements(outcome.report, files, story))
    assert any(
        "late money" in line
        for line in disagreements(outcome.report, files, story - Counter({"late money returned": 99}))
    )
    assert any("bank files" in line for line in disagreements(outcome.report, files[1:], story))
    report = deepcopy(dict(outcome.report))
    report["proof"]["clean"] = False
    report["proof"]["checks"][0]["ok"] = False
    assert any(report["proof"]["checks"][0]["name"] in line for line in disagreements(report, files, story))


def paid_files(outcome: Outcome) -> list[PaidFile]:
    """The bank files again, from their bytes."""
    found = []
    for name, content in bank_files(dict(outcome.files)).items():
        trailer = next(record for record in read_strictly(content) if record["record"] == "8")
        number, day = name.removesuffix(".zengin")[11:], date.fromisoformat(name[:10])
        found.append(PaidFile(number, day, int(trailer["count"]), int(trailer["total_yen"]), content))
    return found


@pytest.mark.long
def test_the_size_of_the_issue_twice(environ: dict[str, str], tmp_path: Path) -> None:
    first, second = (simulate(tmp_path / name, 0.01, SEED) for name in ("first", "second"))
    assert first.exit_code == second.exit_code == 0, first.output
    assert first.files == second.files
    check_report(json.loads(first.files["report.json"]), first.files)


@pytest.mark.long
def test_another_seed_is_another_programme(environ: dict[str, str], commanded: Commanded, tmp_path: Path) -> None:
    other = simulate(tmp_path / "other", 0.001, SEED + 1)
    assert other.exit_code == 0, other.output
    assert other.files.keys() != commanded.files.keys()
