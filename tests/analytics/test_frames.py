from typing import Any

import pandas as pd
import pytest

from analytics.frames import FRAMES, SPENDING, STORES, Dtype, Frame, FrameUnfit


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
