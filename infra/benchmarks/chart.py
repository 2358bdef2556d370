"""The results as a drawing: how many times TPC-B each is, with the goals as marks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import altair as alt

_LABELS = {
    "tpcb_per_s": "pgbench TPC-B",
    "minimal_per_s": "pgbench, minimal payment",
    "naive_orm_per_s": "ORM and FastAPI, naive",
    "pay_zipf_128": "payments, 128 connections",
    "pay_zipf_32": "payments, 32 connections",
    "pay_one_store_128": "all to one store",
    "pay_codes_128": "signed pay codes",
    "pay_10m_rows_128": "10 million rows in the ledger",
    "pay_plain_128": "one by one (plain path)",
    "pay_half_load": "at half the load, arrivals at random",
}
_OURS, _THEIRS, _GOAL = "#2a6f97", "#9aa5b1", "#ffb703"
_SIZE = 14


def draw(found: Mapping[str, Any], path: Path) -> None:
    """Write an SVG of the results in the shape of `bench.json`."""
    tpcb = found["references"]["tpcb_per_s"]
    bars = [
        {"name": _LABELS.get(name, name), "ratio": rate / tpcb, "who": "reference", "per_s": f"{rate:,.0f}/s"}
        for name, rate in found["references"].items()
    ] + [
        {
            "name": _LABELS.get(each["name"], each["name"]),
            "ratio": each["ratio_tpcb"],
            "who": "over HTTP",
            "per_s": f"{each['per_s']:,.0f}/s",
        }
        for each in found["results"]
    ]
    order = [each["name"] for each in bars]
    goals = _goal_marks(found)
    longest = max(*(each["ratio"] for each in bars), *(each["goal"] for each in goals), 0.0)
    room = longest * 1.15  # for the words behind the longest bar, and for the goals that are missed
    axis = alt.Y("name:N", sort=order, title=None, axis=alt.Axis(labelLimit=320))
    base = alt.Chart(alt.InlineData(values=bars)).encode(y=axis)
    colour = alt.Color("who:N", scale=alt.Scale(domain=["reference", "over HTTP"], range=[_THEIRS, _OURS]), title=None)
    drawn = base.mark_bar().encode(
        x=alt.X("ratio:Q", title="times pgbench TPC-B, in the same run", scale=alt.Scale(domain=[0, room], nice=False)),
        color=colour,
    )
    words = base.mark_text(align="left", dx=6, fontSize=_SIZE - 1).encode(x="ratio:Q", text="per_s:N")
    marks = (
        alt.Chart(alt.InlineData(values=goals))
        .mark_tick(color=_GOAL, opacity=1, thickness=4, size=24)
        .encode(y=axis, x="goal:Q")
    )
    title = {
        "text": "Payments per second over HTTP against the database's own benchmark",
        "subtitle": [
            f"{found['machine']['cpu']}, {found['machine']['cores']} cores; PostgreSQL "
            f"{found['settings']['server_version']}, fsync {found['settings']['fsync']}, "
            f"synchronous_commit {found['settings']['synchronous_commit']}",
            "yellow marks: the goals",
        ],
    }
    chart = (
        alt.layer(drawn, words, marks)
        .properties(width=620, height=alt.Step(34), title=title, padding=16)
        .configure(font="sans-serif", background="white")
        .configure_axis(labelFontSize=_SIZE, titleFontSize=_SIZE)
        .configure_legend(labelFontSize=_SIZE, orient="bottom")
        .configure_title(fontSize=_SIZE + 4, subtitleFontSize=_SIZE - 1, anchor="start", offset=14)
    )
    chart.save(str(path), format="svg")


def _goal_marks(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Goals on throughput, on the scale of the bars."""
    ratios = {each["name"]: each["ratio_tpcb"] for each in found["results"]}
    return [
        {
            "name": _LABELS.get(each["name"], each["name"]),
            "goal": each["bound"] * (1.0 if each["words"] == "times TPC-B" else ratios["pay_zipf_128"]),
        }
        for each in found["goals"]
        if each["at_least"]
    ]
