"""Pieces that several charts share: axes in yen, and what a pointer is told."""

from typing import Any

from analytics.charts.data import Field, Kind, Say
from analytics.charts.theme import YenScale


def yen_labels(unit: YenScale) -> str:
    """The Vega expression that writes an axis in `unit`; the data stay in yen."""
    return f"format(datum.value / {unit.yen}, ',~r')"


def yen_axis(unit: YenScale, ticks: int = 5) -> Any:
    """An upright axis in `unit`, its title lying above it, where a narrow chart has room."""
    import altair as alt  # noqa: PLC0415

    return alt.Axis(
        labelExpr=yen_labels(unit),
        tickCount=ticks,
        titleAngle=0,
        titleAlign="left",
        titleAnchor="start",
        titleBaseline="bottom",
        titleX=0,
        titleY=-10,
        domain=False,
        ticks=False,
    )


def tips(fields: tuple[Field, ...], say: Say) -> list[Any]:
    """Every field of a row with its heading, amounts to the yen."""
    import altair as alt  # noqa: PLC0415

    formats = {Kind.YEN: ",", Kind.COUNT: ",", Kind.SHARE: ".1%", Kind.DAY: "%Y-%m-%d", Kind.MONTH: "%Y-%m"}
    types: dict[Kind, Any] = {Kind.DAY: "temporal", Kind.MONTH: "temporal", Kind.HOUR: "ordinal"}
    return [
        alt.Tooltip(
            field.name,
            type=types.get(field.kind, "quantitative" if field.kind.is_number else "nominal"),
            title=field.head(say),
            format=formats.get(field.kind, alt.Undefined),
        )
        for field in fields
    ]
