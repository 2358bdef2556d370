"""RFM segments: how lately, how often and for how much each resident pays.

Law: equal values have equal scores, whatever the order of rows. A score is where the middle of all that are
equal stands among the residents, so when all are equal, all are in the middle.
"""

from typing import Any, Final

import pandas as pd

from analytics.frames import Column, Dtype, Frame
from analytics.mining.civil import civil_day
from analytics.mining.engine import query, shaped
from analytics.mining.thresholds import whole_of
from analytics.mining.visits import visits

SEGMENTS: Final = Frame(
    "segments",
    "a resident who has a visit",
    (
        Column("resident", Dtype.INTEGER, "who"),
        Column("recency_days", Dtype.INTEGER, "days from the last visit to `as_of`"),
        Column("frequency", Dtype.INTEGER, "visits"),
        Column("monetary_yen", Dtype.INTEGER, "net spending of these visits, yen"),
        Column("r", Dtype.INTEGER, "score of recency, 1 to bins; the lately seen have the high ones"),
        Column("f", Dtype.INTEGER, "score of frequency, 1 to bins"),
        Column("m", Dtype.INTEGER, "score of spending, 1 to bins"),
        Column("segment", Dtype.TEXT, "the word for r and f; locales `segment.<word>`"),
    ),
    ("resident",),
)

SEGMENT_SIZES: Final = Frame(
    "segment_sizes",
    "a segment",
    (
        Column("segment", Dtype.TEXT, "the word"),
        Column("residents", Dtype.INTEGER, "how many are in it"),
        Column("monetary_yen", Dtype.INTEGER, "what they spent, net, yen"),
    ),
    ("segment",),
)

_WORDS: Final = {
    ("high", "high"): "champions",
    ("high", "middle"): "promising",
    ("high", "low"): "new",
    ("middle", "high"): "loyal",
    ("middle", "middle"): "steady",
    ("middle", "low"): "occasional",
    ("low", "high"): "at_risk",
    ("low", "middle"): "fading",
    ("low", "low"): "lapsed",
}
SEGMENT_WORDS: Final = tuple(sorted(_WORDS.values()))

_TOTALS: Final = """
select resident,
       date_diff('day', max(day)::date, ?::date) as recency_days,
       count(*) as frequency,
       sum(net_yen)::bigint as monetary_yen
from visits where day <= ? group by resident
"""


def segments(spending: pd.DataFrame, as_of: pd.Timestamp, bins: int = 5) -> pd.DataFrame:
    """RFM of every resident with a visit on or before the civil day `as_of` (SEGMENTS), by resident.

    Of n residents, with w worse than someone and e equal to them (themselves included), the score is
    1 + floor(bins * (2w + e) / 2n), reckoned in integers. A score of at most two fifths of the bins is low, one
    above three fifths is high.

    Raises FrameUnfit, DayUnknown, and OutOfRange for bins outside 2 to 100.
    """
    bins = whole_of("bins", bins, 2, 100)
    last = civil_day(as_of)
    found = query(_TOTALS, last, last, visits=visits(spending)[["resident", "day", "net_yen"]])
    found["r"] = _scores(-found["recency_days"], bins)
    found["f"] = _scores(found["frequency"], bins)
    found["m"] = _scores(found["monetary_yen"], bins)
    pairs = zip(_heights(found["r"], bins), _heights(found["f"], bins), strict=True)
    found["segment"] = pd.Series([_WORDS[pair] for pair in pairs], index=found.index, dtype="str")
    return shaped(SEGMENTS, found)


def segment_sizes(segmented: pd.DataFrame) -> pd.DataFrame:
    """How many residents each segment holds and what they spent (SEGMENT_SIZES); segments without one have zeros.

    Raises FrameUnfit, also for a resident who is there twice.
    """
    totals = SEGMENTS.sound(segmented).groupby("segment", as_index=True)["monetary_yen"].agg(["size", "sum"])
    every = totals.reindex(list(SEGMENT_WORDS), fill_value=0)
    return shaped(
        SEGMENT_SIZES,
        pd.DataFrame(
            {"segment": list(SEGMENT_WORDS), "residents": every["size"].array, "monetary_yen": every["sum"].array}
        ),
    )


def _scores(values: "pd.Series[Any]", bins: int) -> "pd.Series[Any]":
    worse = values.rank(method="min").astype("int64") - 1
    equal = values.groupby(values).transform("size").astype("int64")
    return 1 + (bins * (2 * worse + equal)) // (2 * len(values)) if len(values) else values.astype("int64")


def _heights(scores: "pd.Series[Any]", bins: int) -> list[str]:
    return ["low" if 5 * score <= 2 * bins else "high" if 5 * score > 3 * bins else "middle" for score in scores]
