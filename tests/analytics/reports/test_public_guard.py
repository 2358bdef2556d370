"""Two pages for everybody, each harmless, tell of the days between them: the attack, and what stops it."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from analytics.disclosure.differencing import Differencing, answer_for_release
from analytics.disclosure.releases import opened
from analytics.lake.lake import InMemory
from analytics.measures.question import Question
from analytics.reports.gathered import Gathered
from analytics.reports.public import gather_public, publish_public
from tests.analytics.hand import frame, on

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SECRET = 4_321
"""What one person spends on the day after the first page."""


def town(*later: dict[str, Any]) -> InMemory:
    """Forty residents of one district buy food at eight stores on the sixth of April at noon; then `later`."""
    stores = [{"store": f"S{number}"} for number in range(8)]
    rows = [{"resident": who, "store": f"S{who % 8}", "amount_yen": 1_000 + who} for who in range(40)]
    frames: dict[str, list[dict[str, Any]]] = {
        "spending": [*rows, *later],
        "stores": stores,
        "residents": [{"resident": who, "district": "north"} for who in range(80)],
        "lots": [{"resident": who, "paid_yen": 5_000} for who in range(80)],
        "programmes": [{}],
    }
    return InMemory({name: frame(name, each) for name, each in frames.items()}, NOW)


def paid(who: int, yen: int = SECRET, day: int = 7) -> dict[str, Any]:
    return {"resident": who, "store": f"S{who % 8}", "amount_yen": yen, "at": on(day)}


def used(page: Gathered) -> int:
    return next(int(fact.value) for fact in page.facts if fact.name == "used")


def lines(ledger: Path) -> list[str]:
    return ledger.read_text().splitlines() if ledger.exists() else []


def test_the_day_between_two_pages_is_one_person_s_and_there_is_no_second_page(tmp_path: Path) -> None:
    ledger = tmp_path / "releases.jsonl"
    first, second = gather_public(town()), gather_public(town(paid(1)))
    assert used(second) - used(first) == SECRET, "the attack works where nobody compares"
    assert first.hidden == second.hidden == 0, "and no page alone gives anybody away"
    publish_public(town(), ledger, NOW)
    written = lines(ledger)
    with pytest.raises(Differencing) as refused:
        publish_public(town(paid(1)), ledger, NOW)
    assert refused.value.params["minimum"] == 10
    assert lines(ledger) == written


def test_the_same_page_is_published_once_however_often_it_is_made(tmp_path: Path) -> None:
    ledger = tmp_path / "releases.jsonl"
    first, second = (publish_public(town(), ledger, NOW) for _ in range(2))
    assert first.facts == second.facts
    assert len(lines(ledger)) == 7


def test_a_page_is_published_when_the_days_between_are_many_people_s(tmp_path: Path) -> None:
    ledger = tmp_path / "releases.jsonl"
    publish_public(town(), ledger, NOW)
    later = [paid(who, 900 + who) for who in range(40, 64)]
    page = publish_public(town(*later), ledger, NOW)
    assert used(page) == used(gather_public(town())) + sum(900 + who for who in range(40, 64))
    assert len(lines(ledger)) == 14


def test_what_was_corrected_after_a_page_is_not_told_by_making_the_page_again(tmp_path: Path) -> None:
    """A refund that commits late belongs to a day that the page has told of: the difference is one person's."""
    ledger = tmp_path / "releases.jsonl"
    publish_public(town(), ledger, NOW)
    late = {"kind": "refund", "payment": 2, "resident": 1, "store": "S1", "amount_yen": -500}
    with pytest.raises(Differencing):
        publish_public(town(late), ledger, NOW)


LATE = {"kind": "refund", "payment": 2, "resident": 1, "store": "S1", "amount_yen": -500}


def _moved_on(*rows: dict[str, Any]) -> InMemory:
    """The town after the points of the forty expired on the seventh, with `rows` besides."""
    before = town(*rows)
    lots = before.frame("lots")
    gone = frame(
        "expiries", [{"resident": who, "lot": int(lots["lot"].iloc[who]), "at": on(7, 0)} for who in range(40)]
    )
    names = ("spending", "stores", "lots", "programmes", "residents")
    return InMemory({**{name: before.frame(name) for name in names}, "expiries": gone}, NOW)


@pytest.mark.parametrize(
    "later",
    [
        _moved_on(LATE),
        town(LATE, *(paid(who, 900 + who) | {"at": on(7, 18)} for who in range(40, 64))),
    ],
    ids=["points expired since", "others paid at another hour"],
)
def test_what_was_corrected_after_a_page_is_not_told_by_a_page_of_a_later_day(later: InMemory, tmp_path: Path) -> None:
    """The day is another, so the question is; what it asks of the first page's days is the same."""
    ledger = tmp_path / "releases.jsonl"
    first, second = publish_public(town(), ledger, NOW), gather_public(later)
    hours = [page.figure("hours").data for page in (first, second)]
    noons = [int(cells.loc[cells["hour"] == 12, "sales_yen"].sum()) for cells in hours]
    assert noons[1] - noons[0] == -500, "the attack works where nobody compares"
    written = lines(ledger)
    with pytest.raises(Differencing):
        publish_public(later, ledger, NOW)
    assert lines(ledger) == written


def test_a_resident_who_moves_between_two_pages_does_not_take_a_history_along(tmp_path: Path) -> None:
    """Twenty of the forty live in the south; one of the north joins them, and nobody has paid since."""
    ledger = tmp_path / "releases.jsonl"
    before, after = (_homes(on_day, *moved) for on_day, moved in ((False, ()), (True, (1,))))
    first, second = publish_public(before, ledger, NOW), gather_public(after)
    told = [page.figure("flows").data.set_index("home")["sales_yen"] for page in (first, second)]
    assert (told[1] - told[0]).to_dict() == {"north": -1_001, "south": 1_001}, "the attack works where nobody compares"
    with pytest.raises(Differencing):
        publish_public(after, ledger, NOW)
    assert publish_public(_homes(True), ledger, NOW).facts, "a later day alone changes nothing"


def _homes(expired: bool, *movers: int) -> InMemory:
    plain = _moved_on() if expired else town()
    people = plain.frame("residents")
    south = people["resident"].isin(movers) | (people["resident"] % 2 == 0)
    names = ("spending", "stores", "lots", "programmes", "expiries")
    people = people.assign(district=people["district"].mask(south, "south"))
    return InMemory({**{name: plain.frame(name) for name in names}, "residents": people}, NOW)


def test_figures_that_one_store_makes_are_hidden_on_the_page(tmp_path: Path) -> None:
    """Dominance: of the evening's sales nearly all are one store's; with a total, noon's would give them away."""
    evening = [paid(who, 50 if who % 8 else 90_000, 6) | {"at": on(6, 19)} for who in range(40)]
    page = publish_public(town(*evening), tmp_path / "releases.jsonl", NOW)
    assert page.figure("hours").data["hour"].tolist() == [12]
    assert page.figure("flows").data.empty, "its one cell is the total"
    assert "used" not in {fact.name for fact in page.facts}
    assert page.hidden == 3


def giant(*days: int, stores: int = 8) -> list[dict[str, Any]]:
    """On each of these days forty people buy at one store, and at `stores` - 1 others hardly anything."""
    return [
        {"resident": who, "store": store, "amount_yen": yen, "at": on(day)}
        for day in days
        for who in range(40)
        for store, yen in (("S0", 9_001), (f"S{1 + who % 7}", 10))[: 1 if stores == 1 else 2]
    ]


def test_people_whose_payments_were_all_taken_back_hide_nobody() -> None:
    """In the evening one person spends at four stores, and fourteen others cancel: the sum is that person's."""
    alone = [paid(0, 3_000 + shop, 6) | {"store": f"S{shop}", "at": on(6, 19)} for shop in range(4)]
    evening = [paid(who, 700, 6) | {"deed": 900 + who, "at": on(6, 19)} for who in range(1, 15)]
    back = [
        each | {"kind": "cancel", "payment": each["deed"], "deed": 100 + each["deed"], "amount_yen": -700}
        for each in evening
    ]
    page = gather_public(town(*alone, *evening, *back))
    assert page.figure("hours").data.empty, "noon is hidden besides, for the total is told"
    assert page.hidden == 2


def test_people_who_cancelled_between_two_releases_do_not_hide_the_one_who_paid(tmp_path: Path) -> None:
    alone = [paid(1) | {"store": f"S{shop}"} for shop in range(4)]
    paying = [paid(who, 700) | {"deed": 900 + who} for who in range(2, 20)]
    undone = [each | {"kind": "cancel", "payment": each["deed"], "deed": 100 + each["deed"]} for each in paying]
    source = town(*alone, *paying, *(each | {"amount_yen": -700} for each in undone))
    first, both = (Question("sales", (), {}, date(2026, 4, 1), date(2026, 4, last)) for last in (6, 7))
    with opened(tmp_path / "releases.jsonl") as releases:
        answer_for_release(source, first, releases, NOW)
        with pytest.raises(Differencing):
            answer_for_release(source, both, releases, NOW)


@pytest.mark.parametrize("stores", [1, 8])
def test_what_one_store_took_between_two_pages_is_not_told(tmp_path: Path, stores: int) -> None:
    """Forty people stand behind the difference, and only one store, or nearly only one; both pages are harmless."""
    ledger = tmp_path / "releases.jsonl"
    many = [{"resident": who, "store": f"S{who % 8}", "amount_yen": 30_000, "at": on(6)} for who in range(80)]
    before, after = town(*many), town(*many, *giant(8, stores=stores))
    first, second = gather_public(before), gather_public(after)
    assert first.hidden == second.hidden == 0, "no page alone gives the store away"
    others = 0 if stores == 1 else 40 * 10
    assert used(second) - used(first) == 40 * 9_001 + others, "the attack works where nobody compares"
    publish_public(before, ledger, NOW)
    written = lines(ledger)
    with pytest.raises(Differencing):
        publish_public(after, ledger, NOW)
    assert lines(ledger) == written


def test_a_page_follows_another_when_many_stores_share_the_days_between(tmp_path: Path) -> None:
    later = [{"resident": who, "store": f"S{who % 8}", "amount_yen": 9_001, "at": on(8)} for who in range(40)]
    publish_public(town(), tmp_path / "releases.jsonl", NOW)
    assert publish_public(town(*later), tmp_path / "releases.jsonl", NOW).facts


def test_the_total_is_not_told_where_it_would_bound_what_the_tables_hide() -> None:
    """Nine people of the north make most of what thirteen spent: whoever knows the total knows them nearly."""
    people = [*((who, "north", 2_600) for who in range(9)), *((who, "south", 800) for who in range(9, 13))]
    frames: dict[str, list[dict[str, Any]]] = {
        "spending": [{"resident": who, "store": f"S{who % 5}", "amount_yen": yen} for who, _, yen in people],
        "stores": [{"store": f"S{number}"} for number in range(5)],
        "residents": [{"resident": who, "district": district} for who, district, _ in people],
        "programmes": [{}],
    }
    page = gather_public(InMemory({name: frame(name, rows) for name, rows in frames.items()}, NOW))
    assert all(figure.data.empty for figure in page.figures)
    told = {fact.name: fact.value for fact in page.facts}
    assert (told["people"], told["stores"]) == (13, 5), "of so many people a total alone might be told"
    assert "used" not in told
