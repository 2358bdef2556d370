"""What holds for every forecast whatever frame it is given, and for what is reckoned from the same rows.

docs/algorithms/forecasts.md
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analytics.evaluation.bounds import substitution_bounds
from analytics.evaluation.summary import Evidence, what_it_did
from analytics.forecast.budget import remaining_budget_day
from analytics.forecast.use import forecast_lapse, forecast_use
from analytics.frames import EXPIRIES, LOTS, PROGRAMMES, SPENDING, FrameUnfit
from tests.analytics.evaluation.worlds import typed
from tests.analytics.forecast.points import Frames, programme, together

SEEN = pd.Timestamp("2026-03-26")
TERMS = typed(
    pd.DataFrame(
        [
            {
                "programme": "new",
                "unit_price_yen": 10_000,
                "unit_points": 13_000,
                "cap_yen": 30_000,
                "stock_units": 1_000,
                "grant_budget_points": 5_000,
                "sale_from": pd.Timestamp("2026-01-05"),
                "use_from": pd.Timestamp("2026-01-05"),
                "use_to": pd.Timestamp("2026-05-24"),
            }
        ]
    ),
    PROGRAMMES,
)


def frames() -> Frames:
    rng = np.random.default_rng(7)
    return together(programme(rng, "old", "2025-01-06", people=30), programme(rng, "new", "2026-01-05", people=20))


def _use(lots: pd.DataFrame, spent: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    return forecast_use(lots, spent, lost, as_of=SEEN)


def _lapse(lots: pd.DataFrame, spent: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    return forecast_lapse(lots, spent, lost, as_of=SEEN, programme="new")


def _budget(lots: pd.DataFrame, spent: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    return remaining_budget_day(lots, TERMS, as_of=SEEN)


def _bounds(lots: pd.DataFrame, spent: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    return substitution_bounds(spent)


def _did(lots: pd.DataFrame, spent: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    return what_it_did(Evidence(spent, lots, TERMS), "new")


Told = Callable[[pd.DataFrame, pd.DataFrame, pd.DataFrame], pd.DataFrame]
FORECASTS = [_use, _lapse, _budget]
EVERY = [*FORECASTS, _bounds, _did]
READ = {_use: (0, 1, 2), _lapse: (0, 1, 2), _budget: (0,), _bounds: (1,), _did: (0, 1)}
"""Which of lots, spending and expiries each looks at."""


def _arrow(rows: pd.DataFrame) -> pd.DataFrame:
    told: pd.DataFrame = pa.Table.from_pandas(rows, preserve_index=False).to_pandas(types_mapper=pd.ArrowDtype)
    return told.astype({"day": pd.ArrowDtype(pa.date32())})


def _with_strangers(rows: pd.DataFrame) -> pd.DataFrame:
    """Other columns, under names that the forecasts use for their own, in another order."""
    more = rows.assign(size=1, before=2, last=3, issued=4, index=5, first=6)
    return more[list(reversed(more.columns))]


@pytest.mark.parametrize("told", EVERY)
@pytest.mark.parametrize(
    "held",
    [
        lambda rows: rows.sample(frac=1, random_state=3),
        lambda rows: rows.set_axis([0] * len(rows)),
        lambda rows: rows.set_index("resident", drop=False),
        lambda rows: rows.convert_dtypes(),
        lambda rows: rows.astype({"programme": "category", "purse": "object", "paid_yen": "int32"}),
        lambda rows: rows.assign(at=rows["at"].dt.tz_convert("America/Los_Angeles"), day=rows["day"].dt.as_unit("s")),
        _arrow,
        _with_strangers,
    ],
    ids=["shuffled", "repeated index", "named index", "nullable", "other types", "other zone", "arrow", "strangers"],
)
def test_how_frames_are_held_and_in_which_order_means_nothing(
    told: Told, held: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    pd.testing.assert_frame_equal(told(*map(held, frames())), told(*frames()))


@pytest.mark.parametrize(("told", "place"), [(told, place) for told, places in READ.items() for place in places])
def test_a_row_that_is_there_twice_is_not_counted_twice(told: Told, place: int) -> None:
    given = list(frames())
    given[place] = pd.concat([given[place], given[place].head(1)])
    with pytest.raises(FrameUnfit) as refused:
        told(*given)
    assert (refused.value.params["frame"], refused.value.params["problem"]) == (
        ("lots", "spending", "expiries")[place],
        "repeated",
    )


@pytest.mark.parametrize("told", EVERY)
@pytest.mark.parametrize(
    ("spoilt", "problem"),
    [
        (lambda rows: rows.drop(columns="day"), "missing"),
        (lambda rows: rows.assign(day=rows["day"].dt.tz_localize("Asia/Tokyo")), "type"),
        (lambda rows: rows.assign(day=rows["day"].dt.strftime("%Y-%m-%d")), "type"),
        (lambda rows: rows.assign(day=pd.NaT), "empty_value"),
        (lambda rows: rows.assign(day=rows["day"] + pd.Timedelta(days=1)), "other_day"),
    ],
    ids=["no day", "a day with a zone", "a day in text", "an empty day", "another day"],
)
def test_a_day_that_is_none_is_refused_and_named(
    told: Told, spoilt: Callable[[pd.DataFrame], pd.DataFrame], problem: str
) -> None:
    with pytest.raises(FrameUnfit) as refused:
        told(*map(spoilt, frames()))
    assert (refused.value.params["column"], refused.value.params["problem"]) == ("day", problem)


@pytest.mark.parametrize(
    "as_of",
    [
        date(2026, 3, 26),
        pd.Timestamp("2026-03-26 23:59:59").to_pydatetime(),
        np.datetime64("2026-03-26T12:00"),
        pd.Timestamp("2026-03-25 15:00", tz="UTC"),
        pd.Timestamp("2026-03-26 14:59:59.999999", tz="UTC"),
    ],
    ids=str,
)
def test_the_day_is_given_as_a_date_or_as_any_time_of_it(as_of: Any) -> None:
    lots, spent, lost = frames()
    pd.testing.assert_frame_equal(forecast_use(lots, spent, lost, as_of=as_of), _use(lots, spent, lost))
    pd.testing.assert_frame_equal(forecast_lapse(lots, spent, lost, as_of=as_of, programme="new"), _lapse(*frames()))
    pd.testing.assert_frame_equal(remaining_budget_day(lots, TERMS, as_of=as_of), _budget(lots, spent, lost))


@pytest.mark.parametrize("told", [_use, _lapse])
def test_no_row_has_the_columns_and_types_of_many(told: Told) -> None:
    many, none = told(*frames()), told(LOTS.empty(), SPENDING.empty(), EXPIRIES.empty())
    assert len(many) > 0
    assert len(none) == 0
    pd.testing.assert_series_equal(none.dtypes, many.dtypes)


def test_no_budget_has_the_columns_and_types_of_many() -> None:
    many, none = _budget(*frames()), remaining_budget_day(LOTS.empty(), PROGRAMMES.empty(), as_of=SEEN)
    assert len(many) == 2
    assert len(none) == 0
    pd.testing.assert_series_equal(none.dtypes, many.dtypes)


@pytest.mark.parametrize("told", EVERY)
def test_the_frames_that_are_given_stay_as_they_were(told: Told) -> None:
    given, kept = frames(), frames()
    told(*given)
    for mine, before in zip(given, kept, strict=True):
        pd.testing.assert_frame_equal(mine, before)


def test_what_was_spent_before_1970_is_spent() -> None:
    """Some programme of a museum: the same days, three thousand weeks earlier."""
    back = pd.Timedelta(weeks=3_000)

    def earlier(rows: pd.DataFrame) -> pd.DataFrame:
        moved = {name: rows[name] - back for name in ("at", "day", "usable_from", "expires_at") if name in rows}
        return rows.assign(**moved)

    found = forecast_use(*map(earlier, frames()), as_of=SEEN - back)
    assert (found["day"] < "1970-01-01").all()
    kept = [name for name in found.columns if name not in {"day", "last_day"}]
    pd.testing.assert_frame_equal(found[kept], _use(*frames())[kept])


def test_the_order_of_programmes_means_nothing() -> None:
    terms, (lots, _, _) = pd.concat([TERMS, TERMS.assign(programme="old")]), frames()
    found = remaining_budget_day(lots, terms, as_of=SEEN)
    assert found["programme"].tolist() == ["new", "new", "old", "old"]
    pd.testing.assert_frame_equal(remaining_budget_day(lots, terms.iloc[::-1], as_of=SEEN), found)
