"""Who works for a store, as its own staff and the office ask for it alike."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from infra.http.context import Context
from infra.http.four_eyes import require_no_interest
from infra.http.idempotency import Named
from infra.http.staff import NEW_ACCOUNT_REFUSALS, NewAccount
from infra.http.strict import Answer, Body, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity import read as identity
from services.identity.hashing import hash_new_password
from services.identity.people import Account
from services.identity.staff import OpenMerchantAccount, open_merchant_account
from services.kit.db import Tx
from services.kit.errors import Missing, Refusal
from services.kit.numbers import parse_number
from services.merchants import read as merchants
from services.merchants.add_member import AddMember, add_member
from services.merchants.appoint import require_may_appoint
from services.merchants.disable_member import DisableMember
from services.merchants.name_member import NameMember, name_member
from services.merchants.shops import Member, MemberExists, MemberKnown, MemberRole, MerchantReasonMissing
from services.tills.invite_clerk import let_go
from services.wallets.grant import WalletUnknown
from services.wallets.open import NUMBER_PREFIX
from services.wallets.read import person_of_number

APPOINT_REFUSALS: tuple[type[Refusal], ...] = (
    *NEW_ACCOUNT_REFUSALS,
    *NUMBER_REFUSALS,
    WalletUnknown,
    MemberExists,
    MemberKnown,
)
NAME_REFUSALS: tuple[type[Refusal], ...] = (*NUMBER_REFUSALS, WalletUnknown, MemberKnown, MerchantReasonMissing)
DISABLE_REFUSALS = (MerchantReasonMissing,)


class MemberRequest(NewAccount):
    """Somebody who works for the store. An address that has an account keeps its own password."""

    role: Literal["owner", "manager", "clerk"] = Field(description="A manager appoints clerks only.")
    wallet_number: ShortText | None = Field(
        default=None, description="The wallet of the same person, who may then not pay this merchant's stores."
    )


class MemberAnswer(Answer):
    """An account's work in one store."""

    store_id: UUID
    account_id: UUID
    role: str
    status: str = Field(description="`active` or `disabled`.")
    since: datetime


class MemberLine(MemberAnswer):
    """Somebody who works or worked for the store."""

    name: str | None
    email: str | None
    wallet_known: bool = Field(description="Whether the person's wallet is known, so that it cannot pay here.")


class MembersAnswer(Answer):
    members: list[MemberLine]


class DisableRequest(Body):
    reason: Reason


class MemberWalletRequest(Body):
    """Whose wallet a member's is: shown by them on their phone or card, never looked up by a name."""

    wallet_number: ShortText = Field(description="The wallet of the same person, who may then not pay here.")
    reason: Reason = Field(description="How it is known.")


class MemberWalletAnswer(Answer):
    wallet_known: bool


class DisabledAnswer(Answer):
    status: str


@dataclass(frozen=True)
class Actor:
    """Who asks about a store's staff: one of them, or the office."""

    account_id: UUID
    as_officer: bool


@dataclass(frozen=True)
class _Appoint:
    account: OpenMerchantAccount
    by: Actor
    store_id: UUID
    role: MemberRole
    wallet_number: str | None


@dataclass(frozen=True)
class _Name:
    by: Actor
    store_id: UUID
    account_id: UUID
    wallet_number: str
    reason: str


@dataclass(frozen=True)
class _Roll:
    by: Actor
    store_id: UUID


async def appoint(here: Context, command: Named, by: Actor, store_id: UUID, body: MemberRequest) -> MemberAnswer:
    """Open or find the account and let it work for the store, in one deed."""
    number = None if body.wallet_number is None else parse_number(body.wallet_number, prefix=NUMBER_PREFIX)
    secret = await hash_new_password(body.email, body.password, here.password_cost, here.database.entropy)
    account = OpenMerchantAccount(by.account_id, body.email, body.name, secret)
    asked = _Appoint(account, by, store_id, MemberRole(body.role), number)
    # The password takes no part in the fingerprint: see services.identity.staff.
    said = (store_id, body.email, body.name, body.role, number)
    operation = "city.member.add" if by.as_officer else "store.member.add"
    return MemberAnswer.of(await command.perform(by.account_id, operation, _appoint, asked, Member, said=said))


async def disable(command: Named, by: Actor, store_id: UUID, account_id: UUID, body: DisableRequest) -> DisabledAnswer:
    """End an account's work for the store from the next request on."""
    asked = DisableMember(by.account_id, by.as_officer, store_id, account_id, body.reason)
    operation = "city.member.disable" if by.as_officer else "store.member.disable"
    await command.perform(by.account_id, operation, let_go, asked, type(None))
    return DisabledAnswer(status="disabled")


async def name(
    command: Named, by: Actor, store_id: UUID, account_id: UUID, body: MemberWalletRequest
) -> MemberWalletAnswer:
    """Say whose wallet a member's is; from the next payment on it pays no store of the merchant."""
    number = parse_number(body.wallet_number, prefix=NUMBER_PREFIX)
    asked = _Name(by, store_id, account_id, number, body.reason)
    operation = "city.member.name" if by.as_officer else "store.member.name"
    said = (store_id, account_id, number, body.reason)
    await command.perform(by.account_id, operation, _name, asked, type(None), said=said)
    return MemberWalletAnswer(wallet_known=True)


async def roll(here: Context, by: Actor, store_id: UUID) -> MembersAnswer:
    """Everybody who works or worked for the store."""
    found, accounts = await here.database.transact(_roll, _Roll(by, store_id))
    return MembersAnswer(members=[_line(each, accounts.get(each.account_id)) for each in found])


def _line(member: Member, account: Account | None) -> MemberLine:
    return MemberLine(
        **MemberAnswer.of(member).model_dump(),
        name=account.name if account else None,
        email=account.email if account else None,
        wallet_known=member.person_id is not None,
    )


async def _appoint(tx: Tx, asked: _Appoint) -> Member:
    person_id = None if asked.wallet_number is None else await _person(tx, asked.wallet_number)
    account = await open_merchant_account(tx, asked.account)
    by = asked.by
    return await add_member(
        tx, AddMember(by.account_id, by.as_officer, asked.store_id, account.account_id, asked.role, person_id)
    )


async def _name(tx: Tx, asked: _Name) -> None:
    by = asked.by
    person_id = await _person(tx, asked.wallet_number)
    if by.as_officer:  # nobody frees their own household's wallet, or has another named in its place
        known = await merchants.person_of_member(tx, asked.account_id)
        await require_no_interest(tx, by.account_id, {person_id} if known is None else {person_id, known})
    command = NameMember(by.account_id, by.as_officer, asked.store_id, asked.account_id, person_id, asked.reason)
    await name_member(tx, command)


async def _person(tx: Tx, wallet_number: str) -> UUID:
    try:
        return await person_of_number(tx, wallet_number)
    except Missing as error:
        raise WalletUnknown(wallet=wallet_number) from error


async def _roll(tx: Tx, asked: _Roll) -> tuple[tuple[Member, ...], dict[UUID, Account]]:
    await require_may_appoint(tx, asked.by.account_id, asked.store_id, MemberRole.CLERK, as_officer=asked.by.as_officer)
    found = await merchants.members(tx, asked.store_id)
    ids = [each.account_id for each in found]
    accounts: dict[UUID, Account] = {}
    for start in range(0, len(ids), identity.MAX_ACCOUNTS):
        accounts |= await identity.accounts(tx, ids[start : start + identity.MAX_ACCOUNTS])
    return found, accounts
