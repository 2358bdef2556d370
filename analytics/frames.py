"""The frames of the lake: what a row means, and every column with its type, unit and words.

They are the one contract of analytics. The lake writes them, the synthetic city writes them, and measures,
mining and evaluation read nothing else; so a function that takes a frame takes it from either, and from any
other source that has these columns. No frame holds a person's name, a telephone number, an address, a device or an
account number: a resident is a number that means nothing outside the lake.

Money is whole yen in `int64`. An instant (`at`, `…_at`) is aware and in Asia/Tokyo, so that `.dt.hour` is an
hour that people lived; a `day` is the civil date there, as `datetime64` at midnight without a zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from analytics.columns import Column as Column  # noqa: PLC0414 - a frame's words, to be had where frames are
from analytics.columns import FrameUnfit as FrameUnfit  # noqa: PLC0414
from analytics.dtypes import TOKYO as TOKYO  # noqa: PLC0414
from analytics.dtypes import Dtype as Dtype  # noqa: PLC0414
from analytics.dtypes import on_their_day, summable
from analytics.words import AGE_BANDS as AGE_BANDS  # noqa: PLC0414
from analytics.words import CATEGORIES as CATEGORIES  # noqa: PLC0414
from analytics.words import KINDS, MODES, ORIGINS, STORE_CLASSES
from analytics.words import UNKNOWN as UNKNOWN  # noqa: PLC0414


@dataclass(frozen=True)
class Frame:
    """A table of the lake: one row per `grain`, partitioned by `partition` (a day column) where it has one."""

    name: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: str | None = None

    @property
    def column_names(self) -> list[str]:
        return [column.name for column in self.columns]

    def empty(self) -> pd.DataFrame:
        """The frame without a row, every column of its type."""
        return pd.DataFrame({column.name: pd.Series(dtype=column.dtype.value) for column in self.columns})

    def conform(self, data: pd.DataFrame) -> pd.DataFrame:
        """The declared columns of `data`, in their order and types; other columns are left out, rows keep their labels.

        A column of another type is converted where nothing is lost or guessed (`analytics.dtypes`). The index loses
        its name, which could be a column's. Raises FrameUnfit for a missing column, a type that says something else,
        an empty value where none may be, a value that is not allowed, a day with a time, and amounts that cannot be
        summed.
        """
        others: dict[str, pd.Series[Any]] = {}
        for column in self.columns:
            values = column.of(self.name, data)
            if str(data[column.name].dtype) != column.dtype.value:
                others[column.name] = values
        fitting = data[self.column_names]
        fitting = fitting.assign(**others) if others else fitting
        parts = [fitting[part.name] for part in _PARTS if part in self.columns]
        if parts and not summable(*parts):
            raise FrameUnfit(frame=self.name, column=", ".join(part.name for part in _PARTS), problem="too_large")
        nameless: Any = [None] * fitting.index.nlevels
        return fitting.rename_axis(index=nameless)

    def sound(self, data: pd.DataFrame) -> pd.DataFrame:
        """As `conform`, and the rows agree: no two have one key, for what is there twice would count twice, and a
        `day` is the civil date in Japan of its `at`. Raises FrameUnfit.
        """
        rows = self.conform(data)
        alike = rows[rows.duplicated(self.key[0], keep=False)]  # most rows are told apart by this alone
        if alike.duplicated(list(self.key)).any():
            raise FrameUnfit(frame=self.name, column=", ".join(self.key), problem="repeated")
        if {"at", "day"} <= set(self.column_names) and not on_their_day(rows["at"], rows["day"]):
            raise FrameUnfit(frame=self.name, column="day", problem="other_day")
        return rows


_RESIDENT: Final = Column("resident", Dtype.INTEGER, "who: a pseudonym of the lake")
_STORE: Final = Column("store", Dtype.TEXT, "the store's public code")
_PROGRAMME: Final = Column("programme", Dtype.TEXT, "the programme's code")
_PURSE: Final = Column("purse", Dtype.TEXT, "the purse's code within its programme")
_DAY: Final = Column("day", Dtype.DAY, "civil date in Asia/Tokyo of `at`")
_PARTS: Final = (
    Column("paid_yen", Dtype.INTEGER, "of it, points that were bought; yen"),
    Column("premium_yen", Dtype.INTEGER, "of it, points that the city gave; yen"),
)

SPENDING: Final = Frame(
    "spending",
    "one purse's part of a payment, cancel or refund; amounts of cancels and refunds are negative",
    (
        Column("deed", Dtype.INTEGER, "the payment, cancel or refund: a pseudonym of the lake"),
        Column("payment", Dtype.INTEGER, "the payment that it is, or that it takes back"),
        Column("kind", Dtype.TEXT, "what it is", allowed=KINDS),
        _RESIDENT,
        _STORE,
        _PROGRAMME,
        _PURSE,
        Column("mode", Dtype.TEXT, "how the payment was made", allowed=MODES),
        Column("at", Dtype.INSTANT, "when"),
        _DAY,
        Column("amount_yen", Dtype.INTEGER, "yen; paid_yen + premium_yen"),
        *_PARTS,
        Column("emptied", Dtype.TRUTH, "the payment left nothing in the wallet"),
    ),
    ("deed", "programme", "purse"),
    "day",
)

LOTS: Final = Frame(
    "lots",
    "points bought or granted together",
    (
        Column("lot", Dtype.INTEGER, "a pseudonym of the lake"),
        _RESIDENT,
        _PROGRAMME,
        _PURSE,
        Column("origin", Dtype.TEXT, "how they came", allowed=ORIGINS),
        Column("at", Dtype.INSTANT, "when they were issued"),
        _DAY,
        Column("usable_from", Dtype.INSTANT, "from when they pay"),
        Column("expires_at", Dtype.INSTANT, "first instant at which they pay no more"),
        *_PARTS,
    ),
    ("lot",),
    "day",
)

EXPIRIES: Final = Frame(
    "expiries",
    "what one lot lost when its time was over",
    (
        Column("expiry", Dtype.INTEGER, "a pseudonym of the lake"),
        Column("lot", Dtype.INTEGER, "whose"),
        _RESIDENT,
        _PROGRAMME,
        _PURSE,
        Column("at", Dtype.INSTANT, "when"),
        _DAY,
        *_PARTS,
    ),
    ("expiry",),
    "day",
)

RESIDENTS: Final = Frame(
    "residents",
    "a person with a wallet",
    (
        _RESIDENT,
        Column("age_band", Dtype.TEXT, "age at the last refresh", allowed=AGE_BANDS),
        Column("district", Dtype.TEXT, "where they live, as proven"),
        Column("joined_day", Dtype.DAY, "civil date on which the wallet was opened"),
    ),
    ("resident",),
)

STORES: Final = Frame(
    "stores",
    "a store as it was in a time: a moved or renamed one has several rows, whose times meet without a gap",
    (
        _STORE,
        Column("from_day", Dtype.DAY, "first civil date on which this was so"),
        Column("to_day", Dtype.DAY, "first civil date on which it was no longer so; NaT while it is", nullable=True),
        Column("store_class", Dtype.TEXT, "large or small", allowed=STORE_CLASSES),
        Column("category", Dtype.TEXT, "what it sells", allowed=CATEGORIES),
        Column("district", Dtype.TEXT, "where it stands"),
        Column("merchant", Dtype.TEXT, "the merchant's public number"),
    ),
    ("store", "from_day"),
)

PROGRAMMES: Final = Frame(
    "programmes",
    "a programme under its published terms",
    (
        _PROGRAMME,
        Column("unit_price_yen", Dtype.INTEGER, "price of one unit, yen"),
        Column("unit_points", Dtype.INTEGER, "points of one unit, of all purses"),
        Column("cap_yen", Dtype.INTEGER, "most that a person buys, yen"),
        Column("stock_units", Dtype.INTEGER, "units for sale"),
        Column("grant_budget_points", Dtype.INTEGER, "points that may be granted"),
        Column("sale_from", Dtype.DAY, "first day of sale"),
        Column("use_from", Dtype.DAY, "first day of use"),
        Column("use_to", Dtype.DAY, "last day of use"),
    ),
    ("programme",),
)

TITLES: Final = Frame(
    "titles",
    "what published terms call a programme, or a purse of it: people read these instead of codes",
    (
        _PROGRAMME,
        Column("purse", Dtype.TEXT, "the purse's code; empty where the title is the programme's own"),
        Column("title", Dtype.TEXT, "the words, in the city's own language"),
    ),
    ("programme", "purse"),
)

APPLICATIONS: Final = Frame(
    "applications",
    "a person's application to a draw",
    (
        Column("draw", Dtype.TEXT, "the draw's code"),
        _RESIDENT,
        _PROGRAMME,
        Column("stratum", Dtype.TEXT, "within which places were drawn; one value where there were none"),
        Column("units_applied", Dtype.INTEGER, "asked for"),
        Column("units_won", Dtype.INTEGER, "drawn; 0 for losers"),
        Column("drawn_day", Dtype.DAY, "civil date of the draw"),
    ),
    ("draw", "resident"),
)

OUTCOMES: Final = Frame(
    "outcomes",
    "what a person spent in a week, from a survey or other books than ours; `source` says which",
    (
        _RESIDENT,
        Column("week", Dtype.DAY, "the Monday"),
        Column("spent_yen", Dtype.INTEGER, "local consumption of that week, all means of payment, yen"),
        Column("source", Dtype.TEXT, "whence: survey, panel, other_purses"),
    ),
    ("resident", "week", "source"),
)

COUPONS: Final = Frame(
    "coupons",
    "a coupon that a person was shown, and used or not",
    (
        Column("coupon", Dtype.TEXT, "the coupon's code"),
        _STORE,
        _RESIDENT,
        Column("shown_day", Dtype.DAY, "civil date"),
        Column("used_day", Dtype.DAY, "civil date; NaT if it was not used", nullable=True),
    ),
    ("coupon", "resident"),
)

FRAMES: Final[Mapping[str, Frame]] = {
    frame.name: frame
    for frame in (
        SPENDING,
        LOTS,
        EXPIRIES,
        RESIDENTS,
        STORES,
        PROGRAMMES,
        TITLES,
        APPLICATIONS,
        OUTCOMES,
        COUPONS,
    )
}
