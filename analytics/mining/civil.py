"""Civil days in Japan, as mining is asked about them."""

from datetime import date
from typing import Any

import pandas as pd

from analytics.dtypes import TOKYO


def civil_day(given: date) -> pd.Timestamp:
    """The civil day of a date or a time, at midnight without a zone; an aware time has its date in Japan, NaT none."""
    moment: Any = pd.Timestamp(given)
    if pd.notna(moment):
        moment = moment if moment.tzinfo is None else moment.tz_convert(TOKYO).tz_localize(None)
        moment = moment.normalize()
    day: pd.Timestamp = moment
    return day
