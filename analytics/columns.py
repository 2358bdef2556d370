"""A declared column: what it says, and the values of a frame that say it, or the refusal that names what is wrong."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import pandas as pd

from analytics.dtypes import Dtype, Lossy, at_midnight, converted, summable
from services.kit.errors import Refusal

_AMOUNTS: Final = ("_yen", "_points")


class FrameUnfit(Refusal):
    """A frame has not the columns that it must have: `frame`, `column`, and `problem`, a word of what is wrong.

    `problem` is `missing`, `twice` (two columns of one name), `type` (with `expected` and `found`), `empty_value`,
    `not_allowed` (with `found`), `not_midnight` (a day with a time), `other_day` (a `day` that is not the civil date in
    Japan of its row's `at`), `too_large` (yen or points whose sum no int64 holds), `repeated` (rows of one key),
    `not_one` (a coupon of several stores) or `read_alike` (two sets of stores have one text).
    """

    code: ClassVar[str] = "frame_unfit"


@dataclass(frozen=True)
class Column:
    """One column. `nullable` instants and days use NaT; `allowed` lists the only values, empty for any."""

    name: str
    dtype: Dtype
    meaning: str
    nullable: bool = False
    allowed: tuple[str, ...] = ()

    def of(self, frame: str, data: pd.DataFrame) -> "pd.Series[Any]":
        """The column in `data`, converted where it is of another type. Raises FrameUnfit, which names `frame`."""
        if self.name not in data.columns:
            raise FrameUnfit(frame=frame, column=self.name, problem="missing")
        values: Any = data[self.name]
        if isinstance(values, pd.DataFrame):
            raise FrameUnfit(frame=frame, column=self.name, problem="twice")
        if not self.nullable and values.isna().any():
            raise FrameUnfit(frame=frame, column=self.name, problem="empty_value")
        if str(values.dtype) != self.dtype.value:
            values = self._converted(frame, values)
        self._check(frame, values)
        column: pd.Series[Any] = values
        return column

    def _converted(self, frame: str, values: "pd.Series[Any]") -> "pd.Series[Any]":
        try:
            return converted(values, self.dtype)
        except Lossy:
            found = str(values.dtype)[:60]
            raise FrameUnfit(
                frame=frame, column=self.name, problem="type", expected=self.dtype.value, found=found
            ) from None

    def _check(self, frame: str, values: "pd.Series[Any]") -> None:
        if self.dtype is Dtype.DAY and not at_midnight(values):
            raise FrameUnfit(frame=frame, column=self.name, problem="not_midnight")
        if self.name.endswith(_AMOUNTS) and self.dtype is Dtype.INTEGER and not summable(values):
            raise FrameUnfit(frame=frame, column=self.name, problem="too_large")
        if self.allowed:
            strangers = set(values.dropna().unique()) - set(self.allowed)
            if strangers:
                raise FrameUnfit(
                    frame=frame, column=self.name, problem="not_allowed", found=str(min(map(str, strangers)))[:60]
                )
