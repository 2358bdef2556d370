"""Changes that wait for a second yes: seen, approved by another, or taken back.

Law: what is approved happens in the approval's own transaction, or neither does. A kind of change is one line
in `CARRIED_OUT`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Annotated, Final, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints

from city_api.bank_accounts import PayoutAccountAnswer, account_answer
from city_api.care import CareContentAnswer, care_answer
from city_api.interests import gaining_by
from city_api.merges import MergeContentAnswer, merge_answer, view_of
from city_api.payee_notices import tell_of_new_account
from infra.http.apps import router
from infra.http.auth import Approver, CityStaff, Officer
from infra.http.care_notices import tell_all, tell_of_beginning, tell_of_lapsed
from infra.http.context import Here
from infra.http.four_eyes import require_no_interest, require_second_officer
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer, Body, Reason
from services.campaigns.programme import GrantBudgetExhausted, ProgrammeClosed, ProgrammeUnknown
from services.campaigns.terms import PurseUnknown
from services.identity.bulk_reading import Looker, TooManyLooks
from services.identity.fresh_sign_in import SignInNotFresh, require_fresh_sign_in
from services.identity.name_person import carry_out_person, proposed_person
from services.kit import audit, changes
from services.kit.changes import ApproveChange, ChangePage, WithdrawChange
from services.kit.db import Tx
from services.kit.four_eyes import (
    ChangeDecided,
    ChangeDiffers,
    ChangeKind,
    ChangeStatus,
    OwnInterest,
    ProposedChange,
    SecondOfficerNeeded,
)
from services.merchants.propose_payout_account import carry_out_payout_account, proposed_account
from services.residency.hand_over import ListDifferences, carry_out_register, list_differences
from services.wallets.begin_care import carry_out_care
from services.wallets.care import CareBirthDateUnknown, CareEndInvalid, CareExists, CareLimitReached, CareOfAdult
from services.wallets.grant import GrantTooEarly, WalletUnknown
from services.wallets.grant_csv import GrantListInvalid
from services.wallets.merge_wallets import MergeView, carry_out_merge, told_of_merge
from services.wallets.merging import MergeIntoUnproven, MergePersonsDiffer
from services.wallets.propose_grant import carry_out_grant
from services.wallets.wallet import WalletMerged, WalletSuspended

routes = router("changes")

Fingerprint = Annotated[str, StringConstraints(strict=True, pattern=r"^[0-9a-fA-F]{64}$")]


class ChangeLine(Answer):
    id: UUID
    kind: str = Field(description="`grant`, `payout_account`, `register`, `staff_person`, `care` or `merge`.")
    subject_id: UUID = Field(
        description="The programme, merchant, account or wallet that would change, or the list of residents."
    )
    fingerprint: str = Field(description="Stands for all that would change; an approval names it.")
    proposed_by: UUID
    proposed_at: datetime
    status: str = Field(description="`open`, `approved` or `withdrawn`.")
    decided_by: UUID | None
    decided_at: datetime | None


class ChangesAnswer(Answer):
    """Changes in the order of their proposal; ask on with `after` = `next` until that is null."""

    changes: Sequence[ChangeLine]
    next: UUID | None


class GrantLineAnswer(Answer):
    wallet_number: str
    points: int


class GrantContentAnswer(Answer):
    """A grant as it would happen."""

    programme: str
    purse: str
    reason: str
    points: int = Field(description="All lines together.")
    lines: Sequence[GrantLineAnswer]


class RegisterContentAnswer(Answer):
    """A list of residents, and what it would do to the register as it is now: numbers, and nobody's name."""

    sha256: str = Field(description="Of the list as it was sent.")
    lines: int
    added: int
    changed: int
    left_out: int


class StaffPersonAnswer(Answer):
    """Who would be behind an account of the city's staff from now on."""

    staff_number: str
    wallet_known: bool = Field(description="Whether a wallet of theirs is named, so that they decide on none of it.")


class ChangeAnswer(ChangeLine):
    """A change with what it would do: one of the six is not null."""

    grant: GrantContentAnswer | None
    payout_account: PayoutAccountAnswer | None
    register_list: RegisterContentAnswer | None
    staff_person: StaffPersonAnswer | None
    care: CareContentAnswer | None
    merge: MergeContentAnswer | None


class ChangeApproval(Body):
    """The second yes, to exactly what was shown."""

    fingerprint: Fingerprint


class ChangeWithdrawal(Body):
    reason: Reason


class ChangeCarriedOut(Answer):
    """What the change made: a batch of grants, the setting of an account, a register, a care, a merge."""

    change_id: UUID
    kind: str
    result_id: UUID


class ChangeWithdrawn(Answer):
    status: str


@dataclass(frozen=True)
class CarriedOut:
    change_id: UUID
    kind: str
    result_id: UUID


@dataclass(frozen=True)
class _Look:
    change_id: UUID
    looker: Looker


@routes.get("/changes")
async def list_changes(
    _token: CityStaff,
    here: Here,
    status: Annotated[Literal["open", "approved", "withdrawn"] | None, Query()] = "open",
    after: UUID | None = None,
    limit: PageSize = 100,
) -> ChangesAnswer:
    """Changes that wait for a second yes; or, by `status`, those that had one or were taken back."""
    asked = ChangePage(None if status is None else ChangeStatus(status), after, limit + 1)
    shown, following = paged(await here.database.transact(changes.page, asked), limit, lambda each: each.id)
    return ChangesAnswer(changes=[ChangeLine.of(each) for each in shown], next=following)


@routes.get("/changes/{change_id}", responses=refuses(TooManyLooks))
async def get_change(change_id: UUID, token: CityStaff, here: Here) -> ChangeAnswer:
    """What would change, for whoever is to say the second yes. That one looked is kept in the audit log."""
    looker = Looker(token.account_id, here.look_limits)
    change, differences, merged = await here.database.transact(_look, _Look(change_id, looker))
    grant = account = register = person = care = merge = None
    if change.kind is ChangeKind.GRANT:
        lines = [GrantLineAnswer(wallet_number=number, points=points) for _, number, points in change.content["lines"]]
        said = {name: change.content[name] for name in ("programme", "purse", "reason")}
        grant = GrantContentAnswer(**said, lines=lines, points=sum(line.points for line in lines))
    elif differences is not None:
        register = RegisterContentAnswer(sha256=change.content["sha256"], **vars(differences))
    elif change.kind is ChangeKind.STAFF_PERSON:
        named = proposed_person(change)
        person = StaffPersonAnswer(staff_number=named.staff_number, wallet_known=named.person_id is not None)
    elif change.kind is ChangeKind.CARE:
        care = care_answer(change)
    elif merged is not None:
        merge = merge_answer(merged)
    else:
        account = account_answer(proposed_account(change))
    said = ChangeLine.of(change).model_dump()
    return ChangeAnswer(
        **said,
        grant=grant,
        payout_account=account,
        register_list=register,
        staff_person=person,
        care=care,
        merge=merge,
    )


@routes.post(
    "/changes/{change_id}/approval",
    status_code=201,
    responses=refuses(
        SecondOfficerNeeded,
        OwnInterest,
        SignInNotFresh,
        ChangeDiffers,
        ChangeDecided,
        GrantBudgetExhausted,
        GrantListInvalid,
        ProgrammeClosed,
        GrantTooEarly,
        ProgrammeUnknown,
        PurseUnknown,
        WalletUnknown,
        CareEndInvalid,
        CareBirthDateUnknown,
        CareOfAdult,
        CareExists,
        CareLimitReached,
        MergePersonsDiffer,
        MergeIntoUnproven,
        WalletMerged,
        WalletSuspended,
    ),
)
async def approve_change(
    change_id: UUID, body: ChangeApproval, token: Approver, here: Here, command: Command
) -> ChangeCarriedOut:
    """Say the second yes: the change happens now."""
    await tell_of_lapsed(here)
    asked = ApproveChange(change_id, body.fingerprint, token.account_id)
    approve = partial(_approve, session_id=token.session_id)
    done = await command.perform(token.account_id, "city.change.approve", approve, asked, CarriedOut)
    if done.kind == ChangeKind.PAYOUT_ACCOUNT.value and not command.replayed:
        await tell_of_new_account(here, done.change_id)
    if done.kind == ChangeKind.CARE.value and not command.replayed:
        await tell_of_beginning(here, done.result_id)
    if done.kind == ChangeKind.MERGE.value and not command.replayed:
        await tell_all(here, await here.database.transact(told_of_merge, done.result_id), "notice.wallets_merged")
    return ChangeCarriedOut.of(done)


@routes.post("/changes/{change_id}/withdrawal", responses=refuses(ChangeDecided))
async def withdraw_change(change_id: UUID, body: ChangeWithdrawal, token: Officer, command: Command) -> ChangeWithdrawn:
    """Take a proposal back: it can never be approved."""
    asked = WithdrawChange(change_id, body.reason, token.account_id)
    await command.perform(token.account_id, "city.change.withdraw", changes.withdraw, asked, type(None))
    return ChangeWithdrawn(status=ChangeStatus.WITHDRAWN.value)


async def _look(tx: Tx, asked: _Look) -> tuple[ProposedChange, ListDifferences | None, MergeView | None]:
    change = await changes.find(tx, asked.change_id)
    await audit.record(tx, asked.looker.account_id, "change.looked_at", change.id, kind=change.kind.value)
    is_register = change.kind is ChangeKind.REGISTER
    differences = await list_differences(tx, change.subject_id) if is_register else None
    return change, differences, await view_of(tx, change, asked.looker) if change.kind is ChangeKind.MERGE else None


async def _approve(tx: Tx, asked: ApproveChange, *, session_id: UUID) -> CarriedOut:
    proposal = await changes.find(tx, asked.change_id, lock=True)
    if proposal.kind is ChangeKind.PAYOUT_ACCOUNT:
        await require_fresh_sign_in(tx, asked.officer_id, session_id)
    await require_second_officer(tx, proposal.proposed_by, asked.officer_id)
    if proposal.kind is ChangeKind.STAFF_PERSON:  # nor does anybody say who they are themselves
        await require_second_officer(tx, proposal.subject_id, asked.officer_id)
    await require_no_interest(tx, asked.officer_id, await gaining_by(tx, proposal))
    change = await changes.approve(tx, asked)
    return CarriedOut(change.id, change.kind.value, await CARRIED_OUT[change.kind](tx, change))


async def _grant(tx: Tx, change: ProposedChange) -> UUID:
    done = await carry_out_grant(tx, change)
    if done.batch_id is None:
        raise AssertionError("a grant that was carried out has its batch")
    return done.batch_id


async def _payout_account(tx: Tx, change: ProposedChange) -> UUID:
    return (await carry_out_payout_account(tx, change)).payout_account_id


CARRIED_OUT: Final[Mapping[ChangeKind, Callable[[Tx, ProposedChange], Awaitable[UUID]]]] = {
    ChangeKind.GRANT: _grant,
    ChangeKind.PAYOUT_ACCOUNT: _payout_account,
    ChangeKind.REGISTER: carry_out_register,
    ChangeKind.STAFF_PERSON: carry_out_person,
    ChangeKind.CARE: carry_out_care,
    ChangeKind.MERGE: carry_out_merge,
}
