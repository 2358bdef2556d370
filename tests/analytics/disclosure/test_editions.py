"""Two editions of open data, each safe, tell of the days between them: the attack on a store, and what stops it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import locales
from analytics.disclosure.differencing import Differencing
from analytics.disclosure.open_data import OpenData, Wish, open_data
from analytics.disclosure.package import Words
from analytics.disclosure.protect import PLAIN
from analytics.disclosure.publish import publish
from analytics.lake.lake import InMemory
from analytics.reports.public import gather_public, publish_public
from tests.analytics.disclosure.conftest import KEY
from tests.analytics.hand import frame

NOW = datetime(2026, 5, 1, tzinfo=UTC)
FIRST, HALF, LAST = date(2026, 4, 1), date(2026, 4, 10), date(2026, 4, 20)
GIANT = "medical-0"
WORDS: dict[str, Words] = {"en": partial(locales.text, "en")}
SHOPS = 8
BOUGHT = 5_000


def bought(category: str, day: int, yen: int = BOUGHT, shops: int = SHOPS) -> list[dict[str, Any]]:
    """Each of 64 residents once, shared among so many shops."""
    at = f"2026-04-{day:02d}T12:00+09:00"
    return [
        {"resident": who, "store": f"{category}-{who % shops}", "at": at, "amount_yen": yen + who} for who in range(64)
    ]


def town(later: Sequence[dict[str, Any]] = ()) -> InMemory:
    """Food, clothes and medicine at eight shops each in the first half; in the second food and clothes, and `later`."""
    rows = [*bought("food", 3), *bought("clothing", 4), *bought("medical", 5)]
    rows += [*bought("food", 13), *bought("clothing", 14), *later] if later else []
    stores = [
        {"store": f"{category}-{shop}", "category": category}
        for category in ("food", "clothing", "medical")
        for shop in range(SHOPS)
    ]
    lots = [{"resident": who, "paid_yen": 50_000} for who in range(64)]
    people = [{"resident": who} for who in range(64)]
    named: dict[str, Any] = {"spending": rows, "stores": stores, "residents": people, "lots": lots, "programmes": [{}]}
    return InMemory({name: frame(name, each) for name, each in named.items()}, datetime(2026, 4, 21, tzinfo=UTC))


def wish(last: date, clamp: int = 1_000) -> Wish:
    """A clamp that nobody would choose, so that noise of a small town is small beside a store, as in a large one."""
    return Wish("star", FIRST, last, Fraction(1, 2), clamp, PLAIN, ((), ("category",)))


def medical(data: OpenData) -> Any:
    table = next(each for each in data.tables if each.by == ("category",)).frame.set_index("category")
    return table.loc["medical", "sales_yen"]


ONE_STORE = [*bought("medical", 15, 9_000, shops=1)]
NEARLY_ONE = [*bought("medical", 15, 9_000, shops=1), *bought("medical", 16, 100)]


@pytest.mark.parametrize("later", [ONE_STORE, NEARLY_ONE], ids=["one", "nearly one"])
def test_what_one_store_took_between_two_editions_is_hidden_in_the_second(tmp_path: Path, later: Any) -> None:
    """Both are shown where nobody compares, and tell what the store took to within the noise."""
    source, ledger = town(later), tmp_path / "releases.jsonl"
    first, alone = open_data(source, wish(HALF), KEY), open_data(source, wish(LAST), KEY)
    taken = sum(row["amount_yen"] for row in later if row["store"] == GIANT)
    others = {each.wish.last: each.tables[1] for each in (first, alone)}
    assert not any(table.frame["hidden"].any() for table in others.values()), "each edition is safe alone"
    noise = first.mechanism.bound() + alone.mechanism.bound()
    assert noise < 0.05 * taken, "the difference would tell the store's sales closely"
    publish(source, wish(HALF), KEY, tmp_path / "one", ledger, WORDS, NOW)
    second, _ = publish(source, wish(LAST), KEY, tmp_path / "two", ledger, WORDS, NOW)
    hidden = second.tables[1].frame.set_index("category")["hidden"]
    assert hidden["medical"] and hidden.sum() >= 2, "and another one, so that the total does not tell"
    again, _ = publish(source, wish(HALF), KEY, tmp_path / "again", ledger, WORDS, NOW)
    assert medical(again) == medical(first), "made again, the first edition is what it was"


def test_where_many_stores_share_the_days_between_nothing_more_is_hidden(tmp_path: Path) -> None:
    source, ledger = town(bought("medical", 15)), tmp_path / "releases.jsonl"
    publish(source, wish(HALF), KEY, tmp_path / "one", ledger, WORDS, NOW)
    second, _ = publish(source, wish(LAST), KEY, tmp_path / "two", ledger, WORDS, NOW)
    assert not any(table.frame["hidden"].any() for table in second.tables)


def test_noise_that_leaves_the_difference_open_hides_nothing(tmp_path: Path) -> None:
    source, ledger = town(ONE_STORE), tmp_path / "releases.jsonl"
    publish(source, wish(HALF, 39_000), KEY, tmp_path / "one", ledger, WORDS, NOW)
    second, _ = publish(source, wish(LAST, 39_000), KEY, tmp_path / "two", ledger, WORDS, NOW)
    assert not any(table.frame["hidden"].any() for table in second.tables)


def test_an_exact_page_and_a_later_package_do_not_tell_of_a_store_either(tmp_path: Path) -> None:
    """The page ends with the first half; from it the first half is known to the yen."""
    source, ledger = town(ONE_STORE), tmp_path / "releases.jsonl"
    page = publish_public(town(), ledger, NOW)
    shown = page.figures[0].data
    assert shown.loc[shown["category"] == "medical", "sales_yen"].sum() == sum(BOUGHT + who for who in range(64))
    second, _ = publish(source, replace(wish(LAST), first=date(2026, 3, 1)), KEY, tmp_path / "two", ledger, WORDS, NOW)
    assert second.tables[1].frame.set_index("category").loc["medical", "hidden"]


def test_an_exact_page_after_a_package_does_not_tell_of_a_store_either(tmp_path: Path) -> None:
    source, ledger = town(ONE_STORE), tmp_path / "releases.jsonl"
    assert gather_public(source).hidden == 0, "the page is safe alone"
    publish(source, wish(HALF), KEY, tmp_path / "one", ledger, WORDS, NOW)
    with pytest.raises(Differencing):
        publish_public(source, ledger, NOW)
    other = tmp_path / "other.jsonl"
    publish(town(bought("medical", 15)), wish(HALF), KEY, tmp_path / "two", other, WORDS, NOW)
    assert publish_public(town(bought("medical", 15)), other, NOW).hidden == 0
