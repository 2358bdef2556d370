"""From what the views tell to the declared frames: rows of the frame's grain, split by civil day in Japan.

Pure: Arrow tables in, Arrow tables of a frame's schema out.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from analytics.frames import FRAMES, UNKNOWN, Dtype, Frame
from analytics.lake.arrays import KeysCollide, Numbers, in_order, numbers_of
from analytics.lake.category import category_of
from analytics.lake.write import schema_of
from services.kit.clock import civil_date

_TOKYO_US: Final = 9 * 3_600 * 1_000_000
_DAY_US: Final = 86_400 * 1_000_000
_EPOCH: Final = date(1970, 1, 1)


def days_of(frame: Frame, told: pa.Table) -> Iterator[tuple[date, pa.Table]]:
    """The rows of a frame that has days, day by day; `told` is what the view of that name says."""
    if frame.name == "spending":
        told = _of_grain(told)
    if told.num_rows == 0:
        return
    at = numbers_of(told["at"])
    order = _by_time(at, numbers_of(told[frame.key[0]]))
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
    days = (numbers_of(told["joined_at"]) + _TOKYO_US) // _DAY_US * _DAY_US
    return _fit(FRAMES["residents"], told.append_column("joined_day", pa.array(days).cast(pa.timestamp("us"))))


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


def titles(told: pa.Table) -> pa.Table:
    return _fit(FRAMES["titles"], told)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0))  # a day of a frame has no zone


def _by_time(at: Numbers, keys: Numbers) -> Numbers:
    """The order by instant, and by key within one. Rows mostly come in it, and few have an instant in common."""
    order = np.argsort(at, kind="stable")
    sorted_at = at[order]
    again = sorted_at[1:] == sorted_at[:-1]
    tied = np.flatnonzero(np.append(again, False) | np.insert(again, 0, False))
    rows = order[tied]
    order[tied] = rows[np.lexsort((keys[rows], at[rows]))]
    return order


def _of_grain(told: pa.Table) -> pa.Table:
    """What a deed took from several lots of one purse is one row. Only deeds that are told twice need be looked at."""
    columns = [name for name in FRAMES["spending"].column_names if name != "day"]
    deeds = numbers_of(told["deed"])
    ascending = np.sort(deeds)
    again = ascending[1:][ascending[1:] == ascending[:-1]]
    told = told.append_column("amount_yen", pc.add(told["paid_yen"], told["premium_yen"])).select(columns)
    if not len(again):
        return told
    several = np.isin(deeds, again)
    return pa.concat_tables([told.filter(pa.array(~several)), _together(told.filter(pa.array(several)))])


def _together(told: pa.Table) -> pa.Table:
    """In the order of the words themselves: whichever way they were read, and listed, the file is the same."""
    purses = [numbers_of(in_order(told[name]).indices) for name in ("purse", "programme")]
    keys = [*purses, numbers_of(told["deed"])]
    order = np.lexsort(keys)
    new = np.insert(np.any([np.diff(key[order]) != 0 for key in keys], axis=0), 0, True)
    begins = np.flatnonzero(new)
    together = told.take(pa.array(order[begins]))
    for name in ("amount_yen", "paid_yen", "premium_yen"):
        sums = np.add.reduceat(numbers_of(told[name])[order], begins)
        together = together.set_column(together.column_names.index(name), name, pa.array(sums))
    emptied = np.logical_or.reduceat(told["emptied"].to_numpy()[order], begins)
    return together.set_column(together.column_names.index("emptied"), "emptied", pa.array(emptied))


def _fit(frame: Frame, rows: pa.Table) -> pa.Table:
    """The frame's columns with its types. An unknown value of a column that allows only some becomes `unknown`."""
    fitted = rows.select(frame.column_names).cast(_encoded_alike(schema_of(frame), rows)).replace_schema_metadata(None)
    for column in frame.columns:
        if column.dtype is Dtype.INTEGER and column.name in frame.key and len(frame.key) == 1:
            _distinct(frame, fitted[column.name])
    return fitted


def _encoded_alike(schema: pa.Schema, rows: pa.Table) -> pa.Schema:
    """The schema with words as places in a list where the rows have them so."""
    for place, field in enumerate(schema):
        found = rows.schema.field(field.name).type
        if pa.types.is_dictionary(found):
            schema = schema.set(place, field.with_type(found))
    return schema


def _distinct(frame: Frame, keys: pa.ChunkedArray) -> None:
    if pc.count_distinct(keys).as_py() != len(keys):
        raise KeysCollide(frame.name)
