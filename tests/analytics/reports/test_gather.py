"""What a report says of an invented city is what its frames say, to the yen; the public sees nothing of few people."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import locales
from analytics.charts.catalogue import CHARTS
from analytics.charts.names import (
    REPORT_REFUSALS,
    ReportProgrammeIdle,
    ReportProgrammeUnknown,
    ReportProgrammeUnnamed,
    ReportWithoutProgramme,
)
from analytics.frames import FRAMES
from analytics.lake.lake import InMemory
from analytics.reports.gather import NAMED_STORES, gather
from analytics.reports.gathered import Gathered
from analytics.reports.public import gather_public
from analytics.synthetic.city import City, make
from analytics.synthetic.plan import CityPlan
from tests.analytics.hand import frame

KNOWN = datetime(2026, 2, 18, tzinfo=UTC)


@cache
def city() -> City:
    return make(CityPlan(residents=300, stores=40), np.random.default_rng(11))


@cache
def report() -> Gathered:
    return gather(InMemory(city().frames, KNOWN))


def facts(gathered: Gathered) -> dict[str, Any]:
    return {fact.name: fact.value for fact in gathered.facts}


def test_every_chart_has_its_rows() -> None:
    assert [figure.name for figure in report().figures] == list(CHARTS)
    assert all(len(figure.data) for figure in report().figures)


@pytest.mark.parametrize(("name", "column"), [("hours", "sales_yen"), ("flows", "sales_yen"), ("ranking", "sales_yen")])
def test_a_chart_of_sales_sums_to_the_spending_of_the_lake(name: str, column: str) -> None:
    assert report().figure(name).data[column].sum() == city().frames["spending"]["amount_yen"].sum()


def test_what_was_issued_is_used_lapsed_or_held() -> None:
    lots, told = city().frames["lots"], facts(report())
    issued = int((lots["paid_yen"] + lots["premium_yen"]).sum())
    points = report().figure("circulation").data
    assert points["points_yen"].sum() == issued == told["issued"]
    for state in ("used", "expired", "held"):
        assert points.loc[points["state"] == state, "points_yen"].sum() == told[state]


def test_a_purse_of_which_nothing_lapsed_has_a_row_of_nothing_so_that_stacked_bars_stand_on_each_other() -> None:
    """Excel lays the first bar of each state on the first purse, whatever the rows of that state are of."""
    frames = city().frames
    first, *_ = purses = sorted(frames["lots"]["purse"].unique())
    assert len(purses) > 1
    lapsed = frames["expiries"]
    fewer = {**frames, "expiries": lapsed[lapsed["purse"] != first]}
    points = gather(InMemory(fewer, KNOWN), names=("circulation",)).figure("circulation").data
    assert points.groupby("state")["purse"].agg(list).to_dict() == dict.fromkeys(("expired", "held", "used"), purses)
    assert points.set_index(["purse", "state"]).loc[(first, "expired"), "points_yen"] == 0


def test_the_curve_ends_at_what_was_used_and_never_skips_a_day() -> None:
    curve = report().figure("redemption").data
    counted = curve[curve["known"] == "counted"]
    assert counted["used_yen"].iloc[-1] == facts(report())["used"]
    assert counted["issued_yen"].iloc[-1] == facts(report())["issued"]
    assert (counted["day"].diff().dropna() == pd.Timedelta(days=1)).all()


def test_while_points_are_out_the_curve_goes_on_as_a_forecast_to_their_last_day() -> None:
    frames, noon = city().frames, pd.Timestamp("2025-12-01")
    partly = {name: frame[frame["day"] <= noon] if "day" in frame.columns else frame for name, frame in frames.items()}
    partly["outcomes"] = frames["outcomes"][frames["outcomes"]["week"] <= noon]
    curve = gather(InMemory(partly, KNOWN), names=("redemption",)).figure("redemption").data
    ahead = curve[curve["known"] == "forecast"]
    assert ahead["day"].min() > noon
    assert ahead["day"].max() == frames["programmes"]["use_to"].iloc[0]
    assert ahead["used_yen"].is_monotonic_increasing
    assert (ahead["low_yen"] <= ahead["used_yen"]).all() and (ahead["used_yen"] <= ahead["high_yen"]).all()
    assert (ahead["high_yen"] <= ahead["issued_yen"]).all()
    assert ahead["used_yen"].iloc[0] >= curve.loc[curve["known"] == "counted", "used_yen"].iloc[-1]
    assert ahead["used_yen"].iloc[-1] == pytest.approx(facts(report())["used"], rel=0.01)


def test_a_programme_that_is_over_has_no_forecast() -> None:
    assert set(report().figure("redemption").data["known"]) == {"counted"}


def test_the_ranking_falls_and_ends_with_all_others() -> None:
    rows = report().figure("ranking").data
    assert rows["sales_yen"].iloc[:NAMED_STORES].is_monotonic_decreasing
    assert rows["store"].iloc[-1] == "others"
    assert rows["stores"].sum() == facts(report())["stores"]
    assert rows["share"].sum() == pytest.approx(1)


def test_before_and_after_are_the_means_of_the_groups() -> None:
    frames = city().frames
    applied = frames["applications"].merge(frames["outcomes"], on="resident")
    won = applied[applied["units_won"] > 0]
    rows = report().figure("before_after").data
    first = rows[rows["group"] == "won"].iloc[0]
    week = won.loc[won["week"] == first["week"], "spent_yen"]
    assert (first["people"], first["mean_yen"]) == (len(week), round(week.mean()))
    assert (rows["low_yen"] <= rows["mean_yen"]).all() and (rows["mean_yen"] <= rows["high_yen"]).all()
    use_from = frames["programmes"]["use_from"].iloc[0]
    assert (rows.loc[rows["period"] == "before", "week"] + pd.Timedelta(days=6) < use_from).all()


def test_a_mean_of_two_has_a_wide_interval_and_one_of_one_none() -> None:
    """Student's t with one degree of freedom: 12.706 standard errors; by the normal curve it would be 1.96."""
    week = pd.Timestamp("2026-04-06").as_unit("us")
    answers = [(1, 1_000), (2, 3_000), (3, 5_000)]
    frames = {
        "programmes": frame("programmes", [{}]),
        "lots": frame("lots", [{}]),
        "applications": frame("applications", [{"resident": who, "units_won": int(who < 3)} for who, _ in answers]),
        "outcomes": pd.DataFrame(answers, columns=["resident", "spent_yen"]).assign(week=week, source="survey"),
    }
    rows = gather(InMemory(frames, KNOWN), names=("before_after",)).figures[0].data
    assert list(rows["group"]) == ["won"], "only one did not win: there is a mean, and nobody knows how far it reaches"
    (row,) = rows.to_dict("records")
    assert (row["people"], row["mean_yen"]) == (2, 2_000)
    assert (row["low_yen"], row["high_yen"]) == (2_000 - 12_706, 2_000 + 12_706)


def test_a_report_of_a_programme_that_is_not_there_is_refused() -> None:
    with pytest.raises(ReportProgrammeUnknown):
        gather(InMemory(city().frames, KNOWN), "moonlight")
    for unnamed in ("", "  "):
        with pytest.raises(ReportProgrammeUnnamed):
            gather(InMemory(city().frames, KNOWN), unnamed)
    with pytest.raises(ReportWithoutProgramme):
        gather(InMemory({}, KNOWN))
    with pytest.raises(ReportWithoutProgramme):
        gather(InMemory({}, KNOWN), "moonlight")


def test_a_programme_in_which_nothing_happened_yet_is_refused() -> None:
    frames = {"programmes": city().frames["programmes"]}
    with pytest.raises(ReportProgrammeIdle) as refused:
        gather(InMemory(frames, KNOWN))
    assert refused.value.params == {"programme": frames["programmes"]["programme"].iloc[-1]}


def test_no_refusal_of_a_report_names_nothing() -> None:
    """A text that has the programme in quotation marks is only told of one that has a name."""
    for refusal in REPORT_REFUSALS:
        told = locales.text("en", f"error.{refusal.code}")
        named = refusal in (ReportProgrammeUnknown, ReportProgrammeIdle)
        assert ("“{programme}”" in told) == named, refusal


def test_a_programme_that_was_only_sold_has_a_report() -> None:
    frames = {name: city().frames[name] for name in ("programmes", "lots", "residents")}
    told = gather(InMemory(frames, KNOWN), names=("circulation", "ranking"))
    assert told.figure("circulation").data["points_yen"].sum() == facts(told)["issued"]
    assert told.figure("ranking").data.empty


def test_the_public_sees_no_cell_of_few_people() -> None:
    told = gather_public(InMemory(city().frames, KNOWN))
    spending = city().frames["spending"].merge(city().frames["residents"], on="resident")
    homes = spending.groupby("district")["resident"].nunique()
    assert told.hidden
    shown = told.figure("flows").data
    assert all(homes[home] >= 10 for home in shown["home"])
    whole = report().figure("flows").data.merge(shown, on=["home", "place"], suffixes=("", "_shown"))
    assert (whole["sales_yen"] == whole["sales_yen_shown"]).all()
    assert len(told.figure("hours").data) < len(report().figure("hours").data)


def test_of_a_handful_of_people_the_public_sees_nothing() -> None:
    few = make(CityPlan(residents=12, stores=20), np.random.default_rng(3)).frames
    spending = few["spending"]
    some = spending["resident"].isin(sorted(spending["resident"].unique())[:4])
    told = gather_public(InMemory({**few, "spending": spending[some], "lots": FRAMES["lots"].empty()}, KNOWN))
    assert facts(told) == {"issued": 0}
    assert all(figure.data.empty for figure in told.figures)
