"""A programme's settlement in sums, for reports.

Law: paid out = net − what is still owed to stores + what stores still owe.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Totals:
    """Yen over all statements of a programme, and where the payouts stand; all but fee, tax and net ≥ 0.

    `bank_files` and `transfers` count live files with a payout of the programme, and the
    lines of them that pay it; one line may pay several statements.
    """

    statements: int
    gross_yen: int
    cancelled_yen: int
    refunded_yen: int
    fee_yen: int
    fee_tax_yen: int
    net_yen: int
    payout_yen: int
    """What the statements pay out, whether a bank was told or not."""
    carried_yen: int
    """Below the minimum at each store's last statement."""
    receivable_yen: int
    """Owed by stores at their last statement."""
    on_its_way_yen: int
    """In files that the bank has but did not report as paid."""
    paid_out_yen: int
    bank_files: int
    transfers: int

    @property
    def still_owed_yen(self) -> int:
        """What stores have not been paid: carried, held back, or not through the bank yet."""
        return self.carried_yen + self.payout_yen - self.paid_out_yen
