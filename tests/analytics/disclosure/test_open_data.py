"""A package of an invented city: attacked as written, true within what it says, the same bytes again."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import locales
from analytics.disclosure.attack import exposed
from analytics.disclosure.open_data import OpenData, PeriodEmpty, ProgrammeUnknown, Wish, open_data
from analytics.disclosure.package import AttackSucceeded, PackageExists, attack, csv_bytes, write_package
from analytics.disclosure.publish import publish
from analytics.disclosure.releases import PrivacyBudgetSpent
from analytics.disclosure.suppress import primary
from analytics.lake.lake import InMemory
from analytics.measures.ask import ask
from analytics.measures.question import Question
from tests.analytics.disclosure.conftest import FEW, KEY

OTHER = b"o" * 32
NOW = datetime(2026, 5, 1, tzinfo=UTC)
WORDS = {
    "ja": lambda key, **given: locales.text("ja", key, **given),
    "en": lambda key, **given: locales.text("en", key, **given),
}


@pytest.fixture
def package(tmp_path: Path, data: OpenData) -> Path:
    write_package(tmp_path / "package", data, WORDS, record=lambda: None)
    return tmp_path / "package"


def test_a_package_says_what_it_is_and_its_checksums_hold(package: Path) -> None:
    told: dict[str, Any] = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    assert len(told["resources"]) == len(FEW)
    assert told["licenses"][0]["name"] == "CC-BY-4.0"
    for resource in told["resources"]:
        content = (package / resource["path"]).read_bytes()
        assert len(content) == resource["bytes"]
        assert hashlib.sha256(content).hexdigest() == resource["hash"].removeprefix("sha256:")
        table = pd.read_csv(package / resource["path"], encoding="utf-8-sig")
        assert list(table.columns) == [field["name"] for field in resource["schema"]["fields"]]
        key = resource["schema"].get("primaryKey", [])
        assert not key or not table.duplicated(key).any()
        columns = pq.read_table((package / resource["path"]).with_suffix(".parquet")).to_pandas()
        assert columns["sales_yen"].astype("Int64").tolist() == table["sales_yen"].astype("Int64").tolist()
    for line in (package / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest
    method = (package / "method.md").read_text(encoding="utf-8")
    assert "39,000" in method
    assert "{" not in method


def test_the_package_names_no_store_and_no_resident(package: Path, source: InMemory) -> None:
    """Control: the same search finds the districts, which are meant to be there."""
    content = b"".join(path.read_bytes() for path in package.rglob("*.csv"))
    stores = source.frame("stores")
    named = [name for name in (*stores["store"], *stores["merchant"]) if f"{name},".encode() in content]
    assert not named
    assert all(f"{name},".encode() in content for name in stores["district"].unique())


def test_what_primary_suppression_alone_leaves_open_is_closed(data: OpenData) -> None:
    rules = data.wish.rules
    sensitive = primary(data.cells, rules)
    assert exposed(data.cells, sensitive, sensitive, rules)
    assert not exposed(data.cells, data.hidden, sensitive, rules)


def test_open_figures_differ_from_the_ledger_by_no_more_than_they_say(
    source: InMemory, wish: Wish, data: OpenData
) -> None:
    """Of all shown cells under two keys at least 95 % less chance (five deviations) lie within the stated bound."""
    within: list[bool] = []
    for figures in (data, open_data(source, wish, OTHER)):
        for table in figures.tables:
            truth = ask(source, Question("sales", table.by, {"programme": (wish.programme,)}, wish.first, wish.last))
            shown = ~table.frame["hidden"]
            errors = table.frame.loc[shown, "sales_yen"].astype("int64") - truth.loc[shown, "value"]
            within += list(errors.abs() <= table.bound)
    assert len(within) > 100
    assert np.mean(within) >= 0.95 - 5 * (0.95 * 0.05 / len(within)) ** 0.5


def test_the_same_city_and_key_give_the_same_bytes_and_another_key_other_noise(
    tmp_path: Path, source: InMemory, wish: Wish, data: OpenData, package: Path
) -> None:
    write_package(tmp_path / "again", open_data(source, wish, KEY), WORDS, record=lambda: None)
    for path in package.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (tmp_path / "again" / path.relative_to(package)).read_bytes()
    other = open_data(source, wish, OTHER)
    assert csv_bytes(other.tables[0]) != csv_bytes(data.tables[0])
    assert other.hidden == data.hidden


ANEW = """
import sys
from datetime import date
from fractions import Fraction
import numpy as np
from analytics.disclosure.open_data import Wish, open_data
from analytics.disclosure.package import csv_bytes
from analytics.lake.lake import InMemory
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan

programme, first, last, clamp, residents = sys.argv[1:]
wish = Wish(programme, date.fromisoformat(first), date.fromisoformat(last), Fraction(1, 2), int(clamp), levels=LEVELS)
with InMemory(make(CityPlan(residents=int(residents)), np.random.default_rng(7)).frames) as source:
    for table in open_data(source, wish, KEY).tables:
        sys.stdout.buffer.write(csv_bytes(table))
"""
"""The tables of the invented city once more, in a process of its own."""


def test_another_process_gives_the_same_noise(wish: Wish) -> None:
    """Each process has its own order of sets. Noise that followed it would be another a day later, and averaged out."""
    levels = (("category", "age_band"), ("district", "hour"), ("week", "category"))
    code = ANEW.replace("LEVELS", repr(levels)).replace("KEY", repr(KEY))
    asked = [wish.programme, wish.first.isoformat(), wish.last.isoformat(), str(wish.clamp), "250"]
    command = [sys.executable, "-c", code, *asked]
    told = [
        subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONHASHSEED": seed}).stdout
        for seed in ("0", "1", "2")
    ]
    assert told[0].count(b"\n") > 100
    assert told[1] == told[0]
    assert told[2] == told[0]


def test_a_changed_figure_gets_other_noise_so_that_the_change_is_not_told(
    source: InMemory, wish: Wish, data: OpenData
) -> None:
    """One yen more, of one payment: with the old noise the two packages would differ by exactly that yen."""
    spending = source.frame("spending")
    last = (spending["kind"] == "payment").to_numpy().nonzero()[0][-1]
    spending.loc[last, ["amount_yen", "paid_yen"]] += 1
    frames = {name: source.frame(name) for name in ("stores", "residents", "programmes")}
    with InMemory({**frames, "spending": spending}) as changed:
        after = open_data(changed, wish, KEY)
    before_total, after_total = (int(each.tables[0].frame["sales_yen"].iloc[0]) for each in (data, after))
    assert abs(after_total - before_total) > 1


def test_a_package_that_fails_its_attack_is_not_written(tmp_path: Path, data: OpenData) -> None:
    told = list[str]()
    table = next(each for each in data.tables if each.frame["hidden"].any())
    careless = replace(table, frame=table.frame.assign(sales_yen=table.frame["sales_yen"].fillna(1)))
    tables = tuple(careless if each is table else each for each in data.tables)
    with pytest.raises(AttackSucceeded):
        write_package(tmp_path / "package", replace(data, tables=tables), WORDS, record=lambda: told.append("recorded"))
    assert list(tmp_path.iterdir()) == []
    assert not told


def test_the_attack_on_written_files_finds_a_hidden_cell_that_was_filled(package: Path, data: OpenData) -> None:
    attack(package, data)
    table = next(each for each in data.tables if each.frame["hidden"].any())
    file = package / "data" / f"{table.name}.csv"
    file.write_bytes(file.read_bytes().replace(b",,1\r\n", b",123,1\r\n", 1))
    with pytest.raises(AttackSucceeded):
        attack(package, data)


def test_nothing_is_replaced_and_the_budget_holds(tmp_path: Path, source: InMemory, wish: Wish) -> None:
    ledger = tmp_path / "releases.jsonl"
    _, left = publish(source, wish, KEY, tmp_path / "one", ledger, WORDS, NOW, budget=Fraction(3))
    assert left == 3 - Fraction(len(FEW), 2)
    with pytest.raises(PackageExists):
        publish(source, wish, KEY, tmp_path / "one", ledger, WORDS, NOW, budget=Fraction(3))
    _, still = publish(source, wish, KEY, tmp_path / "again", ledger, WORDS, NOW, budget=Fraction(3))
    assert still == left
    shorter = replace(wish, last=wish.first)
    with pytest.raises(PrivacyBudgetSpent):
        publish(source, shorter, KEY, tmp_path / "shorter", ledger, WORDS, NOW, budget=Fraction(3))
    assert not (tmp_path / "shorter").exists()


def test_a_text_that_a_sheet_would_run_is_neutralised(data: OpenData) -> None:
    table = next(each for each in data.tables if each.by == ("district",))
    for risky in ("=1+1", "+1", "-1", "@A", "\tx", "\rx", " =1+1", "＝1+1"):
        frame = table.frame.assign(district=risky)
        assert f"'{risky}" in csv_bytes(replace(table, frame=frame)).decode("utf-8-sig")


def test_nobody_counts_with_more_than_the_clamp(source: InMemory, wish: Wish, data: OpenData) -> None:
    """A clamp of 5,000 yen: figures fall, and say that they may; the whole is at most 5,000 yen a head."""
    tight = open_data(source, replace(wish, clamp=5_000), KEY)
    people = source.frame("spending")["resident"].nunique()
    assert int(tight.tables[0].frame["sales_yen"].iloc[0]) <= people * 5_000 + tight.mechanism.bound() * 4
    assert tight.tables[0].clamp_bound > data.tables[0].clamp_bound


def test_a_programme_that_nobody_knows_is_refused(source: InMemory, wish: Wish) -> None:
    with pytest.raises(ProgrammeUnknown):
        open_data(source, replace(wish, programme="moon"), KEY)


def test_a_period_before_the_start_is_refused_and_costs_no_privacy(
    tmp_path: Path, source: InMemory, wish: Wish
) -> None:
    before = replace(wish, first=date(1999, 1, 1), last=date(1999, 1, 31))
    with pytest.raises(PeriodEmpty):
        publish(source, before, KEY, tmp_path / "before", tmp_path / "releases.jsonl", WORDS, NOW)
    assert not (tmp_path / "before").exists()
    assert (tmp_path / "releases.jsonl").read_text() == ""


def test_a_package_speaks_of_no_day_that_the_lake_does_not_hold(source: InMemory, wish: Wish) -> None:
    """The lake ends in the middle of the time of use: so does the package, and says so."""
    spending = source.frame("spending")
    end = spending["day"].min() + pd.Timedelta(days=40)
    frames = {name: source.frame(name) for name in ("programmes", "residents", "stores")}
    frames["spending"] = spending[spending["day"] < end]
    with InMemory(frames, end.tz_localize("Asia/Tokyo").to_pydatetime()) as half:
        told = open_data(half, wish, KEY)
        assert told.wish.last == (end - pd.Timedelta(days=1)).date() < wish.last
        assert {table.release.last for table in told.tables} == {told.wish.last.isoformat()}
        with pytest.raises(PeriodEmpty):
            open_data(half, replace(wish, first=wish.last), KEY)
