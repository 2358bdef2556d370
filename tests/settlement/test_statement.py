"""A statement neither makes nor loses a yen, and pays, carries or claims, never two of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.settlement.statement import Statement, compute_statement

YEN = st.integers(0, 10**12)
INPUTS = st.fixed_dictionaries(
    {
        "payments_yen": YEN,
        "payments_count": st.integers(0, 10**6),
        "cancelled_yen": YEN,
        "refunded_yen": YEN,
        "carried_in_yen": YEN,
        "receivable_in_yen": YEN,
        "fee_bp": st.integers(0, 10_000),
        "tax_bp": st.integers(0, 10_000),
        "minimum_payout_yen": st.integers(0, 10**6),
        "final": st.booleans(),
    }
)
NOTHING: dict[str, Any] = {
    "payments_yen": 0,
    "payments_count": 0,
    "cancelled_yen": 0,
    "refunded_yen": 0,
    "carried_in_yen": 0,
    "receivable_in_yen": 0,
    "fee_bp": 100,
    "tax_bp": 1000,
    "minimum_payout_yen": 0,
    "final": False,
}


def statement(**given_figures: Any) -> Statement:
    return compute_statement(**NOTHING | given_figures)


@given(INPUTS)
def test_what_goes_out_is_what_came_in(inputs: dict[str, Any]) -> None:
    made = compute_statement(**inputs)
    assert made.payout_yen + made.carried_out_yen - made.receivable_out_yen == (
        made.net_yen + made.carried_in_yen - made.receivable_in_yen
    )
    assert made.net_yen == (
        made.payments_yen - made.cancelled_yen - made.refunded_yen - made.fee_yen - made.fee_tax_yen
    )


@given(INPUTS)
def test_a_store_is_paid_or_carried_or_owes_and_never_two_of_them(inputs: dict[str, Any]) -> None:
    made = compute_statement(**inputs)
    outcomes = (made.payout_yen, made.carried_out_yen, made.receivable_out_yen)
    assert min(outcomes) >= 0
    assert sum(outcome > 0 for outcome in outcomes) <= 1


@given(INPUTS)
def test_nothing_below_the_minimum_is_paid_before_the_last_statement(inputs: dict[str, Any]) -> None:
    made = compute_statement(**inputs)
    if made.final:
        assert made.carried_out_yen == 0
    else:
        assert made.payout_yen == 0 or made.payout_yen >= inputs["minimum_payout_yen"]
        assert made.carried_out_yen < max(inputs["minimum_payout_yen"], 1)


@given(INPUTS)
def test_the_fee_and_its_tax_are_floored_shares_in_exact_arithmetic(inputs: dict[str, Any]) -> None:
    made = compute_statement(**inputs)
    base = abs(made.net_sales_yen)
    sign = 1 if made.net_sales_yen >= 0 else -1
    assert 0 <= base * made.fee_bp - sign * made.fee_yen * 10_000 < 10_000
    assert 0 <= sign * made.fee_yen * made.tax_bp - sign * made.fee_tax_yen * 10_000 < 10_000


@given(INPUTS)
def test_a_statement_of_returns_mirrors_the_statement_of_the_same_sales(inputs: dict[str, Any]) -> None:
    sale = compute_statement(**inputs | {"cancelled_yen": 0, "refunded_yen": 0})
    back = compute_statement(**inputs | {"payments_yen": 0, "cancelled_yen": 0, "refunded_yen": sale.payments_yen})
    assert (back.fee_yen, back.fee_tax_yen, back.net_yen) == (-sale.fee_yen, -sale.fee_tax_yen, -sale.net_yen)


@given(st.lists(INPUTS, min_size=1, max_size=8))
def test_over_a_chain_of_statements_the_store_gets_exactly_its_net(chain: list[dict[str, Any]]) -> None:
    carried = receivable = paid = net = 0
    for number, inputs in enumerate(chain, start=1):
        made = compute_statement(
            **inputs | {"carried_in_yen": carried, "receivable_in_yen": receivable, "final": number == len(chain)}
        )
        carried, receivable = made.carried_out_yen, made.receivable_out_yen
        paid, net = paid + made.payout_yen, net + made.net_yen
    assert carried == 0
    assert paid == net + receivable


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"payments_yen": 0}, (0, 0, 0, 0, 0, 0)),
        ({"payments_yen": 99}, (0, 0, 99, 99, 0, 0)),
        ({"payments_yen": 12_345}, (123, 12, 12_210, 12_210, 0, 0)),
        ({"payments_yen": 1, "refunded_yen": 12_346}, (-123, -12, -12_210, 0, 0, 12_210)),
        ({"payments_yen": 12_345, "minimum_payout_yen": 12_211}, (123, 12, 12_210, 0, 12_210, 0)),
        ({"payments_yen": 12_345, "minimum_payout_yen": 12_210}, (123, 12, 12_210, 12_210, 0, 0)),
        ({"payments_yen": 12_345, "minimum_payout_yen": 99_999, "final": True}, (123, 12, 12_210, 12_210, 0, 0)),
        ({"carried_in_yen": 500, "minimum_payout_yen": 1_000}, (0, 0, 0, 0, 500, 0)),
        ({"payments_yen": 1_000, "receivable_in_yen": 2_000}, (10, 1, 989, 0, 0, 1_011)),
        ({"receivable_in_yen": 2_000, "final": True}, (0, 0, 0, 0, 0, 2_000)),
        ({"payments_yen": 5_000, "cancelled_yen": 5_000, "minimum_payout_yen": 1_000}, (0, 0, 0, 0, 0, 0)),
        ({"payments_yen": 1_000, "fee_bp": 10_000, "tax_bp": 10_000}, (1_000, 1_000, -1_000, 0, 0, 1_000)),
    ],
)
def test_the_stated_cases_come_out_to_the_yen(figures: dict[str, Any], expected: tuple[int, ...]) -> None:
    made = statement(**figures)
    found = (
        made.fee_yen,
        made.fee_tax_yen,
        made.net_yen,
        made.payout_yen,
        made.carried_out_yen,
        made.receivable_out_yen,
    )
    assert found == expected


@pytest.mark.parametrize("name", [name for name in NOTHING if name != "final"])
def test_no_figure_of_a_statement_is_negative(name: str) -> None:
    with pytest.raises(ValueError, match="magnitudes"):
        statement(**{name: -1})


@pytest.mark.parametrize("name", ["fee_bp", "tax_bp"])
def test_no_rate_exceeds_the_whole(name: str) -> None:
    with pytest.raises(ValueError, match="basis points"):
        statement(**{name: 10_001})
