"""Exports of rows: pseudonyms that cannot be joined, and nobody without a crowd."""

import pandas as pd
import pytest

from analytics.disclosure.anonymity import NotAnonymous, crowd, k_anonymous
from analytics.disclosure.pseudonyms import ExportKey
from services.kit.ids import SeededEntropy


def export(alike: int = 10) -> pd.DataFrame:
    """Two classes of people; in the second `alike` of them."""
    ages = ["30-39"] * 12 + ["80+"] * alike
    return pd.DataFrame(
        {
            "resident": range(len(ages)),
            "age_band": ages,
            "district": ["east"] * len(ages),
            "category": ["food", "leisure"] * (len(ages) // 2) + ["food"] * (len(ages) % 2),
        }
    )


def fit(data: pd.DataFrame) -> pd.DataFrame:
    return k_anonymous(data, "resident", ["age_band", "district"], ["category"])


def test_ten_alike_may_leave_and_nine_may_not() -> None:
    assert len(fit(export(10))) == 22
    with pytest.raises(NotAnonymous) as refused:
        fit(export(9))
    assert refused.value.params == {"people": 9, "k": 10, "l": 2}


def test_rows_of_one_person_are_no_crowd() -> None:
    """Twelve rows, one person: counting rows would let them pass."""
    rows = export(12)
    rows.loc[rows["age_band"] == "80+", "resident"] = 99
    assert rows.groupby("age_band").size().min() == 12
    with pytest.raises(NotAnonymous):
        fit(rows)


def test_a_crowd_of_one_mind_tells_what_each_of_it_does() -> None:
    rows = export(12)
    rows.loc[rows["age_band"] == "80+", "category"] = "medical"
    with pytest.raises(NotAnonymous) as refused:
        fit(rows)
    assert refused.value.params["people"] == 12
    assert crowd(rows, "resident", ["age_band"], ["category"]).least_diverse == 1


def test_empty_exports_and_exports_without_identifiers() -> None:
    assert fit(export().head(0)).empty
    assert crowd(export(), "resident", [], ["category"]).smallest == 22
    assert crowd(export(), "resident", ["age_band"], []).exposed_people == 0


def test_a_missing_identifier_is_a_class_of_its_own() -> None:
    rows = export(12)
    rows.loc[0, "age_band"] = None
    with pytest.raises(NotAnonymous) as refused:
        fit(rows)
    assert refused.value.params["people"] == 1


def test_two_exports_share_no_pseudonym_and_one_keeps_its_own() -> None:
    entropy = SeededEntropy(1)
    first, other = ExportKey.make(entropy), ExportKey.make(entropy)
    rows = export()
    one, two = first.replace(rows, ["resident"]), other.replace(rows, ["resident"])
    assert set(one["resident"]).isdisjoint(two["resident"])
    assert set(one["resident"]).isdisjoint(map(str, rows["resident"]))
    assert one.equals(first.replace(rows, ["resident"]))
    assert one["resident"].nunique() == rows["resident"].nunique()
    assert first.pseudonym("resident", 1) != first.pseudonym("store", 1)
    assert first.secret.hex() not in repr(first)


def test_the_order_of_rows_joins_no_two_exports() -> None:
    entropy = SeededEntropy(2)
    rows = export().assign(mark=range(22))
    orders = [tuple(ExportKey.make(entropy).replace(rows, ["resident"])["mark"]) for _ in range(2)]
    assert orders[0] != orders[1]
    assert orders[0] != tuple(rows["mark"])
