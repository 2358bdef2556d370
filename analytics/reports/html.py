"""The report as one page that opens anywhere: no server, no network, and no JavaScript needed to read it.

Everything is inside: the rows, the specifications, pictures of every chart for a wide and a narrow window, the
tables, each as CSV behind a link, and the Vega libraries as `vl-convert` brings them. With JavaScript the charts
are drawn anew from the same rows and tell their figures where a pointer rests. A policy inside the page forbids it
to fetch anything.
"""

import base64
import json
from collections.abc import Iterator
from functools import cache
from html import escape
from typing import Any, Final

from analytics.charts.data import Say, Table
from analytics.charts.figure import Figure
from analytics.charts.names import Shape
from analytics.charts.render import VEGA_LITE, svg
from analytics.charts.theme import Look
from analytics.reports.did import HEADS, SAYS, TITLE, lines
from analytics.reports.gathered import Gathered

_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'; img-src data:; "
    "base-uri 'none'; form-action 'none'"
)
_SHAPES: Final = (Shape.SCREEN, Shape.PHONE)
_LONG: Final = 30
"""Rows of a table that a page shows unfolded."""

STYLE: Final = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 784px; padding: 16px; background: #fff; color: #1a1a1a;
  font: 1rem/1.7 "Noto Sans CJK JP", "BIZ UDGothic", "Hiragino Sans", "Yu Gothic UI", Meiryo, sans-serif;
  overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.4; margin: 0 0 8px; }
h2 { font-size: 1.3rem; line-height: 1.4; margin: 48px 0 4px; }
a { color: #00569e; display: inline-block; padding: 4px 0; }
nav a { display: block; }
a:focus-visible, summary:focus-visible, .scroll:focus-visible { outline: 4px solid #000; outline-offset: 2px;
  box-shadow: 0 0 0 2px #ffd43d; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; margin: 16px 0; }
dd { margin: 0; }
dl.facts { grid-template-columns: repeat(auto-fill, minmax(150px, 1fr)); }
dl.facts div { border-top: 3px solid #00569e; padding: 6px 0; display: flex; flex-direction: column; }
dl.facts dd { font-size: 1.25rem; font-weight: bold; }
figure { margin: 16px 0; }
figure svg { display: block; max-width: 100%; height: auto; }
.phone { display: none; }
@media (max-width: 767px) { .screen { display: none; } .phone { display: block; } }
.scroll { overflow: auto; max-height: 480px; border: 1px solid #b3b3b3; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 8px; font-weight: bold; }
th, td { padding: 4px 10px; border-bottom: 1px solid #d9d9d9; text-align: left; white-space: nowrap; }
@media (max-width: 767px) { th, td { padding: 4px 5px; } .plain td { white-space: normal; min-width: 5em; }
  .plain .number { white-space: nowrap; min-width: 0; } }
#did th, #did td { vertical-align: top; white-space: normal; }
#did .number { white-space: nowrap; }
#did [scope="row"] { min-width: 8rem; }
#did td:last-child { min-width: 14rem; }
thead th { background: #f1f1f1; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; padding: 8px 0; color: #00569e; min-height: 44px; }
.vg-tooltip { font-family: inherit !important; font-size: 14px !important; }
@media print { body { max-width: none; padding: 0; } .phone { display: none; } .screen { display: block; }
  nav, .csv, details:not([open]) { display: none; } .scroll { max-height: none; overflow: visible; border: 0; }
  th, td, #did .number { white-space: normal; overflow-wrap: break-word; } #did th, #did td { min-width: 0; }
  #did td:nth-child(2) { white-space: nowrap; }
  h2 { break-after: avoid; } section, tr { break-inside: avoid; } }
"""

_DRAW: Final = """
(() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const narrow = window.matchMedia("(max-width: 767px)");
  const draw = async () => {
    for (const chart of document.querySelectorAll("[data-chart]")) {
      const shape = narrow.matches ? "phone" : "screen";
      const place = chart.querySelector("." + shape);
      if (place.dataset.drawn) continue;
      place.dataset.drawn = "yes";
      const spec = read("spec-" + shape + "-" + chart.dataset.chart);
      spec.data = { values: read("rows-" + chart.dataset.chart) };
      const fresh = document.createElement("div");
      await vegaEmbed(fresh, spec, { actions: false, renderer: "svg" });
      place.replaceChildren(fresh);
    }
    document.documentElement.dataset.drawn = "yes";
  };
  narrow.addEventListener("change", draw);
  draw();
})();
"""


def report_page(gathered: Gathered, say: Say, language: str, title: str = "insight.report.title") -> str:
    """The page in one language; `language` is its name in `locales` and `title` the key of its heading."""
    heading = say(title, programme=gathered.called)
    sections = "\n".join(_section(figure, say) for figure in gathered.figures)
    told = "" if gathered.did is None else f'<li><a href="#did">{escape(say(TITLE))}</a></li>'
    contents = told + "".join(
        f'<li><a href="#{each.name}">{escape(each.title(say))}</a></li>' for each in gathered.figures
    )
    return f"""<!doctype html>
<html lang="{_lang(language)}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{escape(heading)}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>{escape(heading)}</h1>
<dl>{_pairs(gathered, say)}</dl>
<p>{escape(_note(gathered, say))}</p>
<dl class="facts">{_facts(gathered, say)}</dl>
<nav aria-label="{escape(say("insight.report.contents"))}"><ul>{contents}</ul></nav>
</header>
<main>
{_did(gathered, say)}
{sections}
</main>
<script>{_library()}</script>
<script>{_DRAW}</script>
</body>
</html>
"""


def _did(gathered: Gathered, say: Say) -> str:
    """What the programme did: a table without a picture, because these numbers must not be added up."""
    if gathered.did is None:
        return ""
    title = escape(say(TITLE))
    heads = "".join(f'<th scope="col">{escape(say(head))}</th>' for head in HEADS)
    rows = "".join(
        f'<tr><th scope="row">{escape(head)}</th><td class="number">{escape(value)}</td>'
        f'<td class="number">{escape(between)}</td><td>{escape(how)}</td></tr>'
        for head, value, between, how in lines(gathered.did, say)
    )
    return f"""<section id="did" aria-labelledby="did-title">
<h2 id="did-title">{title}</h2>
<p>{escape(say(SAYS))}</p>
<div class="scroll" tabindex="0" role="group" aria-label="{title}">
<table><caption>{title}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
</div></section>"""


def _note(gathered: Gathered, say: Say) -> str:
    if gathered.hidden is None:
        return say("insight.report.internal")
    return say("insight.report.protected", hidden=gathered.hidden)


def _lang(language: str) -> str:
    """やさしい日本語 is Japanese to a screen reader."""
    return language.partition("-")[0]


def _pairs(gathered: Gathered, say: Say) -> str:
    return "".join(f"<dt>{escape(head)}</dt><dd>{escape(text)}</dd>" for head, text in gathered.heads(say))


def _facts(gathered: Gathered, say: Say) -> str:
    return "".join(
        f"<div><dt>{escape(fact.head(say))}</dt><dd>{escape(fact.written(say))}</dd></div>" for fact in gathered.facts
    )


def _section(figure: Figure, say: Say) -> str:
    title, table = escape(figure.title(say)), figure.table(say)
    specs = {shape: figure.spec(Look(say, shape)) for shape in _SHAPES}
    pictures = "".join(
        f'<div class="{shape}">{_named(svg(spec), f"{figure.name}-{shape}")}</div>' for shape, spec in specs.items()
    )
    return f"""<section id="{figure.name}" aria-labelledby="{figure.name}-title">
<h2 id="{figure.name}-title">{title}</h2>
<p>{escape(figure.says(say))}</p>
<figure data-chart="{figure.name}" role="img" aria-label="{title}">{pictures}</figure>
{"".join(_data(figure.name, specs))}
{_shown(table, figure, say)}
<p class="csv"><a download="{figure.name}.csv" href="{_csv(table)}">{escape(say("insight.report.csv"))}</a></p>
</section>"""


def _named(picture: str, prefix: str) -> str:
    """The picture with ids of its own: a page that holds two with the same id paints with the first one's colours."""
    return picture.replace('id="', f'id="{prefix}-').replace("url(#", f"url(#{prefix}-")


def _data(name: str, specs: dict[Shape, dict[str, Any]]) -> Iterator[str]:
    """The rows once, and a specification without rows for each width."""
    yield _json(f"rows-{name}", specs[Shape.SCREEN]["data"]["values"])
    for shape, spec in specs.items():
        yield _json(f"spec-{shape}-{name}", {key: value for key, value in spec.items() if key != "data"})


def _json(identity: str, value: Any) -> str:
    """JSON that cannot end its element, whatever names it holds."""
    text = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{identity}">{text}</script>'


def _shown(table: Table, figure: Figure, say: Say) -> str:
    title = escape(figure.title(say))
    numbers = ['class="number"' if field.kind.is_number else "" for field in table.fields]
    heads = "".join(
        f'<th scope="col" {how}>{escape(head)}</th>' for head, how in zip(table.heads, numbers, strict=True)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td {how}>{escape(cell)}</td>" for cell, how in zip(row, numbers, strict=True)) + "</tr>"
        for row in table.written(say)
    )
    unfolded = " open" if len(table.rows) <= _LONG else ""
    return f"""<details{unfolded}><summary>{escape(say("insight.report.table", rows=f"{len(table.rows):,}"))}</summary>
<div class="scroll" tabindex="0" role="group" aria-label="{title}">
<table class="plain"><caption>{title}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>
</div></details>"""


def _csv(table: Table) -> str:
    """The CSV as an address, with the mark by which spreadsheets know UTF-8."""
    return "data:text/csv;charset=utf-8;base64," + base64.b64encode(table.csv().encode("utf-8-sig")).decode()


@cache
def _library() -> str:
    """Vega, Vega-Lite and Vega-Embed for a page; no text in them ends the element that they stand in."""
    import vl_convert  # noqa: PLC0415

    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=VEGA_LITE)
    return bundle.replace("</script", "<\\/script")
