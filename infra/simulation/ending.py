"""The end: the last money in, the books proven, the stores' statements collected, everything written out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.simulation.company import Company
from infra.simulation.door import WentWrong
from infra.simulation.people import Clerk
from infra.simulation.report import build_report, disagreements, read_figures
from infra.simulation.settling import SOURCES, Payouts, take_in_money
from infra.simulation.shops import Shop
from services.kit.db import Tx
from services.proof.proof import Proof
from services.proof.prove import prove

AMOUNTS = ("debit_yen", "credit_yen", "balance_yen")


@dataclass(frozen=True)
class Outcome:
    """The report, the files to write by their path below the output folder, and what is wrong.

    `story` counts what the actors did, for a look at what was in the play.
    """

    report: Mapping[str, Any]
    files: Mapping[str, bytes]
    wrong: Sequence[str]
    story: Mapping[str, int]


async def must_agree_before_lapsing(company: Company) -> None:
    """In the last minutes of use: what all apps show together is what the platform holds."""
    stage = company.stage
    held = (await stage.town.jobs.transact(read_figures, stage.programme)).points.held
    believed = sum(resident.pocket.total for resident in company.residents)
    if held != believed:
        raise WentWrong(f"the platform holds {held} points for everybody, the apps show {believed}")


async def end(company: Company, payouts: Payouts) -> Outcome:
    """Close the programme's accounts and read what it came to."""
    stage, auditor = company.stage, company.office.auditor
    body = {"source": "channel", "amount_yen": 1}
    (await auditor.ask(f"/programmes/{stage.programme}/money-in", body)).must_be_refused("forbidden")
    stage.happened("refused: an auditor who acts")
    stage.tell("taking in the last money")
    for source in SOURCES:
        await take_in_money(company, source)
    await stage.work()
    stage.tell("reading statements")
    statements = await _collect_statements(company)
    balance = (await auditor.look(f"/programmes/{stage.programme}/trial-balance")).done()
    terms = (await auditor.look(f"/programmes/{stage.programme}")).done()["terms"]
    stage.tell("proving the books")
    proof = (await stage.town.jobs.transact(_prove, None)).plain()
    figures = await stage.town.jobs.transact(read_figures, stage.programme)
    report = build_report(company, terms, figures, proof)
    files = {
        "report.json": (json.dumps(report, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode(),
        "trial-balance.txt": _trial_balance(balance["accounts"]).encode(),
        **{f"{file.transfer_date.isoformat()}-{file.number}.zengin": file.content for file in payouts.files},
        **statements,
    }
    wrong = tuple(disagreements(report, payouts.files, stage.tally))
    return Outcome(report, files, wrong, dict(sorted(stage.tally.items())))


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)


async def _collect_statements(company: Company) -> dict[str, bytes]:
    """Every statement as its store's owner reads it."""
    texts: dict[str, bytes] = {}
    for shop in company.shops:
        texts |= await _statements_of(shop, shop.owner)
    return texts


async def _statements_of(shop: Shop, owner: Clerk) -> dict[str, bytes]:
    stage, path = owner.stage, f"/stores/{shop.store_id}/statements"
    texts = {}
    for statement in (await owner.look(path)).done()["statements"]:
        figures = statement["figures"]
        stage.tally["statement"] += 1
        stage.tally["statement with a carry"] += figures["carried_out_yen"] > 0
        stage.tally["statement with a debt"] += figures["receivable_out_yen"] > 0
        stage.tally["payment in a statement"] += figures["payments_count"]
        page = await owner.look(f"{path}/{statement['id']}.txt")
        page.must_succeed()
        texts[f"statements/{statement['closing_date']}-{shop.code}.txt"] = page.content
    return texts


def _trial_balance(accounts: Sequence[Mapping[str, Any]]) -> str:
    """Accounts in the chart's order with their yen in columns, and what the columns come to."""
    totals = {"account": "total"} | {name: sum(line[name] for line in accounts) for name in AMOUNTS}
    rows = [("account", *AMOUNTS)]
    rows += [(line["account"], *(f"{line[name]:,}" for name in AMOUNTS)) for line in (*accounts, totals)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    rule = "-" * (sum(widths) + 2 * len(AMOUNTS))
    lines = [
        row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]]) + "\n"
