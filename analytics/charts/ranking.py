"""Which stores sell most, and what remains for all others."""

from collections.abc import Mapping
from typing import Any, Final

from analytics.charts.axes import tips, yen_labels
from analytics.charts.data import OTHERS, Field, Kind
from analytics.charts.figure import ChartKind
from analytics.charts.theme import FIRST, Look, margin_for, yen_scale

FIELDS: Final = (
    Field("rank", Kind.COUNT, "1 is the largest; stores of equal sales in the order of their codes"),
    Field("store", Kind.NAME, f"the store's public code; `{OTHERS}` in the last row, which sums those not named"),
    Field("stores", Kind.COUNT, "stores in the row: 1, and in the last row those not named", adds=True),
    Field("category", Kind.WORD, "what the store sells; `mixed` in the last row"),
    Field("district", Kind.NAME, f"where it stands; `{OTHERS}` in the last row"),
    Field("sales_yen", Kind.YEN, "payments less cancels and refunds, yen", adds=True),
    Field("share", Kind.SHARE, "of the sales of all stores"),
)

_ROW: Final = 26
_LABEL_NARROW: Final = 150
_LABEL: Final = 260


def draw(records: list[Mapping[str, Any]], look: Look) -> Any:
    """Bars of the named stores; the sum of the others is in the table, where it hides nobody's bar."""
    import altair as alt  # noqa: PLC0415

    say = look.say
    others = say(f"insight.value.{OTHERS}")
    named = [each for each in records if each["store"] != others]
    room = margin_for([_name(each) for each in named], _LABEL_NARROW if look.narrow else _LABEL)
    unit = yen_scale(max((each["sales_yen"] for each in named), default=0))
    base = (
        alt.Chart()
        .transform_filter(alt.FieldOneOfPredicate(field="rank", oneOf=[each["rank"] for each in named]))
        .transform_calculate(name="datum.store + ' ' + datum.category")
        .encode(
            y=alt.Y("name:N", title=None, sort=alt.EncodingSortField("rank")).axis(
                labelLimit=room, minExtent=room, maxExtent=room, ticks=False, domain=False
            ),
            x=alt.X("sales_yen:Q", title=say("insight.axis.sales", unit=say(unit.key))).axis(
                labelExpr=yen_labels(unit), tickCount=3 if look.narrow else 6, domain=False
            ),
            tooltip=tips(FIELDS, say),
        )
    )
    return base.mark_bar(color=FIRST).properties(width=look.shape.width - room - 22, height=alt.Step(_ROW))


def _name(record: Mapping[str, Any]) -> str:
    return f"{record['store']} {record['category']}"


RANKING: Final = ChartKind("ranking", "a store", FIELDS, ("rank",), draw)
