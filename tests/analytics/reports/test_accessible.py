"""The report is for everybody: axe finds nothing, no two labels meet, and nothing is cut off, in every language."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

import locales
from analytics.reports.html import report_page
from tests.analytics.reports.browsing import PATIENCE_MS, chromium
from tests.analytics.reports.samples import SAMPLE
from tests.analytics.reports.test_did_forms import KNOWN

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE, NARROWEST, DESKTOP = 360, 320, 1024
PAPER = 703
"""A4 between margins of 12 mm, in CSS pixels."""

MEETING = """() => {
  const found = [];
  for (const svg of document.querySelectorAll("figure svg")) {
    const whole = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")]
      .filter((text) => text.textContent.trim() && text.getAttribute("opacity") !== "0")
      .map((text) => [text.textContent, text.getBoundingClientRect()])
      .filter(([, box]) => box.width);
    for (const [place, [text, box]] of texts.entries()) {
      if (box.left < whole.left - 1 || box.right > whole.right + 1) found.push([text, "sticks out"]);
      for (const [other, its] of texts.slice(place + 1)) {
        const wide = Math.min(box.right, its.right) - Math.max(box.left, its.left);
        const high = Math.min(box.bottom, its.bottom) - Math.max(box.top, its.top);
        if (wide > 1 && high > box.height / 3) found.push([text, other]);
      }
    }
  }
  return found;
}"""
"""Texts of a chart that lie on each other or leave it; lines of text may touch, as their boxes are higher than they."""

CUT = """() => [...document.querySelectorAll("td, th, h1, h2, p, svg, dd, dt")].filter((each) => {
  const box = each.getBoundingClientRect();
  return box.width && (box.right > innerWidth + 1 || box.left < -1);
}).map((each) => each.textContent.slice(0, 60))"""

BROKEN = """() => [...document.querySelectorAll("#did td:nth-child(2)")].filter((each) => {
  const text = document.createRange();
  text.selectNodeContents(each);
  return text.getClientRects().length > 1;
}).map((each) => each.textContent)"""
"""Values of what the programme did that go on in a second line."""

languages = pytest.mark.parametrize("language", locales.LANGUAGES)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The office's page in each language, with every chart; the heat map, which is the largest, of two districts."""
    hours = SAMPLE.figure("hours")
    few = replace(hours, data=hours.data[hours.data["district"].isin(["港", "八幡"])])
    figures = tuple(few if each.name == "hours" else each for each in SAMPLE.figures)
    folder = tmp_path_factory.mktemp("pages")
    for language in locales.LANGUAGES:
        page = report_page(replace(SAMPLE, figures=figures, did=KNOWN), partial(locales.text, language), language)
        (folder / f"{language}.html").write_text(page)
    return {language: folder / f"{language}.html" for language in locales.LANGUAGES}


def opened(browser: Browser, file: Path, width: int) -> Page:
    """The page with its charts drawn; tables are as the reader finds them."""
    page = browser.new_context(viewport={"width": width, "height": 740}, offline=True).new_page()
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-drawn]", timeout=PATIENCE_MS)
    return page


def violations(page: Page) -> list[tuple[str, Any]]:
    response = Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]})
    assert len(response.response["passes"]) > 20, "axe looked at the page"
    return [(each["id"], [node["target"] for node in each["nodes"]]) for each in response.response["violations"]]


@languages
@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_axe_finds_nothing_on_a_screen(browser: Browser, files: dict[str, Path], language: str, width: int) -> None:
    page = opened(browser, files[language], width)
    assert violations(page) == []
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = !each.open; })")
    assert violations(page) == []
    page.context.close()


@languages
def test_axe_finds_nothing_on_paper_and_nothing_is_cut_off(
    browser: Browser, files: dict[str, Path], language: str
) -> None:
    page = opened(browser, files[language], PAPER)
    page.emulate_media(media="print")
    assert violations(page) == []
    assert page.evaluate(CUT) == []
    assert page.evaluate(BROKEN) == []
    assert page.locator(".screen svg:visible").count() == len(SAMPLE.figures), "paper has room for the wide charts"
    assert page.locator(".phone svg:visible").count() == 0
    page.context.close()


@languages
def test_text_twice_as_large_fits_the_narrowest_phone(browser: Browser, files: dict[str, Path], language: str) -> None:
    page = opened(browser, files[language], NARROWEST)
    before = page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    after = page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    assert after == 2 * before
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROWEST
    assert violations(page) == []
    page.context.close()


@languages
@pytest.mark.parametrize("width", [NARROWEST, PHONE, DESKTOP])
def test_no_two_labels_of_a_chart_meet(browser: Browser, files: dict[str, Path], language: str, width: int) -> None:
    page = opened(browser, files[language], width)
    assert page.locator("figure svg text:visible").count() > 100
    assert page.evaluate(MEETING) == []
    page.context.close()


@languages
def test_a_phone_shows_each_line_of_what_the_programme_did_with_its_value(
    browser: Browser, files: dict[str, Path], language: str
) -> None:
    page = opened(browser, files[language], PHONE)
    rights = page.locator("#did tbody tr td:nth-child(2)").evaluate_all(
        "(cells) => cells.map((cell) => cell.getBoundingClientRect().right)"
    )
    assert len(rights) == len(KNOWN)
    assert max(rights) <= PHONE
    page.context.close()


def test_a_share_in_its_cell_is_read_on_every_shade(browser: Browser, tmp_path: Path) -> None:
    """WCAG 2.2, 1.4.3: 4.5 : 1; axe cannot tell what lies below a text of a picture."""
    shares = [step / 100 for step in range(101)]
    rows = pd.DataFrame(
        {
            "cohort": pd.date_range("2026-01-01", periods=101, freq="MS"),
            "months_later": 0,
            "people": range(101),
            "cohort_people": 100,
            "share": shares,
        }
    )
    kind = SAMPLE.figure("cohorts").kind
    types = {field.name: field.kind.dtype.value for field in kind.fields}
    file = tmp_path / "cohorts.html"
    page_text = report_page(replace(SAMPLE, figures=(kind.of(rows.astype(types)),)), partial(locales.text, "en"), "en")
    file.write_text(page_text)
    page = opened(browser, file, DESKTOP)
    colours = page.evaluate(
        """() => [".mark-rect.role-mark path", ".mark-text.role-mark text"].map((which) =>
          [...document.querySelectorAll(`.screen svg ${which}`)].map((each) => getComputedStyle(each).fill))"""
    )
    cells, texts = ([_luminance(colour) for colour in each] for each in colours)
    assert len(cells) == len(texts) == len(shares)
    ratios = [(max(pair) + 0.05) / (min(pair) + 0.05) for pair in zip(cells, texts, strict=True)]
    assert min(ratios) >= 4.5
    page.context.close()


def _luminance(colour: str) -> float:
    values = [int(part) / 255 for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
