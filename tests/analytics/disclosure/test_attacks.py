"""Attacks on a whole package by people who know something: each succeeds on the plain figures, and fails on ours.

The attackers are given the exact figures of all shown cells, which is more than any reader of noised ones has. Their
arithmetic starts from the rows and the tables and shares no code with the product.
"""

from fractions import Fraction

import pandas as pd

from analytics.disclosure.attack import ranges
from analytics.disclosure.open_data import OpenData, Wish
from analytics.lake.lake import InMemory
from tests.analytics.disclosure.tables import reduce

Cell = tuple[tuple[str, str], ...]


def spending(source: InMemory, wish: Wish) -> pd.DataFrame:
    """Every row with the traits of its resident and its store, as the frames have them."""
    rows = source.frame("spending").drop(columns=["at"])
    people = source.frame("residents")[["resident", "age_band"]]
    stores = source.frame("stores")[["store", "category", "district", "from_day", "to_day"]]
    found = rows.merge(people, on="resident").merge(stores, on="store")
    now = (found["from_day"] <= found["day"]) & (found["to_day"].isna() | (found["day"] < found["to_day"]))
    first = found["from_day"] == found.groupby("store")["from_day"].transform("min")
    return found[(now | (first & (found["day"] < found["from_day"]))) & (found["programme"] == wish.programme)]


def shown_cells(data: OpenData) -> dict[Cell, bool]:
    """Every cell of the package, and whether it is shown."""
    found: dict[Cell, bool] = {}
    for table in data.tables:
        for row in table.frame.to_dict("records"):
            found[tuple((name, str(row[name])) for name in table.by)] = not row["hidden"]
    return found


def inside(rows: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    for name, value in cell:
        rows = rows[rows[name] == value]
    return rows


def rivals_guess(rows: pd.DataFrame) -> float:
    """How far off the second store's guess of the first is: what it cannot explain, as a share of the first."""
    turnovers: list[int] = sorted(rows.groupby("store")["amount_yen"].sum().abs(), reverse=True)
    return sum(turnovers[2:]) / turnovers[0]


def test_no_store_reads_its_rival_out_of_a_shown_figure(source: InMemory, wish: Wish, data: OpenData) -> None:
    rows = spending(source, wish)
    guesses = {cell: rivals_guess(inside(rows, cell)) for cell in shown_cells(data)}
    assert min(guesses.values()) < 0.1  # on the plain figures some store reads its rival closely
    assert min(guesses[cell] for cell, shown in shown_cells(data).items() if shown) >= 0.1


def test_nobody_is_singled_out_by_what_a_neighbour_knows(source: InMemory, wish: Wish, data: OpenData) -> None:
    """The neighbour knows an age band and a kind of store; who is alone there has the whole cell told."""
    rows = spending(source, wish)
    alone = {
        (("category", str(category)), ("age_band", str(band))): int(them["amount_yen"].sum())
        for (category, band), them in rows.groupby(["category", "age_band"])
        if them["resident"].nunique() < 5
    }
    assert alone
    shown = shown_cells(data)
    assert not any(shown[cell] for cell in alone)
    known = ranges(data.cells, data.hidden)
    for cell, spent in alone.items():
        least, most = known[data.cells.place(frozenset(cell))]
        assert least <= 0.8 * max(spent, 0) + 1
        assert most >= 1.2 * spent - 1


def test_no_sum_or_difference_of_any_tables_tells_a_hidden_figure(data: OpenData) -> None:
    """Exact elimination over all tables together; on cells hidden only for their own sake it finds some."""
    shown = shown_cells(data)
    small = {
        cell: cell == () or people >= 10
        for cell, people in zip((tuple(sorted(key)) for key in data.cells.keys), data.cells.people, strict=True)
    }
    assert told({cell: small[tuple(sorted(cell))] for cell in shown})
    assert not told(shown)


def told(shown: dict[Cell, bool]) -> set[Cell]:
    """The cells that are not shown and that elimination tells from those that are."""
    unknown = {cell: at for at, cell in enumerate(cell for cell, visible in shown.items() if not visible)}
    lines: list[list[Fraction]] = []
    for total in shown:
        for name in ("category", "age_band", "district"):
            names = {*(each for each, _ in total), name}
            parts = [cell for cell in shown if {each for each, _ in cell} == names and set(total) < set(cell)]
            line = [Fraction(0)] * len(unknown)
            for cell, sign in ((total, 1), *((part, -1) for part in parts)):
                if parts and cell in unknown:
                    line[unknown[cell]] += sign
            if any(line):
                lines.append(line)
    reduce(lines)
    places = list(unknown)
    alone = [[at for at, entry in enumerate(line) if entry] for line in lines]
    return {places[found[0]] for found in alone if len(found) == 1}
