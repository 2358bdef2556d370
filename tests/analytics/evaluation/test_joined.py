"""docs/algorithms/evaluation.md, "Staggered": a city's own file of who joined when."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

import locales
from analytics.evaluation.csv_file import MOST_BYTES
from analytics.evaluation.joined import JoinedUnreadable, read_joined
from analytics.evaluation.summary import Evidence, what_it_did
from analytics.frames import APPLICATIONS
from analytics.reports.did import lines
from tests.analytics.evaluation.test_staggered import districts
from tests.factories.cities import city

HEADER = "unit,week,sales_yen,joined_week\n"
EFFECT, GROWTH = 5.0, 1.0
MONDAY = pd.Timestamp("2026-01-05")


def panel(seed: int, units: int = 60) -> tuple[bytes, float]:
    """Stores that joined one after the other as a city would tell them, and what joining truly did to the touched."""
    frame = districts(np.random.default_rng(seed), units=units, growth=GROWTH)
    since = frame["week"] - frame["joined_week"]
    truth = float((EFFECT + GROWTH * since[since >= 0]).mean())
    weeks = {name: MONDAY + pd.to_timedelta(7 * frame[name], unit="D") for name in ("week", "joined_week")}
    written = pd.DataFrame(
        {
            "unit": "S" + frame["store"].astype("str"),
            "week": weeks["week"].dt.strftime("%Y-%m-%d"),
            "sales_yen": (1_000 * frame["sales_yen"]).round().astype("int64"),
            "joined_week": weeks["joined_week"].dt.strftime("%Y-%m-%d").fillna(""),
        }
    )
    return written.to_csv(index=False).encode(), 1_000 * truth


def did(joined: pd.DataFrame | None, *, drawn: bool = False) -> Any:
    frames = city().frames
    applications = frames["applications"] if drawn else APPLICATIONS.empty()
    evidence = Evidence(frames["spending"], frames["lots"], frames["programmes"], frames["stores"], applications)
    rows = what_it_did(Evidence(**{**vars(evidence), "joined": joined}), "starlight")
    return rows[rows["item"].str.startswith("staggered")].set_index("item")


@pytest.mark.parametrize("seed", [1, 2])
def test_what_joining_did_is_found_with_its_interval_and_week_by_week(seed: int) -> None:
    content, truth = panel(seed)
    read = read_joined(content)
    assert read.rejected.empty
    found = did(read.sales)
    whole = found.loc["staggered_extra"]
    assert whole["low"] <= truth <= whole["high"]
    assert (whole["unit"], whole["state"]) == ("yen per unit and week", "known")
    assert whole["high"] - whole["low"] < truth
    for weeks in range(4):
        line = found.loc[f"staggered_extra_since_{weeks}"]
        assert line["value"] == pytest.approx(1_000 * (EFFECT + GROWTH * weeks), abs=3_500)
        assert line["low"] < line["value"] < line["high"]


def test_the_weeks_before_joining_are_lines_with_intervals_and_one_word_of_all_of_them() -> None:
    content, _ = panel(1)
    sales = read_joined(content).sales
    found = did(sales)
    order = [item for item in found.index if item.startswith("staggered_extra_")]
    weeks = [f"staggered_extra_before_{weeks}" for weeks in (4, 3, 2, 1)]
    assert order[:6] == [*weeks, "staggered_extra_since_0", "staggered_extra_since_1"]
    assert (found.loc[weeks, "low"] < 0).all() and (found.loc[weeks, "high"] > 0).all()
    assert (found.loc["staggered_alike", "state"], found.loc["staggered_extra", "reason"]) == ("alike", "")
    assert found.loc["staggered_alike", "value"] > 0.05
    ahead = (sales["joined_week"] - sales["week"]).dt.days // 7
    grown = sales.assign(sales_yen=sales["sales_yen"] + (3_000 * (4 - ahead)).where(ahead.between(1, 3), 0).astype(int))
    doubted = did(grown)
    assert (doubted.loc["staggered_alike", "state"], doubted.loc["staggered_alike", "unit"]) == ("not_alike", "p")
    assert doubted.loc["staggered_alike", "value"] < 0.001
    assert doubted.loc["staggered_extra", "reason"] == "moved_before"
    assert doubted.loc["staggered_extra_before_1", "low"] > 0


def test_the_doubt_and_the_weeks_before_are_in_words() -> None:
    content, _ = panel(1)
    sales = read_joined(content).sales
    ahead = (sales["joined_week"] - sales["week"]).dt.days // 7
    sales["sales_yen"] += (3_000 * (4 - ahead)).where(ahead.between(1, 3), 0).astype(int)
    for language in ("ja", "en", "ja-simple"):
        say = partial(locales.text, language)
        told = {line[0]: line for line in lines(did(sales).reset_index(), say)}
        assert say("evaluation.reason.moved_before") in told[say("evaluation.item.staggered_extra")][3]
        assert told[say("evaluation.item.staggered_extra_before", weeks=2)][2]
        alike = told[say("evaluation.item.staggered_alike")]
        assert (alike[1], say("evaluation.state.not_alike") in alike[3]) == ("0.000", True)
        assert told[say("evaluation.item.staggered_untold")][1] == say("evaluation.weeks", weeks=0)


def test_weeks_left_out_or_not_told_are_counted_and_a_week_of_nobody_still_passes() -> None:
    """One store with a single week before it joined cannot be compared; nobody tells of the seventh week."""
    content, _ = panel(1)
    sales = read_joined(content).sales
    early = sales.loc[sales["joined_week"] == MONDAY + pd.Timedelta(weeks=4), "unit"].iloc[0]
    gaps = sales[(sales["unit"] != early) | (sales["week"] >= MONDAY + pd.Timedelta(weeks=3))]
    gaps = gaps[gaps["week"] != MONDAY + pd.Timedelta(weeks=6)]
    found = did(gaps)
    assert (found.loc["staggered_left_out", "value"], found.loc["staggered_left_out", "unit"]) == (8, "weeks")
    assert found.loc["staggered_untold", "value"] == 60 + 3
    whole = did(sales)
    assert whole.loc[["staggered_left_out", "staggered_untold"], "value"].to_list() == [0, 0]
    assert "staggered_extra_since_7" in found.index and "staggered_extra_since_7" in whole.index


def test_without_enough_weeks_before_the_likeness_is_not_known_and_says_why() -> None:
    """Everybody who joins does so in the third week: without the first, nothing tells their level."""
    content, _ = panel(1)
    sales = read_joined(content).sales
    third = MONDAY + pd.Timedelta(weeks=2)
    sales = sales[(sales["week"] < third) | sales["joined_week"].isna() | (sales["week"] >= sales["joined_week"])]
    sales["joined_week"] = sales["joined_week"].where(sales["joined_week"].isna(), third)
    only = sales[sales["week"] != MONDAY]
    with pytest.raises(KeyError):
        did(only).loc["staggered_alike"]
    assert did(only).loc["staggered_extra", "reason"] == "nothing_comparable"
    found = did(sales)
    assert [item for item in found.index if "_before_" in item] == ["staggered_extra_before_1"]


def test_units_of_a_district_are_taken_for_alike() -> None:
    """Two stores that say the same are one witness: the interval does not shrink because there are two."""
    content, _ = panel(1)
    once = read_joined(content).sales
    twice = pd.concat([once, once.assign(unit=once["unit"] + "b")])
    apart, together = (did(frame).loc["staggered_extra"] for frame in (twice.assign(district=twice["unit"]), twice))
    assert together["value"] == pytest.approx(apart["value"])
    assert (together["high"] - together["low"]) > 1.3 * (apart["high"] - apart["low"])


def test_nobody_told_is_a_line_unless_a_draw_tells_it_better_and_nothing_to_compare_says_so() -> None:
    assert did(None)["reason"].to_dict() == {"staggered_extra": "no_joined"}
    assert did(None, drawn=True).empty
    content, _ = panel(1)
    never = read_joined(content).sales
    never["joined_week"] = pd.Series(pd.NaT, index=never.index, dtype="datetime64[us]")
    assert did(never)["reason"].to_dict() == {"staggered_extra": "nothing_comparable"}


@pytest.mark.parametrize(
    ("line", "column", "reason"),
    [
        (",2026-01-12,1,", "unit", "empty"),
        ("A,,1,", "week", "empty"),
        ("A,2026-01-13,1,", "week", "no_monday"),
        ("A,20260112,1,", "week", "no_monday"),
        ("A,2026-01-12,1,2026-02-30", "joined_week", "no_monday"),
        ("A,2026-01-12,,", "sales_yen", "empty"),
        ("A,2026-01-12,1.5,", "sales_yen", "no_number"),
        ("A,2026-01-12,１,", "sales_yen", "no_number"),
        ("A,2026-01-12,-1,", "sales_yen", "negative"),
        ("A,2026-01-12,100000000001,", "sales_yen", "too_large"),
        ("A,2026-01-05,7,", "week", "twice"),
        ("A,2026-01-12,7,2026-02-02", "joined_week", "otherwise"),
        ("A,2026-01-12,7", "", "cells"),
    ],
)
def test_a_line_that_cannot_be_is_left_out_and_told(line: str, column: str, reason: str) -> None:
    read = read_joined(f"{HEADER}A,2026-01-05,5,\n{line}\nB,2026-01-05,6,2026-01-12\n".encode())
    assert read.rejected[["line", "column", "reason"]].to_dict("records") == [
        {"line": 3, "column": column, "reason": reason}
    ]
    assert read.sales["sales_yen"].to_list() == [5, 6]
    assert read.sales["joined_week"].isna().to_list() == [True, False]


def test_a_unit_is_in_one_district() -> None:
    read = read_joined(
        b"unit,week,sales_yen,joined_week,district\nA,2026-01-05,5,,north\nA,2026-01-12,5,,south\nB,2026-01-05,5,,\n"
    )
    assert read.rejected[["column", "reason"]].to_numpy().tolist() == [["district", "otherwise"], ["district", "empty"]]
    assert read.sales["district"].to_list() == ["north"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"unit,week,sales_yen\n", "header"),
        (b"unit,week,sales_yen,joined_week,district,district\nA,2026-01-05,5,,north,south\n", "header"),
        (HEADER.encode() + b"\xff", "encoding"),
        (HEADER.encode() + b'"A', "format"),
        (b" " * (MOST_BYTES + 1), "size"),
    ],
)
def test_a_file_that_tells_of_nobody_is_refused_whole(content: bytes, problem: str) -> None:
    with pytest.raises(JoinedUnreadable) as refused:
        read_joined(content)
    assert refused.value.params["problem"] == problem
