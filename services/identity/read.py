"""Read accounts, their sessions, and the persons that they act for."""

from collections.abc import Sequence
from uuid import UUID

from services.identity.people import Account, Contact
from services.identity.session import NewPhone, RefreshToken, Session, hash_of
from services.identity.tables import accounts as rows
from services.identity.tables import notices, sessions, staff_persons
from services.kit.db import Tx
from services.kit.errors import Missing

MAX_ACCOUNTS = 500


async def account(tx: Tx, account_id: UUID) -> Account:
    """Raises `Missing`."""
    found = await rows.accounts_by_id(tx, [account_id])
    if not found:
        raise Missing
    return found[0]


async def addressee(tx: Tx, account_id: UUID) -> tuple[Account, str | None]:
    """An account, and the language in which its owner reads, where that is known. Raises `Missing`."""
    return await account(tx, account_id), await notices.language_of(tx, account_id)


async def accounts(tx: Tx, account_ids: Sequence[UUID]) -> dict[UUID, Account]:
    """Those of the accounts that exist, by id, in one statement; at most 500 are asked for."""
    if len(account_ids) > MAX_ACCOUNTS:
        raise ValueError("too many accounts for one statement")
    return {found.id: found for found in await rows.accounts_by_id(tx, account_ids)}


async def account_with_session(tx: Tx, account_id: UUID, session_id: UUID) -> tuple[Account, bool] | None:
    """An account, and whether that session of it is open; None for one that does not exist."""
    return await rows.account_with_session(tx, account_id, session_id)


async def was_here(tx: Tx, account_id: UUID, token: RefreshToken) -> bool:
    """Whether a client shows a token of a session that it had with the account, which may be over."""
    return await sessions.is_known(tx, account_id, token.session_id, hash_of(token.family))


async def new_phone(tx: Tx, account_id: UUID, session_id: UUID) -> NewPhone | None:
    """What limits the phone that a session is on; None for a phone that is not new."""
    return await sessions.new_phone_of(tx, account_id, session_id)


async def open_sessions(tx: Tx, account_id: UUID) -> tuple[Session, ...]:
    """The account's sessions that can still be used, the newest first."""
    return tuple(await sessions.open_sessions(tx, account_id))


async def are_independent(tx: Tx, one: UUID, other: UUID) -> bool:
    """Whether two accounts are two pairs of eyes: two accounts, with nobody behind both.

    Whoever opens an account chose its password, and could sign in as it: neither may have opened
    the other, nor one account both of them, directly or through others. Accounts of one person (by their staff
    number) are one account in this. One that was opened at the command line has only its own person behind it.
    """
    return one != other and not await staff_persons.share_a_hand(tx, one, other)


async def persons_near(tx: Tx, account_id: UUID) -> frozenset[UUID]:
    """Whom a member of staff may not decide upon: themselves as a resident, and their household, where known."""
    return frozenset(await staff_persons.persons_near(tx, account_id))


async def acting_for(tx: Tx, person_id: UUID) -> tuple[UUID, ...]:
    """The accounts that act for a person."""
    return tuple(await rows.accounts_for(tx, person_id))


async def persons_reached(
    tx: Tx, *, phone: str | None = None, email: str | None = None, limit: int
) -> tuple[UUID, ...]:
    """The persons that a resident's account acts for, by its phone or mailbox in stored form."""
    return tuple(await rows.persons_reached(tx, phone=phone, email=email, limit=limit))


async def contacts(tx: Tx, person_ids: Sequence[UUID]) -> dict[UUID, list[Contact]]:
    """How persons are reached, by person."""
    found: dict[UUID, list[Contact]] = {}
    for person_id, contact in await rows.contacts_of(tx, person_ids):
        found.setdefault(person_id, []).append(contact)
    return found


async def own_person(tx: Tx, account_id: UUID) -> UUID:
    """The person whose own account it is. Raises `Missing` for a disabled one, and for staff's."""
    found = await rows.self_of(tx, account_id)
    if found is None:
        raise Missing
    return found


async def persons(tx: Tx, account_id: UUID) -> tuple[UUID, ...]:
    """The persons that an account acts for, themselves first; none when it is disabled or unknown."""
    return tuple(await rows.persons_of(tx, account_id))
