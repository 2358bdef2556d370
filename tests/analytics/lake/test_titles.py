"""Reports say what the terms call a programme and its purses; figures keep the codes, and nothing is taken together."""

import csv
import io
import json
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

import locales
from analytics.disclosure.open_data import Wish
from analytics.disclosure.publish import publish
from analytics.lake.lake import InMemory, Lake
from analytics.lake.titles import titles_of
from analytics.lake.write import write_frames
from analytics.reports.gather import gather
from analytics.reports.html import report_page
from analytics.reports.public import gather_public
from analytics.reports.workbook import workbook
from tests.analytics.hand import frame

KNOWN = datetime(2026, 5, 1, tzinfo=UTC)
JA = partial(locales.text, "ja")
PURSES = ("common", "small")


def frames(**titles: str) -> dict[str, pd.DataFrame]:
    """One sale of two purses; a title by purse, the programme's own as `own`."""
    told = [{"purse": "" if purse == "own" else purse, "title": title} for purse, title in titles.items()]
    named: dict[str, list[dict[str, Any]]] = {
        "spending": [{"purse": purse, "amount_yen": 400 + place} for place, purse in enumerate(PURSES)],
        "lots": [{"purse": purse} for purse in PURSES],
        "residents": [{}],
        "stores": [{}],
        "programmes": [{}],
        "titles": told,
    }
    return {name: frame(name, rows) for name, rows in named.items()}


def read(**titles: str) -> dict[str, str]:
    """What people read for each purse in the table of what became of the points."""
    figure = gather(InMemory(frames(**titles), KNOWN), names=["circulation"]).figure("circulation")
    words = [row[0] for row in figure.table(JA).rows]
    return dict(zip(figure.data["purse"], map(str, words), strict=True))


def test_people_read_what_the_terms_say() -> None:
    gathered = gather(InMemory(frames(own="七夕商品券", common="共通券", small="地元券"), KNOWN), names=["circulation"])
    figure = gathered.figure("circulation")
    assert (gathered.programme, gathered.called) == ("star", "七夕商品券")
    assert set(figure.data["purse"]) == set(PURSES), "the figures keep the codes"
    page = report_page(gathered, JA, "ja")
    assert "<h1>" + JA("insight.report.title", programme="七夕商品券") + "</h1>" in page
    assert "<dd>七夕商品券（star）</dd>" in page, "and whoever needs the code finds it"
    assert {row[0] for row in figure.table(JA).rows} == {"共通券", "地元券"}
    assert {row[0] for row in csv.reader(io.StringIO(figure.table(JA).csv()))} >= {"共通券", "地元券"}
    book = openpyxl.load_workbook(io.BytesIO(workbook(gathered, JA)))
    assert book.worksheets[0]["A1"].value == book.properties.title == JA("insight.report.title", programme="七夕商品券")


def test_the_public_reads_it_too() -> None:
    source = InMemory(frames(own="七夕商品券"), KNOWN)
    assert gather_public(source).called == gather(source, names=()).called == "七夕商品券"


def test_so_does_whoever_reads_open_data(tmp_path: Path) -> None:
    source = InMemory(frames(own="七夕\n商品券"), KNOWN)
    wish = Wish("star", date(2026, 4, 1), date(2026, 4, 30), Fraction(1, 2), 30_000)
    publish(source, wish, b"k" * 32, tmp_path / "open", tmp_path / "releases.jsonl", {"ja": JA}, KNOWN)
    title = JA("open_data.title", programme="七夕 商品券", first=wish.first, last=wish.last)
    told = json.loads((tmp_path / "open" / "datapackage.json").read_text(encoding="utf-8"))
    assert (told["title"], told["name"]) == (title, "tanabata-star-2026-04-01-2026-04-30")
    assert (tmp_path / "open" / "method.md").read_text(encoding="utf-8").startswith(f"# {title}\n")


def test_what_nobody_named_keeps_its_code() -> None:
    gathered = gather(InMemory(frames(), KNOWN), names=())
    assert gathered.called == "star"
    assert ("事業", "star") in list(gathered.heads(JA))
    assert read() == {"common": "common", "small": "small"}
    assert read(common=" \u3000") == {"common": "common", "small": "small"}
    assert read(common=" 共通券 ") == {"common": "共通券", "small": "small"}


@pytest.mark.parametrize(
    ("titles", "told"),
    [
        ({"common": "券", "small": "券 "}, {"common": "券 [common]", "small": "券 [small]"}),
        ({"common": "small", "small": "common"}, {"common": "small [common]", "small": "common [small]"}),
        ({"common": "small", "small": " "}, {"common": "small [common]", "small": "small"}),
        ({"common": "common", "small": "地元券"}, {"common": "common", "small": "地元券"}),
    ],
)
def test_purses_that_are_called_alike_stay_apart(titles: dict[str, str], told: dict[str, str]) -> None:
    assert read(**titles) == told


def test_another_programme_s_titles_are_not_taken() -> None:
    given = frames(own="七夕商品券", common="共通券")
    given["titles"]["programme"] = "moon"
    titles = titles_of(InMemory(given, KNOWN), "star")
    assert (titles.programme, titles.purses) == ("", {})


def test_a_lake_from_before_there_were_titles_is_read_by_codes(tmp_path: Path) -> None:
    write_frames(tmp_path, {name: rows for name, rows in frames(own="x").items() if name != "titles"}, KNOWN)
    with Lake(tmp_path) as lake:
        assert gather(lake, names=()).called == "star"
