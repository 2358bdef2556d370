"""What an alert is, without a database: when one is told anew, and how right a rule was."""

import pytest

from services.alerts.alert import MOST_FINDINGS, Finding, Known, Tally, most_telling, round_of


def finding(key: str = "k", payments: int = 4, score: int = 500) -> Finding:
    return Finding(key, "night", "resident:1", score, {}, (1,), payments)


@pytest.mark.parametrize(
    ("known", "payments", "placed"),
    [
        (None, 4, 1),
        (Known("k", 1, None), 1, 1),
        (Known("k", 3, None), 400, 3),
        (Known("k", 1, 4), 4, None),
        (Known("k", 1, 4), 7, None),
        (Known("k", 1, 4), 8, 2),
        (Known("k", 2, 0), 1, None),
        (Known("k", 2, 0), 2, 3),
    ],
)
def test_what_was_judged_is_told_anew_when_it_rests_on_twice_as_many_payments(
    known: Known | None, payments: int, placed: int | None
) -> None:
    assert round_of(finding(payments=payments), known) == placed


def test_a_run_keeps_its_most_telling_findings_in_one_order() -> None:
    many = [finding(f"{number:05}", score=number % 7) for number in range(MOST_FINDINGS + 3)]
    kept = most_telling(reversed(many))
    assert kept == most_telling(many)
    assert len(kept) == MOST_FINDINGS
    assert [each.score_permille for each in kept] == sorted((each.score_permille for each in kept), reverse=True)
    assert kept[0].key == "00006"


def test_a_rule_s_precision_leaves_out_what_stayed_unclear() -> None:
    assert Tally("night", 5, 2, 1, 9).precision_permille == 666
    assert Tally("night", 5, 0, 3, 0).precision_permille == 0
    assert Tally("night", 5, 0, 0, 4).precision_permille is None
