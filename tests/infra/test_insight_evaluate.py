"""`tanabata insight evaluate` says what a programme did, what is not known, and which answers it left out."""

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from pypdf import PdfReader
from rich.console import Console
from typer.testing import CliRunner

import locales
from analytics.evaluation.evidence import evidence_of
from analytics.evaluation.summary import COLUMNS, what_it_did
from analytics.lake.lake import Lake
from analytics.lake.write import write_frames
from analytics.reports.council import council_pdf
from analytics.reports.did import HEADS, lines
from analytics.reports.html import report_page
from analytics.reports.workbook import workbook
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan
from infra.cli import app
from infra.insight import evaluate
from infra.insight.evaluate import MOST_TOLD
from tests.analytics.evaluation.test_joined import panel
from tests.analytics.reports.samples import SAMPLE

EN = partial(locales.text, "en")
SURVEY = """respondent,usual_yen,extra_yen,extra_cash_yen
a,5000,4000,2000
b,8000,1000,0
c,6000,3000,1000
d,-5,3000,1000
e,6000,3千,1000
a,1,2,3
f,7000,2000,500
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A city without a draw, as the platform's lake is."""
    root = tmp_path_factory.mktemp("lake")
    frames = make(CityPlan(residents=60, stores=20), np.random.default_rng(4)).frames
    kept = {name: rows for name, rows in frames.items() if name not in ("applications", "outcomes", "coupons")}
    write_frames(root, kept, datetime(2026, 2, 18, tzinfo=UTC))
    return root


def told(lake: Path, *more: str) -> tuple[dict[str, dict[str, object]], str]:
    done = CliRunner().invoke(app, ["insight", "evaluate", "starlight", "--lake", str(lake), "--json", *more])
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)["rows"]
    return {row["item"]: row for row in rows if row["store_class"] == "all"}, done.stderr


def test_without_draw_survey_or_costs_every_number_is_there_and_says_what_is_lacking(lake: Path) -> None:
    rows, _ = told(lake)
    with Lake(lake) as source:
        spending = source.frame("spending")
    assert rows["redeemed"]["value"] == spending["amount_yen"].sum()
    lacking = {item: row["reason"] for item, row in rows.items() if row["state"] == "not_given"}
    assert lacking == {
        "surveyed_extra": "no_survey",
        "surveyed_extra_per_redeemed": "no_survey",
        "causal_extra": "no_draw",
        "causal_extra_total": "no_draw",
        "staggered_extra": "no_joined",
        "cost_per_extra_yen": "no_administration",
        "administration_share": "no_administration",
        "followed_months": "no_outcomes",
    }
    assert rows["administration_share_hiratsuka"]["value"] == 0.036
    assert rows["administration_share_paper"]["value"] == 0.185


def test_a_survey_is_read_row_by_row_and_what_cannot_be_is_told(lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    file.write_text(SURVEY, encoding="utf-8")
    rows, said = told(
        lake, "--survey", str(file), "--invited", "10", "--administration-yen", "90000", "--language", "en"
    )
    extra, used = 4000 + 2000 + 1000 + 0 + 3000 + 1000 + 2000 + 500, 9_000 * 4
    assert rows["surveyed_extra_per_redeemed"]["value"] == pytest.approx(extra / used)
    redeemed = rows["redeemed"]["value"]
    assert isinstance(redeemed, float)
    assert rows["surveyed_extra"]["value"] == pytest.approx(redeemed * extra / used)
    assert rows["survey_response"]["value"] == pytest.approx(0.4)
    issued = rows["issued"]["value"]
    assert isinstance(issued, float)
    assert rows["administration_share"]["value"] == pytest.approx(90_000 / issued)
    assert rows["cost_per_extra_yen"]["reason"] == "no_causal_estimate"
    flat = " ".join(said.split())
    assert "Line 5 of the survey was left out (usual_yen: negative: -5)" in flat
    assert "Line 6 of the survey was left out (extra_yen: no whole number: 3千)" in flat
    assert "Line 7 of the survey was left out (respondent: the respondent answered twice: a)" in flat


def test_who_joined_when_is_read_line_by_line_and_estimated_with_its_weeks(lake: Path, tmp_path: Path) -> None:
    content, truth = panel(1)
    file = tmp_path / "joined.csv"
    file.write_bytes(content + b"S1,2026-01-06,5,\nS1,2026-01-05,5,\n")
    rows, said = told(lake, "--joined", str(file), "--language", "en")
    whole = rows["staggered_extra"]
    assert isinstance(whole["low"], float)
    assert isinstance(whole["high"], float)
    assert whole["low"] <= truth <= whole["high"]
    assert {f"staggered_extra_since_{weeks}" for weeks in range(5)} <= set(rows)
    flat = " ".join(said.split())
    assert "of who joined when was left out (week: no Monday written as 2026-04-06: 2026-01-06)" in flat
    assert "of who joined when was left out (week: the unit tells this week twice: 2026-01-05)" in flat


def test_a_programme_that_is_not_there_is_refused_in_a_sentence(lake: Path) -> None:
    done = CliRunner().invoke(app, ["insight", "evaluate", "moonlight", "--lake", str(lake)])
    assert done.exit_code == 1
    assert "その事業はありません" in "".join(done.stderr.split())


@pytest.mark.parametrize("language", locales.LANGUAGES)
@pytest.mark.parametrize("option", ["survey", "joined"])
@pytest.mark.parametrize(
    ("content", "problem", "column"),
    [
        ("who,what\n1,2\n", "header", {"survey": "respondent", "joined": "unit"}),
        ("", "header", {"survey": "respondent", "joined": "unit"}),
        ("respondent,usual_yen,extra_yen,extra_cash_yen\n佐藤,1,2,3\n", "encoding", {}),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_the_readers_language(
    lake: Path, tmp_path: Path, language: str, option: str, content: str, problem: str, column: dict[str, str]
) -> None:
    file = tmp_path / "answers.csv"
    file.write_bytes(content.encode("shift_jis"))
    done = CliRunner().invoke(
        app, ["insight", "evaluate", "starlight", "--lake", str(lake), f"--{option}", str(file), "--language", language]
    )
    why = locales.text(language, f"insight.problem.{problem}", column=column.get(option, ""))
    assert done.exit_code == 1
    assert "".join(done.stderr.split()) == "".join(
        locales.text(language, f"error.{option}_unreadable", problem=why).split()
    )


def test_of_many_lines_that_were_left_out_some_are_told_and_how_many_more(lake: Path, tmp_path: Path) -> None:
    file = tmp_path / "answers.csv"
    wrong = "".join(f"r{number},1,2\n" for number in range(MOST_TOLD + 7))
    file.write_text("respondent,usual_yen,extra_yen,extra_cash_yen\nx,,1,1\n" + wrong, encoding="utf-8")
    _, said = told(lake, "--survey", str(file), "--language", "en")
    flat = " ".join(said.split())
    assert "Line 2 of the survey was left out (usual_yen: empty: nothing)" in flat
    assert "Line 3 of the survey was left out (the line: another number of cells: 3)" in flat
    assert flat.count("was left out") == MOST_TOLD
    assert flat.endswith("Lines of the survey left out besides: 8")


def test_no_figure_of_the_table_is_cut_off_where_the_window_is_narrow(
    lake: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Japanese has no spaces to break at; what does not fit goes on in the next line."""
    monkeypatch.setattr(evaluate, "out", Console(width=60))
    done = CliRunner().invoke(app, ["insight", "evaluate", "starlight", "--lake", str(lake), "--language", "ja"])
    assert done.exit_code == 0
    assert "…" not in done.stdout


def test_every_line_is_on_the_page_in_three_languages_and_only_there_when_it_is_for_the_office(lake: Path) -> None:
    with Lake(lake) as source:
        evidence, _ = evidence_of(source, joined=panel(1)[0], administration_yen=5)
    rows = what_it_did(evidence, "starlight")
    for language in ("ja", "en", "ja-simple"):
        say = partial(locales.text, language)
        page = report_page(replace(SAMPLE, figures=(), did=rows), say, language)
        assert page.count('<th scope="row">') == len(rows)
        assert say("evaluation.reason.no_draw") in page
        assert say("evaluation.item.staggered_extra_since", weeks=2) in page
        assert "3.6 %" in page
        assert "18.5 %" in page
    assert 'id="did"' not in report_page(replace(SAMPLE, figures=()), EN, "en")


def test_who_joined_when_stands_in_the_workbook_as_numbers_and_on_the_councils_paper(lake: Path) -> None:
    with Lake(lake) as source:
        evidence, _ = evidence_of(source, joined=panel(1)[0])
    rows = what_it_did(evidence, "starlight")
    office = replace(SAMPLE, figures=(), did=rows)
    sheet = openpyxl.load_workbook(io.BytesIO(workbook(office, EN)))[EN("insight.sheet.did")]
    told = {line[0]: line[1:4] for line in sheet.iter_rows(min_row=6, values_only=True)}
    paper = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(council_pdf(office, EN, "en"))).pages)
    for item, head in (
        ("staggered_extra", EN("evaluation.item.staggered_extra")),
        ("staggered_extra_since_3", EN("evaluation.item.staggered_extra_since", weeks=3)),
    ):
        row = rows.set_index("item").loc[item]
        assert told[head] == pytest.approx(tuple(row[["value", "low", "high"]]))
        assert f"{row['value']:,.0f}" in paper
        assert f"{row['high']:,.0f}" in paper


def test_a_cost_without_an_upper_end_says_so_and_is_no_gap() -> None:
    row: dict[str, object] = dict.fromkeys(COLUMNS, "")
    row |= {"item": "cost_per_extra_yen", "store_class": "all", "unit": "yen per yen"}
    row |= {"value": np.nan, "low": 0.25, "high": np.inf, "state": "known", "basis": "premium redeemed"}
    [line] = lines(pd.DataFrame([row]), EN)
    assert line[1] == ""
    assert line[2] == f"{EN('insight.yen', amount='0.25')} to no limit"
    assert len(line) == len(HEADS)
