from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from analytics.frames import EXPIRIES, FRAMES, SPENDING, STORES, Dtype, Frame, FrameUnfit
from tests.analytics.mining.world import pay, spending


@pytest.mark.parametrize("frame", FRAMES.values(), ids=str)
def test_every_frame_is_whole(frame: Frame) -> None:
    names = frame.column_names
    assert len(set(names)) == len(names)
    assert set(frame.key) <= set(names)
    assert frame.partition is None or frame.partition in names
    empty = frame.empty()
    assert list(empty.columns) == names
    assert frame.conform(empty) is not None


def test_only_the_declared_columns_leave_in_their_order() -> None:
    given = SPENDING.empty().assign(phone=pd.Series(dtype="str"))[["phone", *reversed(SPENDING.column_names)]]
    assert list(SPENDING.conform(given).columns) == SPENDING.column_names


def test_a_missing_column_is_named() -> None:
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(SPENDING.empty().drop(columns="purse"))
    assert refused.value.params == {"frame": "spending", "column": "purse", "problem": "missing"}


def test_another_type_is_refused() -> None:
    """Amounts that came as real numbers have been through a division or an empty cell; neither is guessed away."""
    given = SPENDING.empty().astype({"amount_yen": "float64"})
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(given)
    assert refused.value.params["problem"] == "type"
    assert refused.value.params["expected"] == Dtype.INTEGER


def _foreign(data: pd.DataFrame) -> pd.DataFrame:
    """The same rows as another engine would hand them over."""
    foreign = {"int64": "Int32", "str": "category", "bool": "boolean", "datetime64[us]": "datetime64[s]"}
    data = data.assign(at=data["at"].dt.tz_convert("UTC").dt.as_unit("ns"))
    return data.astype({name: foreign[str(kind)] for name, kind in data.dtypes.items() if str(kind) in foreign})


def test_the_types_of_other_engines_are_converted_where_nothing_is_lost() -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01 23:59:59.999999"), pay(2, 3, "B", "2026-04-02 00:00"))
    foreign = _foreign(rows)
    assert not any(ours == theirs for ours, theirs in zip(rows.dtypes, foreign.dtypes, strict=True))
    pd.testing.assert_frame_equal(SPENDING.conform(foreign), rows)
    pd.testing.assert_frame_equal(SPENDING.conform(rows.astype({"store": "object"})), rows)
    assert foreign["amount_yen"].dtype == "Int32", "the caller's own frame stays as it is"


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("amount_yen", pd.Series([1.0])),
        ("amount_yen", pd.Series(["1"])),
        ("amount_yen", pd.Series([True])),
        ("amount_yen", pd.Series([2**63], dtype="uint64")),
        ("store", pd.Series([100001])),
        ("store", pd.Series([1, "A"], dtype="object").head(1)),
        ("store", pd.Series(["\ud842"], dtype="object")),
        ("emptied", pd.Series([0])),
        ("at", pd.Series(pd.to_datetime(["2026-04-01"]))),
        ("at", pd.Series(pd.to_datetime(["2026-04-01T00:00:00.000000001+09:00"])).dt.as_unit("ns")),
        ("day", pd.Series(["2026-04-01"])),
        ("day", pd.Series(pd.to_datetime(["2026-04-01T00:00:00+09:00"]))),
    ],
)
def test_what_would_have_to_be_guessed_or_cut_is_refused(column: str, values: "pd.Series[Any]") -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01 12:00"))
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(rows.assign(**{column: values}))
    assert refused.value.params["problem"] == "type"


def test_an_empty_value_is_told_as_such_in_another_type_too() -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01 12:00")).assign(amount_yen=pd.Series([None], dtype="Int64"))
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(rows)
    assert refused.value.params["problem"] == "empty_value"


def _store(**changes: Any) -> pd.DataFrame:
    row = {
        "store": "100001",
        "from_day": pd.Timestamp("2026-04-01"),
        "to_day": pd.NaT,
        "store_class": "small",
        "category": "food",
        "district": "Minato",
        "merchant": "200001",
    }
    return pd.DataFrame([row | changes]).astype({c.name: c.dtype.value for c in STORES.columns})


def test_an_open_end_is_allowed_only_where_it_is_declared() -> None:
    assert len(STORES.conform(_store())) == 1
    with pytest.raises(FrameUnfit) as refused:
        STORES.conform(_store(from_day=pd.NaT))
    assert refused.value.params == {"frame": "stores", "column": "from_day", "problem": "empty_value"}


def test_a_value_outside_the_list_is_refused_and_named() -> None:
    with pytest.raises(FrameUnfit) as refused:
        STORES.conform(_store(store_class="huge"))
    assert refused.value.params == {
        "frame": "stores",
        "column": "store_class",
        "problem": "not_allowed",
        "found": "huge",
    }


def _arrow(rows: pd.DataFrame) -> pd.DataFrame:
    """As `read_parquet(dtype_backend="pyarrow")` gives it, texts numbered and days as dates."""
    words = pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    told: pd.DataFrame = pa.Table.from_pandas(rows, preserve_index=False).to_pandas(types_mapper=pd.ArrowDtype)
    return told.astype({"store": words, "day": pd.ArrowDtype(pa.date32())})


def test_the_types_of_arrow_are_those_that_pandas_has() -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01 23:59:59.999999"), pay(2, 3, "B", "2026-04-02 00:00"))
    foreign = _arrow(rows)
    assert all(isinstance(kind, pd.ArrowDtype) for kind in foreign.dtypes)
    pd.testing.assert_frame_equal(SPENDING.conform(foreign), rows)
    nothing = _arrow(rows.iloc[:0])
    pd.testing.assert_frame_equal(SPENDING.conform(nothing), SPENDING.empty(), check_index_type=False)
    naive = foreign.assign(at=pd.Series(rows["at"].dt.tz_localize(None), dtype=pd.ArrowDtype(pa.timestamp("us"))))
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(naive)
    assert refused.value.params["problem"] == "type"


@pytest.mark.parametrize(
    ("column", "change", "problem"),
    [
        ("day", pd.Timedelta(hours=12), "not_midnight"),
        ("day", pd.Timedelta(days=-1), "other_day"),
        ("at", pd.Timedelta(microseconds=1), "other_day"),
    ],
)
def test_a_day_is_a_civil_date_and_that_of_its_instant(column: str, change: pd.Timedelta, problem: str) -> None:
    """Around midnight: the last microsecond of a day in Japan is the afternoon of that day in UTC."""
    rows = spending(pay(1, 1, "A", "2026-04-01 23:59:59.999999"))
    assert len(SPENDING.sound(rows.assign(at=rows["at"].dt.tz_convert("America/Los_Angeles"))))
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.sound(rows.assign(**{column: rows[column] + change}))
    assert refused.value.params == {"frame": "spending", "column": "day", "problem": problem}


def test_amounts_that_no_sum_holds_are_refused_and_the_largest_that_one_does_are_not() -> None:
    half = 2**62
    rows = spending(pay(1, 1, "A", "2026-04-01", half - 1), pay(2, 1, "A", "2026-04-01", -half))
    assert SPENDING.conform(rows)["amount_yen"].abs().sum() == 2**63 - 1
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(rows.assign(amount_yen=[half, half]))
    assert refused.value.params == {"frame": "spending", "column": "amount_yen", "problem": "too_large"}


def test_two_columns_of_one_name_are_refused() -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01"))
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.conform(pd.concat([rows, rows[["store"]]], axis=1))
    assert refused.value.params == {"frame": "spending", "column": "store", "problem": "twice"}


def test_a_row_that_is_there_twice_is_refused_and_two_purses_of_one_payment_are_two_rows() -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01"), pay(1, 1, "A", "2026-04-01", purse="small"))
    assert len(SPENDING.sound(rows)) == 2
    with pytest.raises(FrameUnfit) as refused:
        SPENDING.sound(pd.concat([rows, rows.tail(1)]))
    assert refused.value.params == {"frame": "spending", "column": "deed, programme, purse", "problem": "repeated"}


def test_an_index_keeps_its_labels_and_not_a_name_that_a_column_has() -> None:
    rows = spending(pay(1, 1, "A", "2026-04-01"), pay(2, 3, "B", "2026-04-02")).set_index("store", drop=False)
    fitting = SPENDING.conform(rows)
    assert list(fitting.index) == ["A", "B"]
    assert fitting.index.name is None
    assert rows.index.name == "store", "the caller's own frame stays as it is"


@pytest.mark.parametrize(
    "nothing", [pd.Series([None], dtype="object"), pd.Series([None], dtype=pd.ArrowDtype(pa.null()))]
)
def test_a_column_in_which_nothing_was_ever_said_needs_no_type(nothing: "pd.Series[Any]") -> None:
    """As pandas makes it of None alone: stores of which none has closed."""
    pd.testing.assert_frame_equal(STORES.conform(_store().assign(to_day=nothing)), _store())
    with pytest.raises(FrameUnfit) as refused:
        STORES.conform(_store().assign(from_day=nothing))
    assert refused.value.params["problem"] == "empty_value"


@pytest.mark.parametrize("frame", FRAMES.values(), ids=str)
def test_a_frame_without_a_row_needs_no_types(frame: Frame) -> None:
    pd.testing.assert_frame_equal(frame.sound(pd.DataFrame(columns=frame.column_names)), frame.empty())


def test_parts_that_no_sum_of_both_holds_are_refused() -> None:
    """A lot's size, or what it lost, is the sum of its parts."""
    half = 2**62
    row = {"expiry": 1, "lot": 1, "resident": 1, "programme": "p", "purse": "c", "paid_yen": half, "premium_yen": half}
    at = pd.Timestamp("2026-04-01", tz="Asia/Tokyo").as_unit("us")
    rows = pd.DataFrame([row | {"at": at, "day": at.tz_localize(None)}])
    assert len(EXPIRIES.conform(rows.assign(premium_yen=half - 1))) == 1
    with pytest.raises(FrameUnfit) as refused:
        EXPIRIES.conform(rows)
    assert refused.value.params == {"frame": "expiries", "column": "paid_yen, premium_yen", "problem": "too_large"}
