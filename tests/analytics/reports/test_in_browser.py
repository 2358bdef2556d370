"""The report opens in a browser without a network: charts drawn, nothing complained of, no wider than a phone."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser

import locales
from analytics.charts.theme import TEXT_PX
from analytics.reports.html import report_page
from tests.analytics.reports.browsing import PATIENCE_MS, chromium
from tests.analytics.reports.samples import SAMPLE


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every chart; the heat map, which is the largest by far, with two districts."""
    hours = SAMPLE.figure("hours")
    few = replace(hours, data=hours.data[hours.data["district"].isin(["港", "八幡"])])
    figures = tuple(few if each.name == "hours" else each for each in SAMPLE.figures)
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(report_page(replace(SAMPLE, figures=figures), partial(locales.text, "ja"), "ja"))
    return file


def test_a_phone_draws_every_chart_without_a_network_and_nothing_sticks_out(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 740}, offline=True, locale="ja-JP")
    page, said, asked = context.new_page(), [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=PATIENCE_MS)
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert page.locator(".phone .vega-embed svg:visible").count() == len(SAMPLE.figures)
    assert page.locator(".screen svg:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    texts = page.locator(".phone .vega-embed svg").all_text_contents()
    assert any("ドラッグストア" in text for text in texts)
    sizes = page.evaluate(
        "[...document.querySelectorAll('.phone svg text')].map(text => parseFloat(getComputedStyle(text).fontSize))"
    )
    assert min(sizes) >= TEXT_PX
    context.close()


def test_without_javascript_pictures_and_tables_are_there(browser: Browser, page_file: Path) -> None:
    context = browser.new_context(viewport={"width": 1024, "height": 740}, offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator(".screen svg:visible").count() == len(SAMPLE.figures)
    assert page.locator("table").count() == len(SAMPLE.figures)
    assert page.get_by_role("link", name=locales.text("ja", "insight.report.csv")).count() == len(SAMPLE.figures)
    context.close()
