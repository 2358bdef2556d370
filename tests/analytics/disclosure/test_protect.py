"""Attacks on tables with totals: each succeeds against a table with its small cells blanked, and fails against ours."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.disclosure.attack import exposed, needed, ranges, together
from analytics.disclosure.cells import TablesDisagree, TableTooLarge, link
from analytics.disclosure.protect import Table, protect, protect_together
from analytics.disclosure.rules import Rules
from analytics.disclosure.suppress import fit, primary, suppress
from tests.analytics.disclosure.tables import answer, by, primary_only, random_table, solved

RULES = Rules()
BY = ("row", "column")


def small() -> pd.DataFrame:
    """One cell of three people among full ones."""
    rows = [(f"r{r}", f"c{c}", 10_000 * (r + c + 1), 50, 8, 0.3) for r in range(3) for c in range(3)]
    rows[4] = ("r1", "c1", 4_321, 3, 3, 0.4)
    return answer(BY, rows)


def test_a_complement_gives_a_blanked_cell_away_and_none_of_ours() -> None:
    assert solved(primary_only(small(), BY), BY) == {("r1", "c1")}
    ours = protect(small(), by(*BY), RULES, totals=True)
    assert ours.loc[(ours["row"] == "r1") & (ours["column"] == "c1"), "suppressed"].all()
    assert solved(ours, BY) == set()


def test_what_is_shown_is_the_truth_and_what_is_hidden_is_empty() -> None:
    table = small()
    ours = protect(table, by(*BY), RULES)
    assert list(ours.columns) == [*BY, "value", "suppressed"]
    assert ours[[*BY]].equals(table[[*BY]])
    assert ours["value"].isna().equals(ours["suppressed"])
    shown = ~ours["suppressed"]
    assert (ours.loc[shown, "value"].astype("int64") == table.loc[shown, "value"]).all()
    assert shown.sum() == 5  # the least that can be hidden with one cell are three more


def test_the_same_table_hides_the_same_cells_in_any_order() -> None:
    table = random_table(np.random.default_rng(5), 6, 5)
    first = protect(table, by(*BY), RULES, totals=True)
    other = protect(table.sample(frac=1, random_state=3), by(*BY), RULES, totals=True)
    sort = [*BY, "over"]
    pd.testing.assert_frame_equal(
        first.sort_values(sort, ignore_index=True), other.sort_values(sort, ignore_index=True)
    )


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(1, 5), columns=st.integers(1, 5))
def test_no_hidden_cell_of_any_table_can_be_told_or_bounded_closely(seed: int, rows: int, columns: int) -> None:
    table = random_table(np.random.default_rng(seed), rows, columns)
    ours = protect(table, by(*BY), RULES, totals=True)
    assert solved(ours, BY) == set()
    cells = link([(table, BY)])
    hidden = suppress(cells, RULES)
    assert primary(cells, RULES) <= hidden
    for place, (least, most) in ranges(cells, hidden).items():
        below, above = needed(cells.values[place], RULES)
        is_open = [least <= cells.values[place] - below + 1e-3, most >= cells.values[place] + above - 1e-3]
        assert all(is_open) if place in primary(cells, RULES) else any(is_open)


@pytest.mark.long
@settings(max_examples=1_000, deadline=None)
@given(seed=st.integers(0, 10**9), rows=st.integers(1, 12), columns=st.integers(1, 10))
def test_no_hidden_cell_of_many_tables_can_be_told(seed: int, rows: int, columns: int) -> None:
    assert (
        solved(protect(random_table(np.random.default_rng(seed), rows, columns), by(*BY), RULES, totals=True), BY)
        == set()
    )


def test_the_attack_finds_what_blanking_leaves_open() -> None:
    """Control of the interval attack: without complements some sensitive cells of a town's table are told."""
    table = random_table(np.random.default_rng(2), 8, 6)
    cells = link([(table, BY)])
    interior = {place for place in primary(cells, RULES) if len(cells.keys[place]) == 2}
    assert exposed(cells, interior, interior, RULES)
    assert not exposed(cells, suppress(cells, RULES), primary(cells, RULES), RULES)


def test_a_narrow_complement_is_not_enough() -> None:
    """A cell of 50,000 yen beside one of 100 yen: their sum tells the first within a fifth of a percent."""
    rows = [
        ("a", 50_000, 4, 3, 0.4),
        ("b", 100, 40, 5, 0.4),
        ("c", 900_000, 400, 50, 0.1),
        ("d", 950_000, 400, 50, 0.1),
    ]
    table = answer(("row",), rows)
    cells = link([(table, ("row",))])
    pair = {cells.place(frozenset({("row", "a")})), cells.place(frozenset({("row", "b")}))}
    assert [side for _, side in exposed(cells, pair, primary(cells, RULES), RULES)] == [1]
    ours = protect(table, by("row"), RULES)
    assert set(ours.loc[ours["suppressed"], "row"]) > {"a", "b"} or set(ours.loc[ours["suppressed"], "row"]) >= {
        "a",
        "c",
    }


def test_two_small_cells_do_not_hide_behind_each_other() -> None:
    """Their sum can be told, and six people are as few as three."""
    rows = [(f"r{r}", 20_000, 60, 9, 0.2) for r in range(4)] + [("x", 3_000, 3, 3, 0.4), ("y", 3_500, 3, 3, 0.4)]
    ours = protect(answer(("row",), rows), by("row"), RULES)
    hidden = set(ours.loc[ours["suppressed"], "row"])
    assert {"x", "y"} < hidden


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_no_line_and_no_pair_tells_a_sum_that_may_not_be_shown(seed: int) -> None:
    cells = link([(random_table(np.random.default_rng(seed), 4, 5), BY)])
    hidden = suppress(cells, RULES)
    for line in cells.equations:
        inside = [part for part in line.parts if part in hidden]
        rest = [part for part in line.parts if part not in hidden]
        assert line.total in hidden or not inside or not rest or fit(cells, inside, RULES)
    assert all(fit(cells, pair, RULES) for pair in together(cells, hidden, primary(cells, RULES)))


def test_two_small_cells_do_not_hide_in_one_ring() -> None:
    """Six hidden cells in a ring through three rows and three columns: every line has two, and x + y is told."""
    rows = [(f"r{r}", f"c{c}", 90_000 + 1_000 * r + 100 * c, 80, 9, 0.2) for r in range(5) for c in range(5)]
    rows[0], rows[6] = ("r0", "c0", 6_000, 3, 3, 0.4), ("r1", "c1", 7_000, 3, 3, 0.4)
    for place in (2, 7, 10, 11):  # the others of the ring, of such a size that no range is narrow
        rows[place] = (*rows[place][:2], 8_000, 80, 9, 0.2)
    cells = link([(answer(BY, rows), BY)])
    ring = {
        cells.place(frozenset({("row", row), ("column", column)}))
        for row, column in (("r0", "c0"), ("r0", "c2"), ("r1", "c2"), ("r1", "c1"), ("r2", "c1"), ("r2", "c0"))
    }
    small = primary(cells, RULES)
    assert small < ring
    assert not exposed(cells, ring, small, RULES)
    assert together(cells, ring, small) == [tuple(sorted(small))]
    hidden = suppress(cells, RULES, forced=frozenset(ring))
    assert not [pair for pair in together(cells, hidden, small) if not fit(cells, pair, RULES)]


def test_a_store_cannot_tell_its_rivals_turnover() -> None:
    """The second store subtracts its own from the figure; what is left bounds the first."""
    rows = [("duel", 100_000, 80, 3, 0.55), ("crowd", 100_000, 80, 12, 0.2), ("third", 120_000, 90, 12, 0.2)]
    table = answer(("row",), rows).assign(second_store_share=[0.44, 0.15, 0.15])
    blanked = table["people"] >= 10
    assert blanked.all()  # a rule on people alone shows the duel
    rest = 1 - table["second_store_share"] - table["top_store_share"]
    assert rest[0] < 0.1 * table["top_store_share"][0]  # the guess is within a tenth
    ours = protect(table, by("row"), RULES)
    assert ours.loc[0, "suppressed"]
    unknown = protect(table.drop(columns="second_store_share"), by("row"), RULES)
    assert not unknown.loc[0, "suppressed"]  # what nobody counted cannot be judged: publish counts it


@pytest.mark.parametrize(
    ("row", "hidden"),
    [
        (("x", 90_000, 200, 12, 0.81), True),
        (("x", 90_000, 200, 12, 0.80), False),
        (("x", 90_000, 200, 2, 0.5), True),
        (("x", 90_000, 200, 3, 0.5), False),
        (("x", 90_000, 9, 5, 0.5), True),
        (("x", 90_000, 10, 5, 0.5), False),
        (("x", 0, 4, 3, float("nan")), True),
        (("x", 0, 0, 0, float("nan")), False),
        (("x", 90_000, 200, 0, float("nan")), False),
    ],
)
def test_the_rules_at_their_edges(row: tuple[object, ...], hidden: bool) -> None:
    others = [(f"r{r}", 80_000, 300, 20, 0.2) for r in range(4)]
    ours = protect(answer(("row",), [row, *others]), by("row"), RULES)
    assert bool(ours.loc[0, "suppressed"]) is hidden


def test_what_one_table_hides_the_other_does_not_show() -> None:
    """Two tables share the totals by row; the second, alone, would show a total that the first had to hide."""
    first = answer(BY, [("a", "x", 3_000, 3, 3, 0.4), ("b", "x", 50_000, 90, 9, 0.2), ("c", "x", 60_000, 90, 9, 0.2)])
    second = answer(
        ("row", "hour"),
        [
            (row, hour, value // 2, 90, 9, 0.2)
            for row, value in (("a", 3_000), ("b", 50_000), ("c", 60_000))
            for hour in (8, 9)
        ],
    )
    apart = protect(second, by("row", "hour"), RULES, totals=True)
    assert not apart["suppressed"].any()
    side = protect_together({"one": Table(first, BY), "two": Table(second, ("row", "hour"))}, RULES)
    totals = side["two"][side["two"]["over"] == "hour"].set_index("row")
    assert totals.loc["a", "suppressed"]
    by_row = side["one"][side["one"]["over"] == "column"].set_index("row")
    assert by_row["suppressed"].to_dict() == totals["suppressed"].to_dict()


def test_tables_that_contradict_each_other_are_refused() -> None:
    first, second = small(), small().assign(value=lambda table: table["value"] + 1)
    with pytest.raises(TablesDisagree):
        protect_together({"one": Table(first, BY), "two": Table(second, BY)}, RULES)


def test_the_true_size_of_totals_is_believed() -> None:
    """Thirty districts of nine people each: every cell is small, but the whole is not."""
    table = answer(("row",), [(f"r{r:02}", 9_000, 9, 4, 0.3) for r in range(30)])
    alone = protect(table, by("row"), RULES, totals=True)
    assert alone["suppressed"].all()
    whole = answer((), [(270_000, 270, 40, 0.1)])
    known = protect(table, by("row"), RULES, totals=True, wholes=[Table(whole, ())])
    assert not known.loc[known["over"] == "row", "suppressed"].any()


def test_tables_of_nothing_and_of_nobody() -> None:
    empty = protect(answer(BY, []), by(*BY), RULES, totals=True)
    assert len(empty[empty["over"] == ""]) == 0
    assert empty.loc[empty["over"] == "row,column", "value"].tolist() == [0]
    one = protect(answer(BY, [("a", "x", 500, 1, 1, 1.0)]), by(*BY), RULES, totals=True)
    assert one["suppressed"].all()
    whole = protect(answer((), [(500, 1, 1, 1.0)]), by(), RULES)
    assert whole["suppressed"].tolist() == [True]


def test_refunds_may_make_a_cell_negative() -> None:
    rows = [("a", -700, 3, 3, 0.4), ("b", 40_000, 60, 9, 0.2), ("c", 50_000, 60, 9, 0.2), ("d", 60_000, 60, 9, 0.2)]
    ours = protect(answer(("row",), rows), by("row"), RULES, totals=True)
    assert ours.loc[0, "suppressed"]
    assert solved(ours, ("row",)) == set()


def test_a_table_that_is_too_large_to_be_proven_is_refused() -> None:
    wide = ("a", "b", "c", "d")
    with pytest.raises(TableTooLarge):
        protect(answer(wide, [("1", "2", "3", "4", 1, 1, 1, 1.0)]), by(*wide), RULES)
    long = answer(("row",), [(str(row), 1, 50, 5, 0.2) for row in range(20_001)])
    with pytest.raises(TableTooLarge):
        protect(long, by("row"), RULES)


def test_days_keep_their_type_and_totals_have_none() -> None:
    days = pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-03"]).as_unit("us")
    table = answer(("day",), [(day, 5_000, 40, 6, 0.2) for day in days])
    ours = protect(table, by("day"), RULES, totals=True)
    assert ours["day"].dtype == table["day"].dtype
    assert ours["day"].isna().tolist() == [False, False, False, True]
    assert ours["value"].tolist() == [5_000, 5_000, 5_000, 15_000]
