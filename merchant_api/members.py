"""Who works for a store: owners and managers appoint them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import StoreStaff
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.staff import NewAccount
from infra.http.strict import Answer
from services.identity.hashing import hash_new_password
from services.identity.passwords import PasswordGuessable, PasswordTooLong, PasswordTooShort
from services.identity.people import EmailMalformed, PersonNameInvalid
from services.identity.staff import EmailTaken, OpenMerchantAccount, open_merchant_account
from services.kit.db import Tx
from services.merchants.add_member import AddMember, add_member
from services.merchants.shops import Member, MemberExists, MemberRole

routes = router("members")


class MemberRequest(NewAccount):
    """A colleague. An address that has an account keeps its own password."""

    role: Literal["owner", "manager", "clerk"] = Field(description="A manager appoints clerks only.")


class MemberAnswer(Answer):
    """An account's work in one store."""

    store_id: UUID
    account_id: UUID
    role: str
    status: str
    since: datetime


@dataclass(frozen=True)
class _Appoint:
    account: OpenMerchantAccount
    actor_id: UUID
    store_id: UUID
    role: MemberRole


@routes.post(
    "/stores/{store_id}/members",
    status_code=201,
    responses=refuses(
        EmailMalformed,
        EmailTaken,
        PersonNameInvalid,
        PasswordTooShort,
        PasswordTooLong,
        PasswordGuessable,
        MemberExists,
    ),
)
async def add_store_member(
    store_id: UUID, body: MemberRequest, token: StoreStaff, here: Here, command: Command
) -> MemberAnswer:
    """Let somebody work for the store."""
    secret = await hash_new_password(body.email, body.password, here.password_cost, here.database.entropy)
    account = OpenMerchantAccount(token.account_id, body.email, body.name, secret)
    asked = _Appoint(account, token.account_id, store_id, MemberRole(body.role))
    # The password takes no part in the fingerprint: see services.identity.staff.
    said = (store_id, body.email, body.name, body.role)
    return MemberAnswer.of(
        await command.perform(token.account_id, "store.member.add", _appoint, asked, Member, said=said)
    )


async def _appoint(tx: Tx, asked: _Appoint) -> Member:
    account = await open_merchant_account(tx, asked.account)
    return await add_member(tx, AddMember(asked.actor_id, False, asked.store_id, account.account_id, asked.role))
