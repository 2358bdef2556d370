"""From what the views tell to the declared frames: rows of the frame's grain, split by civil day in Japan.

Pure: Arrow tables in, Arrow tables of a frame's schema out.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analytics.frames import FRAMES, UNKNOWN, Dtype, Frame
from analytics.lake.category import category_of
from analytics.lake.write import schema_of
from services.kit.clock import civil_date

_TOKYO_US: Final = 9 * 3_600 * 1_000_000
_DAY_US: Final = 86_400 * 1_000_000
_EPOCH: Final = date(1970, 1, 1)

_SPENDING: Final = """
SELECT deed, any_value(payment) AS payment, any_value(kind) AS kind, any_value(resident) AS resident,
       any_value(store) AS store, programme, purse, any_value(mode) AS mode, any_value("at") AS "at",
       (sum(paid_yen) + sum(premium_yen))::BIGINT AS amount_yen, sum(paid_yen)::BIGINT AS paid_yen,
       sum(premium_yen)::BIGINT AS premium_yen, bool_or(emptied) AS emptied
  FROM told GROUP BY deed, programme, purse
"""
"""What a deed took from several lots of one purse is one row."""


class LotUnknown(Exception):
    """A deed took from a lot that is nobody's: the two were not read in one snapshot."""


class KeysCollide(Exception):
    """Two deeds, lots or expiries have one hashed number (one chance in some 100,000 for 10 million of them)."""


class Purses:
    """Whose each lot of the city is and what it is for: the view `purses`, looked up by lot."""

    def __init__(self, told: pa.Table) -> None:
        self._lots = pd.Index(told["lot"].to_numpy())
        if not self._lots.is_unique:
            raise KeysCollide("lots")
        self._told = told.drop_columns(["lot"]).combine_chunks()

    def told_of(self, taken: pa.Table) -> pa.Table:
        """What `spending` tells, from what `taken` does. Raises LotUnknown: no lot of one snapshot is."""
        found = self._lots.get_indexer(taken["lot"].to_numpy())
        if (found < 0).any():
            raise LotUnknown
        owned = self._told.take(pa.array(found))
        for name in owned.column_names:
            taken = taken.append_column(name, owned[name])
        return taken


def days_of(frame: Frame, told: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """The rows of a frame that has days, day by day; `told` is what the view of that name says."""
    if frame.name == "spending":
        told = _of_grain(told)
    if told.num_rows == 0:
        return
    at = pc.cast(told["at"], pa.int64()).to_numpy()
    order = np.lexsort((told[frame.key[0]].to_numpy(), at))
    told = told.take(pa.array(order))
    numbers = (at[order] + _TOKYO_US) // _DAY_US
    begins = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    for begin, end in pairwise(begins):
        number = int(numbers[begin])
        stamp = pa.array([number * _DAY_US], pa.int64()).cast(pa.timestamp("us"))[0]
        rows = told.slice(begin, end - begin).append_column("day", pa.repeat(stamp, end - begin))
        yield _EPOCH + timedelta(days=number), _fit(frame, rows)


def residents(told: pa.Table) -> pa.Table:
    """Every resident."""
    frame = FRAMES["residents"]
    days = pa.array(
        [civil_date(instant) for instant in told["joined_at"].to_pylist()],
        pa.date32(),
    )
    return _fit(frame, told.append_column("joined_day", days.cast(pa.timestamp("us"))))


def stores(told: pa.Table) -> pa.Table:
    """Every store as it was in each time; of several changes on one day the last one counts."""
    latest: dict[tuple[str, date], dict[str, Any]] = {}
    for row in sorted(told.to_pylist(), key=lambda row: (row["store"], row["from_at"])):
        latest[row["store"], civil_date(row["from_at"])] = row
    following = {
        before: after for before, after in zip(latest, list(latest)[1:], strict=False) if before[0] == after[0]
    }
    rows = [
        {
            "store": store,
            "from_day": _midnight(day),
            "to_day": _midnight(following[store, day][1]) if (store, day) in following else None,
            "store_class": row["store_class"],
            "category": category_of(row["mcc"]),
            "district": row["district"] or UNKNOWN,
            "merchant": row["merchant"],
        }
        for (store, day), row in latest.items()
    ]
    return pa.Table.from_pylist(rows, schema=schema_of(FRAMES["stores"]))


def programmes(told: pa.Table) -> pa.Table:
    return _fit(FRAMES["programmes"], told)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0))  # a day of a frame has no zone


def _of_grain(told: pa.Table) -> pa.Table:
    """Only deeds that are told twice need be put together; most took from one lot."""
    columns = [name for name in FRAMES["spending"].column_names if name != "day"]
    deeds = np.sort(told["deed"].to_numpy())
    again = np.unique(deeds[1:][deeds[1:] == deeds[:-1]])
    told = told.append_column("amount_yen", pc.add(told["paid_yen"], told["premium_yen"]))
    if not len(again):
        return told.select(columns)
    several = pc.is_in(told["deed"], value_set=pa.array(again))
    once = told.filter(pc.invert(several)).select(columns)
    with duckdb.connect(":memory:", config={"threads": 1}) as engine:
        engine.register("told", told.filter(several))
        together: pa.Table = engine.sql(_SPENDING).to_arrow_table()
    return pa.concat_tables([once, together.select(columns).cast(once.schema)])


def _fit(frame: Frame, rows: pa.Table) -> pa.Table:
    """The frame's columns with its types. An unknown value of a column that allows only some becomes `unknown`."""
    fitted = rows.select(frame.column_names).cast(schema_of(frame)).replace_schema_metadata(None)
    for column in frame.columns:
        if column.dtype is Dtype.INTEGER and column.name in frame.key and len(frame.key) == 1:
            _distinct(frame, fitted[column.name])
    return fitted


def _distinct(frame: Frame, keys: pa.ChunkedArray) -> None:
    if pc.count_distinct(keys).as_py() != len(keys):
        raise KeysCollide(frame.name)
