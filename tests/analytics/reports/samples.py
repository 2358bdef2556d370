"""A report of the sample rows, for tests of its forms."""

from datetime import UTC, date, datetime

from analytics.charts.data import Kind
from analytics.reports.gathered import Fact, Gathered
from tests.analytics.charts.samples import figures

SAMPLE = Gathered(
    "星まつり <2026>",
    date(2026, 10, 1),
    date(2027, 1, 31),
    datetime(2027, 2, 1, 3, 0, tzinfo=UTC),
    (
        Fact("issued", Kind.YEN, 867_123_457),
        Fact("used", Kind.YEN, 845_678_901),
        Fact("used_share", Kind.SHARE, 0.975),
        Fact("payments", Kind.COUNT, 912_345),
    ),
    tuple(figures()),
)
