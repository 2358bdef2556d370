"""Does the lake say what the books say? Asked of every period that was read, before anybody sees it.

Law: what wallets gained and lost in a period, by the ledger's postings, is what the lake says was issued, less what
it says was spent, less what it says expired; paid and premium parts apart, to the yen, in one snapshot. A purchase
that was undone stands in the books twice, when it was made and when it was undone, and in the lake not at all.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final

from analytics.lake.manifest import Part
from analytics.lake.views import Days, Views
from services.kit.clock import civil_date
from services.kit.errors import Kind, Refusal

ACCOUNTS: Final = {"wallet_paid": "paid_yen", "wallet_premium": "premium_yen"}
"""Accounts of wallets in the ledger, and the column of the frames that must agree with each."""

_LEDGER: Final = f"""
SELECT {
    ", ".join(
        f"coalesce(sum(CASE account WHEN '{account}' THEN amount_yen END), 0)::bigint AS {account}"
        for account in ACCOUNTS
    )
}
  FROM wallet_postings
"""  # noqa: S608  # accounts of ours
_SIGNS: Final = {"lots": 1, "spending": -1, "expiries": -1}


class LakeDisagrees(Refusal):
    """The lake is not published, for its sums are not the ledger's: `account`, `lake_yen`, `ledger_yen`."""

    code: ClassVar[str] = "lake_disagrees"
    kind = Kind.UNAVAILABLE


def undone(views: Views) -> Sequence[Mapping[str, Any]]:
    """Every lot whose purchase was undone: `issued_at`, `ended_at`, `paid_yen`, `premium_yen`."""
    rows: list[dict[str, Any]] = views.ask("SELECT issued_at, ended_at, paid_yen, premium_yen FROM undone").to_pylist()
    return rows


def gained(views: Views, days: Days) -> Mapping[str, int]:
    """What wallets gained less what they lost in these days by the ledger, yen by account."""
    [row] = views.ask(_LEDGER, days).to_pylist()
    return {account: -yen for account, yen in row.items()}


def must_agree(
    ledger: Mapping[str, int],
    days: Days,
    frames: Mapping[str, Iterable[Part]],
    taken_back: Sequence[Mapping[str, Any]],
) -> None:
    """Raises LakeDisagrees unless the parts of these days sum to what the ledger says that wallets gained in them."""
    for account, column in ACCOUNTS.items():
        lake = sum(
            sign * part.sums[column]
            for frame, sign in _SIGNS.items()
            for part in frames.get(frame, ())
            if part.day is not None and days.holds(part.day)
        )
        lake += sum(
            row[column] * (days.holds(civil_date(row["issued_at"])) - days.holds(civil_date(row["ended_at"])))
            for row in taken_back
        )
        if lake != ledger[account]:
            raise LakeDisagrees(account=account, lake_yen=lake, ledger_yen=ledger[account])
