from typing import Any

import pandas as pd
import pytest

from analytics.frames import FRAMES, SPENDING, STORES, Dtype, Frame, FrameUnfit
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
