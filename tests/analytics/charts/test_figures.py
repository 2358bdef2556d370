"""A figure is written once: chart, table and CSV say the same, in words that all come from locales/."""

import csv
import io
import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import locales
from analytics.charts.catalogue import CHARTS
from analytics.charts.data import Kind
from analytics.charts.figure import MOST_ROWS, ChartKind, Figure
from analytics.charts.flows import stays_of
from analytics.charts.names import NAMES, ChartTooLarge, Shape
from analytics.charts.render import svg
from analytics.charts.theme import FIRST, FONT_FAMILIES, SECOND, TEXT_PX, THIRD, Look
from analytics.frames import FrameUnfit
from analytics.sheet_text import neutral
from tests.analytics.charts.samples import figures, samples

EVERY = figures()
by_name = pytest.mark.parametrize("figure", EVERY, ids=lambda figure: figure.name)
by_kind = pytest.mark.parametrize("kind", CHARTS.values(), ids=lambda kind: kind.name)
by_language = pytest.mark.parametrize("language", locales.LANGUAGES)
drawn_by_kind = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(k, id=k.name, marks=() if k.name in {"flows", "hours"} else pytest.mark.long)
        for k in CHARTS.values()
    ],
)
SPOKEN = {"title", "text", "description", "domain", "oneOf", "equal"}
EXPRESSIONS = re.compile(r"^(datum\.|format\(|[a-z0-9_]+:[QNOT]$)")


def in_words(key: str, /, **params: object) -> str:
    """A language in which every text is its own key, so that any other text shows."""
    return f"⟦{key}{sorted(params)}⟧"


def spoken(node: Any, key: str = "") -> Iterator[str]:
    """Every text of a specification that a person would read."""
    if isinstance(node, dict):
        for name, child in node.items():
            if name not in {"data", "config", "field"}:
                yield from spoken(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from spoken(child, key)
    elif isinstance(node, str) and key in SPOKEN:
        yield node


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_words_of_the_hours_are_true_of_a_district_and_of_the_whole_city(language: str) -> None:
    """The page for everybody shows the same chart without districts."""
    says = locales.text(language, "insight.chart.hours.says").lower()
    assert locales.text(language, "insight.value.all").lower() in says
    assert {"ja": "地区別", "en": "each district"}[language] in says


def test_every_chart_can_be_asked_for_by_its_name() -> None:
    assert tuple(CHARTS) == NAMES


@by_name
@pytest.mark.parametrize("language", ["ja", pytest.param("en", marks=pytest.mark.long)])
def test_the_specification_holds_the_rows_of_the_table_to_the_yen(figure: Figure, language: str) -> None:
    say = partial(locales.text, language)
    table = figure.table(say)
    values = figure.spec(Look(say))["data"]["values"]
    names = [field.name for field in figure.kind.fields]
    in_spec = [tuple(each[name] for name in names) for each in values]
    in_table = [tuple(f"{c:%Y-%m-%d}" if isinstance(c, pd.Timestamp) else c for c in row) for row in table.rows]
    assert in_spec == in_table
    for field in figure.kind.fields:
        if field.kind is Kind.YEN:
            assert sum(each[field.name] for each in values) == figure.data[field.name].sum()
            assert all(type(each[field.name]) is int for each in values)


@by_name
def test_the_csv_holds_the_rows_of_the_table(figure: Figure) -> None:
    say = partial(locales.text, "ja")
    read = list(csv.DictReader(io.StringIO(figure.table(say).csv())))
    assert len(read) == len(figure.data)
    for field in figure.kind.fields:
        if field.kind is Kind.YEN:
            assert [int(row[field.head(say)]) for row in read] == figure.data[field.name].to_list()
        if field.kind is Kind.SHARE:
            assert [float(row[field.head(say)]) for row in read] == figure.data[field.name].to_list()


@by_name
def test_every_word_of_a_chart_comes_from_the_languages(figure: Figure) -> None:
    rows = figure.data.to_dict("records")
    named = {value for row in rows for value in row.values() if isinstance(value, str)}
    texts = list(spoken(figure.spec(Look(in_words))))
    assert any("⟦" in each for each in texts)
    assert [t for t in texts if "⟦" not in t and t not in named and not EXPRESSIONS.match(t)] == []


@by_kind
@by_language
def test_every_heading_and_every_code_has_its_word(kind: ChartKind, language: str) -> None:
    say = partial(locales.text, language)
    assert say(f"insight.chart.{kind.name}.title") and say(f"insight.chart.{kind.name}.says")
    for field in kind.fields:
        assert field.head(say)
        for value in field.allowed:
            assert say(f"insight.{field.name}.{value}")


@by_name
@pytest.mark.parametrize("shape", [Shape.PHONE, pytest.param(Shape.PRINT, marks=pytest.mark.long)])
def test_a_chart_fits_its_width_and_its_text_is_large_enough(figure: Figure, shape: Shape) -> None:
    drawn = svg(figure.spec(Look(partial(locales.text, "en"), shape)))
    width = float(re.search(r'<svg[^>]* width="([\d.]+)"', drawn)[1])  # type: ignore[index]
    assert width <= shape.width
    sizes = {float(size) for size in re.findall(r'font-size="([\d.]+)px"', drawn)}
    assert sizes and min(sizes) >= TEXT_PX
    assert all(FONT_FAMILIES[0] in family for family in re.findall(r'font-family="([^"]+)"', drawn))


@drawn_by_kind
def test_a_chart_without_rows_is_drawn_and_has_its_headings(kind: ChartKind) -> None:
    figure = kind.of(kind.frame.empty())
    say = partial(locales.text, "ja")
    assert "<svg" in svg(figure.spec(Look(say, Shape.PHONE)))
    assert figure.table(say).csv().strip() == ",".join(field.head(say) for field in kind.fields)


@by_kind
def test_rows_without_a_column_are_refused(kind: ChartKind) -> None:
    with pytest.raises(FrameUnfit):
        kind.of(samples()[kind.name].drop(columns=kind.fields[-1].name))


def test_a_chart_of_too_many_rows_is_refused() -> None:
    one = samples()["ranking"].head(1)
    with pytest.raises(ChartTooLarge):
        CHARTS["ranking"].of(pd.concat([one] * (MOST_ROWS + 1)))


SIGNS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # a Japanese sheet runs these as well
BLANKS = ("", " ", "\t", "\r", "\n", "\u3000", "\ufeff")


@given(st.builds("".join, st.tuples(st.sampled_from(BLANKS), st.sampled_from(["", *SIGNS]), st.text(max_size=30))))
def test_no_text_of_a_csv_is_taken_for_a_formula(text: str) -> None:
    safe = neutral(text)
    assert not safe.lstrip("".join(BLANKS)).startswith(SIGNS)
    assert not safe.startswith(("\t", "\r", "\n"))
    assert safe.removeprefix("'") == text.removeprefix("'")


def test_a_purse_named_like_a_formula_is_text_in_the_csv_and_an_amount_below_zero_stays_a_number() -> None:
    say = partial(locales.text, "en")
    circulation, flows = (figure for figure in EVERY if figure.name in {"circulation", "flows"})
    assert "'=granted,used," in circulation.table(say).csv()
    assert ",-321," in flows.table(say).csv()


@pytest.mark.parametrize("name", ["ranking", "flows", "hours", "circulation"])
def test_names_with_signs_that_end_a_line_in_a_script_are_drawn_where_they_belong(name: str) -> None:
    rows, say = samples()[name], partial(locales.text, "en")
    named = [field.name for field in CHARTS[name].fields if field.kind is Kind.NAME]
    odd = rows.assign(**{column: rows[column].map(with_line_ends) for column in named})
    plain_texts, odd_texts = (
        re.findall(r">([^<>]+)</text>", svg(CHARTS[name].of(frame).spec(Look(say)))) for frame in (rows, odd)
    )
    assert any("\u2028" in text and "\u2029" in text for text in odd_texts)
    assert [re.sub("[\u2028\u2029]", "", text) for text in odd_texts] == plain_texts


def with_line_ends(name: str) -> str:
    """The name with the two signs that end a line in a script and not in JSON; what stands for no name stays."""
    return name if name in {"unknown", "others"} else f"{name[:1]}\u2028\u2029{name[1:]}"


@pytest.mark.parametrize("largest", [3_620, 9_999])
def test_labels_of_an_axis_do_not_run_into_each_other(largest: int) -> None:
    """The last one ends with its axis, and so stands nearer to its neighbour than the others."""
    rows = samples()["ranking"].head(3).assign(sales_yen=[largest, largest - 200, 2_330])
    say = partial(locales.text, "en")
    for shape in Shape:
        drawn = svg(CHARTS["ranking"].of(rows).spec(Look(say, shape)))
        found = re.findall(
            r'<text text-anchor="(\w+)" transform="translate\(([\d.]+),18\)"[^>]* opacity="1">([\d,]+)</text>', drawn
        )
        ends = [_ends(float(x), text, anchor) for anchor, x, text in found]
        assert len(ends) >= 3
        for (_, left), (right, _) in pairwise(ends):
            assert left + 3 < right, found


def _ends(x: float, text: str, anchor: str) -> tuple[float, float]:
    """Of a number of 14 px: Noto Sans CJK's digits are 7.8 px wide, its commas 3.9."""
    width = 8 * len(text) - 4 * text.count(",")
    before = {"start": 0, "middle": width / 2, "end": width}[anchor]
    return x - before, x - before + width


@by_language
def test_who_lives_nobody_knows_where_is_not_said_to_spend_elsewhere(language: str) -> None:
    flows = pd.DataFrame(
        [("港", "港", 3), ("港", "中央", 5), ("unknown", "港", 7), ("港", "unknown", 9), ("unknown", "unknown", 11)],
        columns=["home", "place", "sales_yen"],
    )
    found = stays_of(flows)
    assert found.tolist() == ["home", "away", "unknown", "unknown", "unknown"]
    say = partial(locales.text, language)
    spec = CHARTS["flows"].of(flows.assign(stays=found).astype({"sales_yen": "int64"})).spec(Look(say))
    colours = next(layer["encoding"]["color"]["scale"] for layer in spec["layer"] if "color" in layer["encoding"])
    words = [say(f"insight.stays.{word}") for word in ("home", "away", "unknown")]
    assert dict(zip(colours["domain"], colours["range"], strict=True)) == dict(
        zip(words, (FIRST, SECOND, THIRD), strict=True)
    )


@by_kind
@by_language
def test_a_chart_of_nothing_says_that_there_is_nothing_to_show(kind: ChartKind, language: str) -> None:
    say = partial(locales.text, language)
    some, none = samples()[kind.name], samples()[kind.name].head(0)
    assert say("insight.chart.empty") not in kind.of(some).says(say)
    assert kind.of(none).says(say).endswith(say("insight.chart.empty"))
