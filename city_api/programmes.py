"""Programmes: proposed by one officer, approved by another, then in force; and their books."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import Path
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Approver, CityStaff, Officer
from infra.http.context import Context, Here
from infra.http.four_eyes import require_second_officer
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Instant, Reason, ShortText, WholeText
from infra.http.terms import TermsJson
from services.campaigns import draft, publish, read
from services.campaigns.history import Version, versions_of
from services.campaigns.programme import (
    NothingToApprove,
    Programme,
    ProgrammeCodeInvalid,
    ProgrammeCodeTaken,
    ProgrammeUnknown,
)
from services.campaigns.terms import Terms, TermsInvalid
from services.identity.read import MAX_ACCOUNTS, accounts
from services.kit.db import Tx
from services.kit.four_eyes import SecondOfficerNeeded
from services.ledger.read import TrialBalanceLine, trial_balance

routes = router("programmes")


class NewVersion(Body):
    """Terms as an officer proposes them, and why."""

    terms: TermsJson
    reason: Reason


class NewProgramme(NewVersion):
    """A programme's code and its first terms."""

    code: ShortText = Field(description="3 to 40 lower-case letters, digits and hyphens.", examples=["starlight-2020"])


class ProposedAnswer(Answer):
    """What waits for a second officer."""

    programme_id: UUID
    code: str
    version: int
    fingerprint: str = Field(description="SHA-256 of the terms; the approver says yes to exactly these.")


class Approval(Body):
    fingerprint: Annotated[str, Field(strict=True, pattern=r"^[0-9a-fA-F]{64}$")]


class ApprovedAnswer(Answer):
    programme_id: UUID
    code: str
    version: int


class ProgrammeLine(Answer):
    """A programme with its newest version, drafts among them."""

    code: str
    version: int
    name: str
    phase: str = Field(description="`draft`, `published`, `selling`, `in_use` or `closed`.")


class ProgrammesAnswer(Answer):
    programmes: list[ProgrammeLine]


class VersionLine(Answer):
    """One version of a programme's terms: who proposed it and why, and who approved it."""

    code: str
    version: int
    approved: bool
    in_force: bool = Field(description="Whether purchases are made under it now.")
    fingerprint: str
    reason: str
    proposed_by: UUID
    proposed_by_name: str | None
    proposed_at: datetime
    approved_by: UUID | None = Field(description="Null while it waits for a second officer.")
    approved_by_name: str | None
    approved_at: datetime | None


class VersionAnswer(VersionLine):
    """A version with its terms, as it is shown to the approver."""

    terms: TermsJson


class ProgrammeAnswer(VersionAnswer):
    """The newest version, approved or waiting; and what is in force meanwhile."""

    published: VersionAnswer | None = Field(description="The version in force; null before the first approval.")
    versions: list[VersionLine] = Field(description="Every version, the newest first.")


class VersionsAnswer(Answer):
    versions: list[VersionAnswer]


class TrialBalanceRow(Answer):
    """One account of the chart, in yen."""

    account: str
    type: str
    debit_yen: int
    credit_yen: int
    balance_yen: int = Field(description="Debit less credit.")


class TrialBalanceAnswer(Answer):
    """The programme's books: debits and credits are equal in sum."""

    code: str
    at: datetime
    accounts: list[TrialBalanceRow]


@dataclass(frozen=True)
class _BooksAt:
    code: str
    at: datetime


@routes.post("/programmes", status_code=201, responses=refuses(ProgrammeCodeInvalid, ProgrammeCodeTaken, TermsInvalid))
async def propose_programme(body: NewProgramme, token: Officer, command: Command) -> ProposedAnswer:
    """Propose a programme. Nothing is in force until another officer approves it."""
    asked = draft.Propose(body.code, _terms(body.terms), body.reason, token.account_id)
    return ProposedAnswer.of(
        await command.perform(token.account_id, "city.programme.create", draft.create, asked, draft.Proposed)
    )


@routes.post("/programmes/{code}/versions", status_code=201, responses=refuses(ProgrammeUnknown, TermsInvalid))
async def propose_version(code: ShortText, body: NewVersion, token: Officer, command: Command) -> ProposedAnswer:
    """Propose corrected terms. Points that were sold keep the version that they were sold under."""
    asked = draft.Propose(code, _terms(body.terms), body.reason, token.account_id)
    return ProposedAnswer.of(
        await command.perform(token.account_id, "city.programme.propose", draft.propose, asked, draft.Proposed)
    )


@routes.post(
    "/programmes/{code}/versions/{version}/approval",
    status_code=201,
    responses=refuses(ProgrammeUnknown, NothingToApprove, SecondOfficerNeeded, TermsInvalid),
)
async def approve_version(
    code: ShortText,
    version: Annotated[int, Path(ge=1, le=1_000_000), WholeText],
    body: Approval,
    token: Approver,
    command: Command,
) -> ApprovedAnswer:
    """Say the second yes, to exactly what was shown: the fingerprint tells what that was."""
    asked = publish.Approve(code, version, body.fingerprint, token.account_id)
    return ApprovedAnswer.of(
        await command.perform(token.account_id, "city.programme.approve", _approve, asked, publish.Approved)
    )


@routes.get("/programmes")
async def list_programmes(_token: CityStaff, here: Here) -> ProgrammesAnswer:
    """Every programme under its newest version, drafts among them."""
    found, now = await here.database.transact(_list, None)
    return ProgrammesAnswer(
        programmes=[
            ProgrammeLine(code=each.code, version=each.version, name=each.terms.name, phase=each.phase(now).value)
            for each in found
        ]
    )


@routes.get("/programmes/{code}", responses=refuses(ProgrammeUnknown))
async def get_programme(code: ShortText, _token: CityStaff, here: Here) -> ProgrammeAnswer:
    """The newest version of a programme's terms, the one in force, and who stands behind each."""
    shown = await _shown_versions(here, code)
    published = next((each for each in shown if each.in_force), None)
    lines = [VersionLine(**each.model_dump(exclude={"terms"})) for each in shown]
    newest = {name: getattr(shown[0], name) for name in VersionAnswer.model_fields}
    return ProgrammeAnswer(**newest, published=published, versions=lines)


@routes.get("/programmes/{code}/versions", responses=refuses(ProgrammeUnknown))
async def list_versions(code: ShortText, _token: CityStaff, here: Here) -> VersionsAnswer:
    """Every version with its terms, the newest first: a correction names who approved it."""
    return VersionsAnswer(versions=await _shown_versions(here, code))


@routes.get("/programmes/{code}/trial-balance", responses=refuses(ProgrammeUnknown))
async def get_trial_balance(
    code: ShortText, _token: CityStaff, here: Here, at: Instant | None = None
) -> TrialBalanceAnswer:
    """The programme's books as of an instant, now unless `at` says another."""
    asked = _BooksAt(code, at or here.clock.now())
    lines = await here.database.transact(_books, asked)
    return TrialBalanceAnswer(code=code, at=asked.at, accounts=[TrialBalanceRow.of(line) for line in lines])


async def _shown_versions(here: Context, code: str) -> list[VersionAnswer]:
    versions, names = await here.database.transact(_versions, code)
    return [
        VersionAnswer(
            **{name: getattr(each, name) for name in VersionLine.model_fields if not name.endswith("_name")},
            proposed_by_name=names.get(each.proposed_by),
            approved_by_name=names.get(each.approved_by) if each.approved_by else None,
            terms=TermsJson.model_validate(each.terms),
        )
        for each in versions
    ]


def _terms(body: TermsJson) -> Terms:
    return msgspec.convert(body.model_dump(mode="json"), Terms)


async def _approve(tx: Tx, asked: publish.Approve) -> publish.Approved:
    proposal, _ = await read.newest_proposal(tx, asked.code)
    await require_second_officer(tx, proposal.proposed_by, asked.officer_id)
    return await publish.approve(tx, asked)


async def _versions(tx: Tx, code: str) -> tuple[tuple[Version, ...], dict[UUID, str | None]]:
    versions = await versions_of(tx, code)
    people = {each.proposed_by for each in versions} | {each.approved_by for each in versions if each.approved_by}
    known = await accounts(tx, sorted(people)[:MAX_ACCOUNTS])
    return versions, {account_id: account.name for account_id, account in known.items()}


async def _list(tx: Tx, _: None) -> tuple[list[Programme], datetime]:
    return await read.all_newest(tx), tx.now


async def _books(tx: Tx, asked: _BooksAt) -> tuple[TrialBalanceLine, ...]:
    programme = await read.published(tx, asked.code)
    return await trial_balance(tx, programme.id, at=asked.at)
