"""What the play came to: figures as the platform tells them, held against each other and the actors' own count."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from infra.simulation.company import Company
from infra.simulation.settling import PaidFile
from services.campaigns import read as campaigns
from services.kit.db import Tx
from services.settlement.read import totals
from services.settlement.totals import Totals
from services.wallets.figures import PointFigures, point_figures

REQUIRED = (
    "bank file approved and downloaded twice",
    "bank file paid",
    "bank file voided",
    "cancel",
    "checkout declined",
    "grant as its dry run said",
    "left with nothing",
    "late money returned",
    "money in from the channel",
    "money in from the funder",
    "paid with exactly the balance",
    "payment by a register's code",
    "payment by the resident's code",
    "payment by the store's code",
    "payment sent twice, made once",
    "points lapsed",
    "programme approved",
    "purchase found by asking the channel",
    "purchase undone",
    "refund after expiry",
    "refund after settlement",
    "refund before settlement",
    "refund in part",
    "refund to the last yen",
    "refused: a list with a slip",
    "refused: expired pay code",
    "refused: over the balance",
    "refused: over the cap",
    "refused: replayed pay code",
    "refused: self-approval of a bank file",
    "refused: self-approval of a grant",
    "refused: self-approval of terms",
    "refused: stock exhausted",
    "refused: suspended store",
    "refused: wrong amount",
    "reservation lapsed",
    "revived points lapsed again",
    "revived points spent",
    "statement with a carry",
    "statement with a debt",
)
"""What must have happened in every play, at any scale."""


@dataclass(frozen=True)
class Figures:
    """What the platform's own readings say."""

    points: PointFigures
    stores: Totals


async def read_figures(tx: Tx, code: str) -> Figures:
    programme = await campaigns.published(tx, code)
    return Figures(await point_figures(tx, programme.id), await totals(tx, programme.id))


def build_report(
    company: Company, terms: Mapping[str, Any], figures: Figures, proof: Mapping[str, Any]
) -> dict[str, Any]:
    """The report in the form that the README documents: whole numbers, names and truth values."""
    tally, stores = company.stage.tally, figures.stores
    return {
        "programme": dict(terms),
        "points": asdict(figures.points),
        "stores": {
            "gross_yen": stores.gross_yen,
            "cancelled_yen": stores.cancelled_yen,
            "refunded_yen": stores.refunded_yen,
            "fee_yen": stores.fee_yen,
            "fee_tax_yen": stores.fee_tax_yen,
            "net_yen": stores.net_yen,
            "carried_yen": stores.still_owed_yen,
            "receivable_yen": stores.receivable_yen,
            "paid_out_yen": stores.paid_out_yen,
        },
        "counts": {
            "residents": tally["resident"],
            "buyers": len(company.buyers),
            "stores": len(company.shops),
            "payments_cpm": tally["payment by the resident's code"],
            "payments_mpm": tally["payment by the store's code"],
            "cancels": tally["cancel"],
            "refunds": tally["refund"],
            "statements": stores.statements,
            "bank_files": stores.bank_files,
            "transfers": stores.transfers,
        },
        "proof": dict(proof),
    }


def disagreements(report: Mapping[str, Any], files: list[PaidFile], tally: Counter[str]) -> Iterator[str]:
    """Everything that does not come out as it must; nothing when all is well."""
    points, stores, counts = report["points"], report["stores"], report["counts"]
    issued = points["issued_paid"] + points["issued_premium"] + points["granted"]
    gone = points["spent"] - points["cancelled"] - points["refunded"] + points["expired"] + points["reversed"]
    sold = stores["gross_yen"] - stores["cancelled_yen"] - stores["refunded_yen"]
    found = (
        ("issued points and where they are", issued, gone + points["held"]),
        ("points held after everything has lapsed", 0, points["held"]),
        ("points spent and gross sales", points["spent"], stores["gross_yen"]),
        ("points and yen cancelled", points["cancelled"], stores["cancelled_yen"]),
        ("points and yen refunded", points["refunded"], stores["refunded_yen"]),
        ("yen that people paid", tally["yen paid"], stores["gross_yen"]),
        ("yen that clerks cancelled", tally["yen cancelled"], stores["cancelled_yen"]),
        ("yen that clerks refunded", tally["yen refunded"], stores["refunded_yen"]),
        ("payments that people made", counts["payments_cpm"] + counts["payments_mpm"], tally["payment in a statement"]),
        ("points granted and what the office saw", tally["points granted"], points["granted"]),
        ("net of the stores", sold - stores["fee_yen"] - stores["fee_tax_yen"], stores["net_yen"]),
        (
            "paid out",
            stores["net_yen"] - stores["carried_yen"] + stores["receivable_yen"],
            stores["paid_out_yen"],
        ),
        ("bank files and paid out", sum(file.total_yen for file in files), stores["paid_out_yen"]),
        ("bank files that went their way", len(files), counts["bank_files"]),
        ("transfers in bank files", sum(file.transfers for file in files), counts["transfers"]),
        ("statements that owners read", tally["statement"], counts["statements"]),
    )
    for what, expected, actual in found:
        if expected != actual:
            yield f"{what}: {expected:,} and {actual:,} are not the same"
    if not report["proof"]["clean"]:
        broken = ", ".join(check["name"] for check in report["proof"]["checks"] if not check["ok"])
        yield f"the proof is broken: {broken}"
    missing = [what for what in REQUIRED if not tally[what]]
    if missing:
        yield f"did not happen: {', '.join(missing)}"
