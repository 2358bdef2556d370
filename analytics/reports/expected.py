"""The forecast of use as the curve of a chart: the lots of a programme together, joined to what was counted."""

from datetime import date
from typing import Final

import pandas as pd

from analytics.lake.lake import Source

_NAMES: Final = {"used_yen": "used_yen", "used_low": "low_yen", "used_high": "high_yen"}


def expected_use(source: Source, programme: str, last: date, used_yen: int) -> pd.DataFrame:
    """Rows `day, known, used_yen, low_yen, high_yen` after `last`, at the end of which `used_yen` were used.

    Lots that end on different days are forecast apart and summed; what had its end already is in `used_yen`. Without
    a row where nothing is outstanding, or where too little has happened for a forecast.
    """
    from analytics.evaluation.estimates import NotEstimable  # noqa: PLC0415  # loads statistics that few reports need
    from analytics.forecast.use import forecast_use  # noqa: PLC0415

    frames = (source.frame(name, last=last) for name in ("lots", "spending", "expiries"))
    now = pd.Timestamp(last)
    try:
        found = forecast_use(*frames, as_of=now, programme=programme)
    except NotEstimable:
        found = pd.DataFrame()
    if found.empty:
        return pd.DataFrame(columns=["day", "known", *_NAMES.values()])
    days = found.pivot_table(index="day", columns="last_day", values=list(_NAMES), aggfunc="sum")
    whole = days.sort_index().ffill().T.groupby(level=0).sum().T
    curve = whole + (used_yen - whole["used_yen"].iloc[0])
    curve = curve[curve.index > now].round().astype("int64").rename(columns=_NAMES)
    told: pd.DataFrame = curve.reset_index().assign(known="forecast")
    return told
