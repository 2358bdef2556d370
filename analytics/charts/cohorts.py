"""Do they come back: of the people who first paid in a month, the share that paid in each month after."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.charts.axes import tips
from analytics.charts.data import Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.theme import Look

FIELDS: Final = (
    Field("cohort", Kind.MONTH, "the month of the first payment"),
    Field("months_later", Kind.COUNT, "months since then; 0 is the month itself"),
    Field("people", Kind.COUNT, "persons of the cohort who paid in that month"),
    Field("cohort_people", Kind.COUNT, "persons of the cohort"),
    Field("share", Kind.SHARE, "people / cohort_people"),
)

_ROW: Final = 34
_DARK_FROM: Final = 0.588
"""From this share on white is read better than black on the shade, and below black; both with 4.5:1 and more."""


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """A row a cohort, a column a month; the share is written into each cell as well as shaded."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    columns = 1 + max((each["months_later"] for each in records), default=0)
    room = 70
    width = look.shape.width - room - 16
    base = alt.Chart().encode(
        x=alt.X("months_later:O", title=say("insight.column.months_later")).axis(
            labelAngle=0, ticks=False, domain=False, orient="top"
        ),
        y=alt.Y("yearmonth(cohort):O", title=None).axis(
            format="%Y-%m", minExtent=room, maxExtent=room, ticks=False, domain=False
        ),
    )
    cells = base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color("share:Q", scale=alt.Scale(domain=[0, 1]), legend=None), tooltip=tips(FIELDS, say)
    )
    digits = ".0%" if columns * 40 <= width else ".2~f"
    written = base.mark_text().encode(
        text=alt.Text("share:Q", format=digits),
        color=alt.condition(f"datum.share >= {_DARK_FROM}", alt.value("white"), alt.value("black")),
    )
    layers = [cells, written] if columns * 36 <= width else [cells]
    return alt.layer(*layers).properties(width=width, height=alt.Step(_ROW))


COHORTS: Final = ChartKind("cohorts", "a cohort and a month since", FIELDS, ("cohort", "months_later"), draw)
