"""Open and close the accounts of staff, the city's and the stores'.

Law: passwords come here as hashes (`hashing.hash_new_password`), made before the
transaction. A deed's fingerprint is taken of the request *without* its password: an unsalted
SHA-256 of it, kept with the deed, would undo what argon2id is for.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.identity.end_session import end_sessions_of
from services.identity.people import (
    AccountKind,
    AccountStatus,
    Role,
    account_reason,
    city_roles,
    email_address,
    person_name,
)
from services.identity.session import EndedAs
from services.identity.staff_number import staff_number
from services.identity.tables import accounts, factors, staff_persons
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Kind, Missing, Refusal


class EmailTaken(Refusal):
    """The address already signs in to something else."""

    code = "email_taken"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class OpenCityAccount:
    """`actor_id` is None for the first officer of an installation."""

    actor_id: UUID | None
    email: str = field(repr=False)
    name: str = field(repr=False)
    password_hash: str = field(repr=False)
    roles: tuple[Role, ...]
    staff_number: str | None = None


@dataclass(frozen=True)
class OpenMerchantAccount:
    actor_id: UUID | None
    email: str = field(repr=False)
    name: str = field(repr=False)
    password_hash: str = field(repr=False)


@dataclass(frozen=True)
class SetAccountStatus:
    actor_id: UUID | None
    account_id: UUID
    status: AccountStatus
    reason: str


@dataclass(frozen=True)
class StaffAccount:
    """`opened` is False when the address had the account already; its password is then the old one."""

    account_id: UUID
    opened: bool


async def open_city_account(tx: Tx, command: OpenCityAccount) -> StaffAccount:
    """An account for city staff; with its staff number, it is one person with every other account of that number.

    Raises `EmailTaken`, `RolesInvalid`, `EmailMalformed`, `PersonNameInvalid`, `StaffNumberMalformed`.
    """
    roles, email = city_roles(command.roles), email_address(command.email)
    name, secret = person_name(command.name), command.password_hash
    number = None if command.staff_number is None else staff_number(command.staff_number)
    opened = await accounts.insert_account(
        tx, AccountKind.CITY, email=email, name=name, password_hash=secret, opened_by=command.actor_id
    )
    if opened is None:
        raise EmailTaken
    await accounts.insert_roles(tx, opened, roles)
    if number is not None:
        await staff_persons.put(tx, opened, number, None)
    granted = [role.value for role in roles]
    said = {"roles": granted, "person_named": number is not None}
    await audit.record(tx, command.actor_id, "account.opened", opened, **said)
    return StaffAccount(opened, opened=True)


async def open_merchant_account(tx: Tx, command: OpenMerchantAccount) -> StaffAccount:
    """An account for a store's staff, or the one that the address has: a clerk may work for two stores.

    A found account keeps its name and password; nobody changes them by adding a member.
    Raises `EmailTaken` for the city's and for disabled accounts, `EmailMalformed`,
    `PersonNameInvalid`.
    """
    email, name = email_address(command.email), person_name(command.name)
    opened = await accounts.insert_account(
        tx,
        AccountKind.MERCHANT,
        email=email,
        name=name,
        password_hash=command.password_hash,
        opened_by=command.actor_id,
    )
    if opened is not None:
        await audit.record(tx, command.actor_id, "account.opened", opened, roles=["merchant"])
        return StaffAccount(opened, opened=True)
    found = await accounts.account_by_email(tx, email)
    if found is None or found.kind is not AccountKind.MERCHANT or found.status is not AccountStatus.ACTIVE:
        raise EmailTaken
    return StaffAccount(found.id, opened=False)


async def set_account_status(tx: Tx, command: SetAccountStatus) -> None:
    """Close an account, or open it again: closed, it acts for nobody from the next request on.

    Its sessions end with it and stay ended when it is opened again.

    Raises `Missing`, `AccountReasonMissing`.
    """
    reason = account_reason(command.reason)
    if not await accounts.update_status(tx, command.account_id, command.status):
        raise Missing
    disabled = command.status is AccountStatus.DISABLED
    action = "account.disabled" if disabled else "account.activated"
    await audit.record(tx, command.actor_id, action, command.account_id, reason=reason)
    if disabled:
        await factors.end_attempts(tx, command.account_id)
        await end_sessions_of(tx, command.actor_id, command.account_id, EndedAs.ACCOUNT_DISABLED)
