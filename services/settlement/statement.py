"""A store's statement: what it sold, what it is charged, and what it is owed now.

Law: payout + carried out − receivable out = net + carried in − receivable in, and at
most one of the three is not zero. All amounts are integer yen. The fee is a share of net
sales, floored once a statement; the consumption tax on it is floored once, as on any
qualified invoice. Where returns exceed sales both are mirrored: what was taken on the
sale is given back on its return.
"""

from dataclasses import dataclass

from services.kit.money import BASIS_POINTS, floor_share


@dataclass(frozen=True, slots=True)
class Statement:
    """The figures of one store for one closing; amounts in yen, rates in basis points.

    `fee_yen`, `fee_tax_yen` and `net_yen` are negative when returns exceed sales.
    """

    payments_yen: int
    """Gross sales: every payment that the statement claims."""
    payments_count: int
    cancelled_yen: int
    refunded_yen: int
    fee_bp: int
    fee_yen: int
    tax_bp: int
    fee_tax_yen: int
    net_yen: int
    """Gross − cancelled − refunded − fee − tax on the fee."""
    carried_in_yen: int
    """Owed to the store by earlier statements that stayed below the minimum."""
    receivable_in_yen: int
    """Owed by the store from earlier statements."""
    payout_yen: int
    carried_out_yen: int
    receivable_out_yen: int
    final: bool
    """The programme's last statement pays whatever is due, however small."""

    @property
    def net_sales_yen(self) -> int:
        """What the fee is a share of: gross − cancelled − refunded."""
        return self.payments_yen - self.cancelled_yen - self.refunded_yen


def compute_statement(
    *,
    payments_yen: int,
    payments_count: int,
    cancelled_yen: int,
    refunded_yen: int,
    carried_in_yen: int,
    receivable_in_yen: int,
    fee_bp: int,
    tax_bp: int,
    minimum_payout_yen: int,
    final: bool,
) -> Statement:
    """Draw up a statement from sums in yen and rates in basis points.

    A sum below the minimum is carried to the next statement, a negative one is carried as
    what the store owes, and a final statement knows no minimum. Raises `ValueError` for a
    negative figure or a rate above 100 %: a programming error, since the ledger has none.
    """
    figures = (payments_yen, payments_count, cancelled_yen, refunded_yen, carried_in_yen, receivable_in_yen)
    if min(*figures, fee_bp, tax_bp, minimum_payout_yen) < 0:
        raise ValueError("the figures of a statement are magnitudes; their signs are in the formula")
    if max(fee_bp, tax_bp) > BASIS_POINTS:
        raise ValueError("a rate is at most 10,000 basis points")

    net_sales = payments_yen - cancelled_yen - refunded_yen
    fee = floor_share(net_sales, fee_bp)
    fee_tax = floor_share(fee, tax_bp)
    net = net_sales - fee - fee_tax
    payout, carried_out, receivable_out = _resolve(
        net + carried_in_yen - receivable_in_yen, minimum_payout_yen, final=final
    )
    return Statement(
        payments_yen=payments_yen,
        payments_count=payments_count,
        cancelled_yen=cancelled_yen,
        refunded_yen=refunded_yen,
        fee_bp=fee_bp,
        fee_yen=fee,
        tax_bp=tax_bp,
        fee_tax_yen=fee_tax,
        net_yen=net,
        carried_in_yen=carried_in_yen,
        receivable_in_yen=receivable_in_yen,
        payout_yen=payout,
        carried_out_yen=carried_out,
        receivable_out_yen=receivable_out,
        final=final,
    )


def _resolve(due_yen: int, minimum_payout_yen: int, *, final: bool) -> tuple[int, int, int]:
    """What is due, as (payout, carried out, receivable out); two of them are always zero."""
    if due_yen < 0:
        return 0, 0, -due_yen
    if due_yen < minimum_payout_yen and not final:
        return 0, due_yen, 0
    return due_yen, 0, 0
