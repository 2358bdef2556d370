"""The office pays the stores: a file after each close, proposed by one officer, approved by another.

On the first business day after a close the file is proposed, approved and downloaded; on the next it
goes to the bank; on the day that the close named the bank pays it.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

from infra.simulation.company import Company
from infra.simulation.door import WentWrong
from infra.simulation.people import Officer
from infra.simulation.stage import closing_days
from services.settlement.calendar import BankCalendar

MONEY_DAY = 10
"""The day of the month on which the sales channel settles, or the next business day."""

SOURCES = {"channel": "cash_receivable", "funder": "funder_receivable", "grant_budget": "grant_receivable"}
FUNDER_PAYS_IN_MONTH = 2
"""Counted from 0: the premium's funder pays half of what is due so far, and the rest at the end."""


@dataclass(frozen=True)
class PaidFile:
    """A bank file that went its whole way, as the officer downloaded it."""

    number: str
    transfer_date: date
    transfers: int
    total_yen: int
    content: bytes


@dataclass
class Payouts:
    """What the office has done to pay the stores."""

    files: list[PaidFile] = field(default_factory=list)


def write_settlement(company: Company, payouts: Payouts) -> None:
    """Put every close's payday and every month's money on the agenda."""
    stage, calendar = company.stage, BankCalendar()
    for day in closing_days(stage.terms):
        stage.at(calendar.next_business_day(day), "10:00", partial(_propose, company, payouts, day))
    month = stage.terms.use.first.replace(day=MONEY_DAY)
    turn = 0
    while month <= stage.terms.use.last:
        day = calendar.on_or_after(month)
        stage.at(day, "11:00", partial(take_in_money, company, "channel"))
        if turn == FUNDER_PAYS_IN_MONTH:
            stage.at(day, "11:20", partial(take_in_money, company, "funder", half=True))
        month, turn = (month + timedelta(days=31)).replace(day=MONEY_DAY), turn + 1


async def take_in_money(company: Company, source: str, *, half: bool = False) -> None:
    """Record that a receivable, as the trial balance shows it, has reached the bank."""
    stage, treasurer = company.stage, company.office.treasurer
    found = (await treasurer.look(f"/programmes/{stage.programme}/trial-balance")).done()
    balances = {line["account"]: line["balance_yen"] for line in found["accounts"]}
    yen = balances[SOURCES[source]] // (2 if half else 1)
    if yen > 0:
        body = {"source": source, "amount_yen": yen}
        (await treasurer.ask(f"/programmes/{stage.programme}/money-in", body)).must_succeed()
        stage.happened(f"money in from the {source}")


async def _propose(company: Company, payouts: Payouts, closing_date: date) -> None:
    """Propose the file of a close, if there was one with anything to pay."""
    stage, treasurer = company.stage, company.office.treasurer
    closes = (await treasurer.look(f"/programmes/{stage.programme}/closes")).done()["closes"]
    close = next((each for each in closes if each["closing_date"] == closing_date.isoformat()), None)
    if close is None or close["payout_yen"] == 0:
        return
    if stage.tally["bank file proposed"] == 0:
        await _first_attempt(company, close["transfer_date"])
    file = await _ask_for_file(company, treasurer, close["transfer_date"])
    if file["total_yen"] != close["payout_yen"]:
        raise WentWrong(f"file {file['number']} pays {file['total_yen']} yen of {close['payout_yen']}")
    stage.happened("bank file proposed")
    stage.soon(4 * 60, partial(_approve, company, payouts, file))


async def _first_attempt(company: Company, transfer_date: str) -> None:
    """The planner, who may propose and approve, may not do both; nobody downloads what is not approved."""
    stage, planner = company.stage, company.office.planner
    file = await _ask_for_file(company, planner, transfer_date)
    (await _say_yes(planner, file)).must_be_refused("second_officer_needed")
    stage.happened("refused: self-approval of a bank file")
    (await planner.look(f"/bank-files/{file['id']}/content")).must_be_refused("bank_file_step_wrong")
    stage.happened("refused: download before approval")
    reason = {"reason": "提案者を会計担当に改めるため"}
    (await company.office.treasurer.ask(f"/bank-files/{file['id']}/void", reason)).must_succeed()
    stage.happened("bank file voided")


async def _ask_for_file(company: Company, officer: Officer, transfer_date: str) -> dict[str, Any]:
    body = {"programme": company.stage.programme, "transfer_date": transfer_date}
    file: dict[str, Any] = (await officer.ask("/bank-files", body)).done()["file"]
    return file


async def _say_yes(officer: Officer, file: dict[str, Any]) -> Any:
    return await officer.ask(f"/bank-files/{file['id']}/approval", {"sha256": file["sha256"]})


async def _approve(company: Company, payouts: Payouts, file: dict[str, Any]) -> None:
    """The mayor adds the lines up and says yes; the treasurer downloads the bytes, and again to be sure."""
    stage, path = company.stage, f"/bank-files/{file['id']}"
    record = (await company.office.mayor.look(path)).done()
    if sum(line["amount_yen"] for line in record["lines"]) != file["total_yen"]:
        raise WentWrong(f"the lines of file {file['number']} do not add up")
    (await _say_yes(company.office.mayor, record["file"])).must_succeed()
    contents = []
    for _ in range(2):
        downloaded = await company.office.treasurer.look(f"{path}/content")
        downloaded.must_succeed()
        contents.append(downloaded.content)
    if contents[0] != contents[1] or hashlib.sha256(contents[0]).hexdigest() != file["sha256"]:
        raise WentWrong(f"file {file['number']} is not the same twice")
    stage.happened("bank file approved and downloaded twice")
    found = PaidFile(
        number=file["number"],
        transfer_date=date.fromisoformat(file["transfer_date"]),
        transfers=file["transfers"],
        total_yen=file["total_yen"],
        content=contents[0],
    )
    tomorrow = BankCalendar().next_business_day(stage.today)
    stage.at(tomorrow, "09:30", partial(_send, company, file["id"]))
    stage.at(found.transfer_date, "15:30", partial(_see_paid, company, payouts, file["id"], found))


async def _send(company: Company, file_id: str) -> None:
    (await company.office.treasurer.ask(f"/bank-files/{file_id}/sent")).must_succeed()
    company.stage.happened("bank file sent")


async def _see_paid(company: Company, payouts: Payouts, file_id: str, found: PaidFile) -> None:
    (await company.office.treasurer.ask(f"/bank-files/{file_id}/paid")).must_succeed()
    payouts.files.append(found)
    company.stage.happened("bank file paid")
