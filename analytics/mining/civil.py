"""Civil days in Japan, as mining and forecasts are asked about them."""

from datetime import date
from typing import Any

import pandas as pd

from analytics.dtypes import TOKYO
from analytics.mining.refusals import DayUnknown


def civil_day(given: date) -> pd.Timestamp:
    """The civil day of a date or a time, at midnight without a zone; an aware time has its date in Japan.

    Raises DayUnknown for none, such as NaT, and for a text that names none.
    """
    try:
        moment: Any = pd.Timestamp(given)
    except ValueError:
        raise DayUnknown(value=str(given)[:20]) from None
    if pd.isna(moment):
        raise DayUnknown(value=str(given)[:20])
    moment = moment if moment.tzinfo is None else moment.tz_convert(TOKYO).tz_localize(None)
    day: pd.Timestamp = moment.normalize()
    return day


def last_day(through: date | None, days: "pd.Series[pd.Timestamp]") -> pd.Timestamp | None:
    """The civil day of `through`, or where that is not given the last of `days`; None where these are none."""
    if through is not None:
        return civil_day(through)
    return None if days.empty else civil_day(days.max())
