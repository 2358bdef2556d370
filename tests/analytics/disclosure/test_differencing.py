"""Questions that are harmless alone and tell of a few people together: each pair is first shown to do so."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analytics.disclosure.cells import TableTooLarge
from analytics.disclosure.differencing import Differencing, answer_for_release, guard, release_of
from analytics.disclosure.releases import PrivacyBudgetSpent, Release, Releases, ReleasesBroken, opened
from analytics.lake.lake import InMemory
from analytics.measures.ask import ask
from analytics.measures.question import Question
from tests.analytics.hand import frame

NOW = datetime(2026, 5, 1, tzinfo=UTC)
DAYS = [date(2026, 4, day) for day in (6, 7, 8)]
FIRST, LAST = DAYS[0], DAYS[-1]


def town(few: int = 4, fewer: int = 0) -> InMemory:
    """Sixty residents buy food and clothes in east and west on two days; `few` buy medicine in the east on a third.

    And `fewer` others in the west.
    """
    stores = [
        {"store": f"{category}-{district}-{number}", "category": category, "district": district}
        for category in ("food", "clothing", "medical")
        for district in ("east", "west")
        for number in range(5)
    ]
    rows = [
        _paid(who, f"{category}-{district}-{who % 5}", day, 1_000 + who)
        for who in range(60)
        for day in DAYS[:2]
        for category in ("food", "clothing")
        for district in ("east", "west")
    ]
    rows += [_paid(who, f"medical-east-{who % 5}", DAYS[2], 7_777) for who in range(few)]
    rows += [_paid(30 + who, f"medical-west-{who}", DAYS[2], 5_555) for who in range(fewer)]
    people = [{"resident": who} for who in range(60)]
    return InMemory(
        {name: frame(name, each) for name, each in (("spending", rows), ("stores", stores), ("residents", people))}
    )


def _paid(who: int, store: str, day: date, yen: int) -> dict[str, Any]:
    return {"resident": who, "store": store, "at": f"{day.isoformat()}T12:00+09:00", "amount_yen": yen}


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[Releases]:
    with opened(tmp_path / "releases.jsonl") as file:
        yield file


def question(*by: str, last: date = LAST, first: date = FIRST, **where: tuple[str, ...]) -> Question:
    return Question("sales", by, where, first, last)


def total(source: InMemory, asked: Question) -> int:
    return int(ask(source, asked)["value"].sum())


PAIRS = {
    "one category more": (question(category=("food", "clothing")), question(category=("food", "clothing", "medical"))),
    "one day more": (question(last=DAYS[1]), question(last=LAST)),
    "a part of the period": (question(), question(first=DAYS[0], last=DAYS[1])),
    "one district of a whole": (
        question(category=("food", "medical"), district=("east",)),
        question(category=("food",), district=("east",)),
    ),
    "all but one": (question("category", last=DAYS[1]), question()),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_the_second_of_two_questions_that_isolate_people_is_refused(
    pair: tuple[Question, Question], releases: Releases
) -> None:
    source = town()
    secret = total(source, question(category=("medical",)))
    assert abs(total(source, pair[0]) - total(source, pair[1])) == secret  # the attack, had both been answered
    assert not answer_for_release(source, pair[0], releases, NOW)["suppressed"].any()
    with pytest.raises(Differencing) as refused:
        answer_for_release(source, pair[1], releases, NOW)
    assert refused.value.params["minimum"] == 10
    assert len(releases.known) == 1


def test_a_stocks_curve_of_which_a_step_is_few_people_s_is_refused(releases: Releases) -> None:
    def curve(last: date) -> Question:
        return Question("remaining", ("day",), {}, FIRST, last)

    told = ask(town(), curve(LAST)).set_index("day")["value"].diff()
    assert told.iloc[-1] == -4 * 7_777, "two points tell what four people spent, though sixty had a part in each"
    with pytest.raises(Differencing):
        answer_for_release(town(), curve(LAST), releases, NOW)
    assert not answer_for_release(town(), curve(DAYS[1]), releases, NOW)["suppressed"].any()
    assert not answer_for_release(town(30), curve(LAST), releases, NOW)["suppressed"].any()


def test_days_are_compared_with_days_that_were_published_before(releases: Releases) -> None:
    answer_for_release(town(), question("day", last=DAYS[1]), releases, NOW)
    with pytest.raises(Differencing):
        answer_for_release(town(), question(), releases, NOW)
    assert not answer_for_release(town(30), question("category", last=DAYS[1]), releases, NOW)["suppressed"].any()


def test_two_stocks_are_laid_beside_each_other_with_all_that_came_before(releases: Releases) -> None:
    """Their periods only overlap; what they tell differs by the four of the last day."""
    answer_for_release(town(), Question("remaining", (), {}, FIRST, DAYS[1]), releases, NOW)
    with pytest.raises(Differencing):
        answer_for_release(town(), Question("remaining", (), {}, DAYS[1], LAST), releases, NOW)


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_where_enough_people_stand_between_them_both_are_answered(
    pair: tuple[Question, Question], releases: Releases
) -> None:
    source = town(few=25)
    for asked in pair:
        answer_for_release(source, asked, releases, NOW)
    assert len(releases.known) == 2


def test_three_tables_that_only_together_isolate_people_are_noticed(releases: Releases) -> None:
    """No two of them contain each other: everything, less food, less clothes."""
    source = town()
    for asked in (question(category=("food",)), question(category=("clothing",))):
        answer_for_release(source, asked, releases, NOW)
    with pytest.raises(Differencing):
        answer_for_release(source, question(), releases, NOW)


def test_a_difference_of_several_groups_that_are_few_people_together_is_noticed(releases: Releases) -> None:
    """The east's total cuts the seven buyers of medicine in two; one difference tells of both."""
    source = town(few=4, fewer=3)
    for asked in (question(category=("food", "clothing")), question(district=("east",))):
        answer_for_release(source, asked, releases, NOW)
    with pytest.raises(Differencing):
        answer_for_release(source, question(), releases, NOW)


def test_a_table_that_hides_a_cell_and_its_complement_may_stand_beside_its_total(releases: Releases) -> None:
    source = town()
    shown = answer_for_release(source, question("category"), releases, NOW)
    assert shown.loc[shown["over"] == "", "suppressed"].sum() == 2
    answer_for_release(source, question(), releases, NOW)
    assert len(releases.known) == 2


def test_the_same_question_has_the_same_answer_and_none_when_deeds_came_late(releases: Releases) -> None:
    first = answer_for_release(town(), question(last=DAYS[1]), releases, NOW)
    again = answer_for_release(town(), question(last=DAYS[1]), releases, NOW)
    pd.testing.assert_frame_equal(first, again)
    assert len(releases.known) == 1
    late = town().frame("spending")
    more = InMemory(
        {
            "spending": late.assign(amount_yen=late["amount_yen"] + 1, paid_yen=late["paid_yen"] + 1),
            "stores": town().frame("stores"),
            "residents": town().frame("residents"),
        }
    )
    with pytest.raises(Differencing):
        answer_for_release(more, question(last=DAYS[1]), releases, NOW)


def test_other_measures_and_figures_with_noise_are_not_subtracted(releases: Releases) -> None:
    source = town()
    answer_for_release(source, question(last=DAYS[1]), releases, NOW)
    answer_for_release(source, Question("payments", (), {}, FIRST, LAST), releases, NOW)
    shown = answer_for_release(source, question(last=DAYS[1]), releases, NOW)
    noisy = [release_of(question(last=DAYS[1]), shown, FIRST, DAYS[1])]
    exact = release_of(question(), shown, FIRST, LAST)
    with pytest.raises(Differencing):
        guard(source, exact, noisy)
    guard(source, exact, [Release(**{**vars(noisy[0]), "epsilon": "1/2"})])


def test_more_figures_than_can_be_compared_are_refused(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.disclosure.differencing.MOST_FIGURES", 3)
    answer_for_release(town(25), question(), releases, NOW)
    with pytest.raises(TableTooLarge):
        answer_for_release(town(25), question("category"), releases, NOW)


def release(epsilon: str, digest: str = "a") -> Release:
    return Release("star", "sales", ("day",), {}, "2026-04-01", "2026-04-30", (), digest, epsilon)


def test_a_budget_is_spent_once_for_each_release_and_never_exceeded(tmp_path: Path) -> None:
    from fractions import Fraction

    path = tmp_path / "releases.jsonl"
    for _ in range(3):
        with opened(path) as file:
            file.afford("star", [release("3/2")], Fraction(2))
            file.add([release("3/2")], NOW)
    with opened(path) as file:
        assert file.spent("star") == Fraction(3, 2)
        assert file.spent("moon") == 0
        file.afford("star", [release("1/2", "b")], Fraction(2))
        with pytest.raises(PrivacyBudgetSpent) as refused:
            file.afford("star", [release("1/2", "b"), release("1/10", "c")], Fraction(2))
    assert refused.value.params == {"programme": "star", "asked": 0.6, "left": 0.5, "limit": 2.0}


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0].replace(b"3/2", b"0"), *lines[1:]],
        lambda lines: [*lines, b"{}"],
    ],
)
def test_a_file_of_releases_that_was_altered_is_noticed(tmp_path: Path, damage: Any) -> None:
    path = tmp_path / "releases.jsonl"
    with opened(path) as file:
        file.add([release("3/2"), release("1", "b")], NOW)
    path.write_bytes(b"\n".join(damage(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(ReleasesBroken), opened(path):
        pass


def test_a_file_of_releases_without_its_last_byte_is_whole_and_goes_on(tmp_path: Path) -> None:
    """A copy that was cut at the end of its last line: the next release does not stand in that line."""
    path = tmp_path / "releases.jsonl"
    with opened(path) as file:
        file.add([release("3/2")], NOW)
    path.write_bytes(path.read_bytes()[:-1])
    with opened(path) as file:
        file.add([release("1", "b")], NOW)
    with opened(path) as file:
        assert file.spent("star") == 2.5
