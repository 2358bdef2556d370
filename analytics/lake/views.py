"""Reading a city's `insight` views through ADBC: Arrow tables of one snapshot, a few days at a time.

The views let through a period of whole days that the connection names before it asks: their rows lie in the order
of time, so a period is read in one stretch (docs/insight.md).
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

import pyarrow as pa
from adbc_driver_manager import AdbcStatusCode
from adbc_driver_postgresql import dbapi

from analytics.lake.manifest import LakeSourceLost
from analytics.lake.packed import Columns, statement, unpacked
from services.kit.horizon import Look

_LOOK: Final = """
SELECT clock_timestamp(), pg_snapshot_xmax(pg_current_snapshot())::text::bigint,
       pg_snapshot_xmin(pg_current_snapshot())::text::bigint
"""
_SERVED_BY: Final = "SELECT pg_backend_pid() AS pid, current_database() AS name WHERE inet_server_addr() IS NULL"

_LOST: Final = ("08", "57P")
"""SQLSTATEs begin so where a connection broke, or the server ended it, is starting or stopping."""

Opened = Callable[[int, str], object]
"""Hears the number of the server's process behind a connection and the name of its database, where the way to it is a
socket of this machine."""

COLUMNS: Final = {
    "spending": (
        "deed, payment, kind, resident, store, programme, purse, mode, at, lot, paid_yen, premium_yen, emptied"
    ),
    "lots": "lot, resident, programme, purse, origin, at, usable_from, expires_at, paid_yen, premium_yen",
    "expiries": "expiry, lot, resident, programme, purse, at, paid_yen, premium_yen",
    "residents": "resident, joined_at, age_band, district",
    "stores": "store, from_at, store_class, mcc, district, merchant",
    "programmes": (
        "programme, unit_price_yen, unit_points, cap_yen, stock_units, grant_budget_points, sale_from, use_from, use_to"
    ),
    "titles": "programme, purse, title",
}
"""What is read of each view, by name: a view may grow columns without asking us."""

APART: Final = {
    "purses": "lot, resident, programme, purse",
    "shops": "shop, store",
    "returned": "deed, payment, kind, store, mode, at, lot, paid_yen, premium_yen, emptied",
}
"""What `spending` tells, in pieces: these, and the views that are read as columns (`analytics.lake.packed`), which
`analytics.lake.paid` puts together. Of many days this is the shorter way."""

NEAR: Final = {"relations": "resident, store, relation", "means": "resident, kind, means"}
"""Views that alerts ask of besides (`analytics.alerts.relations`). They come into no lake, and know no days."""


@dataclass(frozen=True)
class Days:
    """Civil dates in Japan from `first` until before `end`; None is open."""

    first: date | None
    end: date | None

    def holds(self, day: date) -> bool:
        return (self.first is None or self.first <= day) and (self.end is None or day < self.end)

    @property
    def count(self) -> int | None:
        """How many; None for a period that is open."""
        return None if self.first is None or self.end is None else (self.end - self.first).days


class Views:
    """One connection in one repeatable-read transaction; everything it reads is of one moment."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._period = Days(None, None)

    def ask(self, statement: str, days: Days | None = None) -> pa.Table:
        """The rows of a statement on the views, restricted to these days where a view heeds them."""
        period = days or Days(None, None)
        with self._connection.cursor() as cursor:
            if period != self._period:  # it holds as long as the transaction does
                for name, day in (("first_day", period.first), ("end_day", period.end)):
                    cursor.execute(f"SET LOCAL insight.{name} = '{day.isoformat() if day else ''}'")
                self._period = period
            cursor.execute(statement)
            return cursor.fetch_arrow_table()

    def rows(self, view: str, days: Days | None = None) -> pa.Table:
        """A view's columns as `COLUMNS`, `APART` or `NEAR` names them."""
        return self.ask(f"SELECT {(COLUMNS | APART | NEAR)[view]} FROM {view}", days)  # noqa: S608  # names of ours

    def columns(self, view: str, days: Days) -> Columns:
        """A view's columns as `analytics.lake.packed` names them."""
        return unpacked(view, self.ask(statement(view), days))

    def look(self) -> Look:
        """Which transactions this snapshot sees, for `services.kit.horizon`; `own` is the next that begins to write."""
        [row] = self.ask(_LOOK).to_pylist()
        at, own, oldest_open = row.values()
        return Look(_aware(at), own, oldest_open)

    def snapshot(self) -> str:
        """A name under which `open_views` sees the very same moment while this is open."""
        [row] = self.ask("SELECT pg_export_snapshot() AS name").to_pylist()
        return str(row["name"])


@contextmanager
def open_views(uri: str, snapshot: str | None = None, opened: Opened | None = None) -> Iterator[Views]:
    """A connection to the views in a transaction of its own, or on another's snapshot. `uri` is libpq's.

    `opened` hears who serves it, before anything is read. Raises LakeSourceLost, also of what is asked meanwhile.
    """
    try:
        with closing(dbapi.connect(uri)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                if snapshot is not None:
                    cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
            views = Views(connection)
            if opened is not None:
                for row in views.ask(_SERVED_BY).to_pylist():
                    opened(row["pid"], row["name"])
            try:
                yield views
            finally:
                with suppress(dbapi.OperationalError):  # a server that is gone has nothing left to take back
                    connection.rollback()
    except dbapi.OperationalError as error:
        if not _lost(error):
            raise
        # The driver's words hold the statement and may hold rows: they go no further.
        raise LakeSourceLost from None


def _lost(error: dbapi.OperationalError) -> bool:
    """Whether the connection is what failed. What the server refuses has a SQLSTATE; what never came back has none."""
    if error.sqlstate is None:
        return bool(error.status_code is AdbcStatusCode.IO)
    return bool(error.sqlstate.startswith(_LOST))


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
