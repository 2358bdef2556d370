"""Change one's own password: whoever opened the account chose the first one, and may not know it for ever.

Law: the old password is asked for again, and counted like one at sign-in: a token that was left
on a screen does not take the account over. Hashing happens between two transactions. Every other session
of the account ends with the old password: whoever knew it may have opened one.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.identity import passwords
from services.identity.end_session import end_sessions_of
from services.identity.hashing import compare_password, hash_new_password
from services.identity.passwords import PasswordCost, PasswordUnchanged, SignInRefused, SignInThrottled
from services.identity.session import EndedAs
from services.identity.tables import accounts, attempts, factors
from services.kit import audit
from services.kit.db import Database, Tx
from services.kit.errors import Missing


@dataclass(frozen=True)
class NewPassword:
    """What the holder of a staff account typed, in which of their sessions."""

    account_id: UUID
    session_id: UUID | None
    old: str = field(repr=False)
    new: str = field(repr=False)
    cost: PasswordCost = passwords.RECOMMENDED


@dataclass(frozen=True)
class ChangePassword:
    """The old password as it was compared, and the hash of the new one; made by `try_password`."""

    account_id: UUID
    session_id: UUID | None
    email: str = field(repr=False)
    old_hash: str | None = field(repr=False)
    old_fits: bool
    new_hash: str = field(repr=False)


async def try_password(database: Database, asked: NewPassword) -> ChangePassword:
    """Compare the old password, at the price of one try, and hash the new one.

    Raises `SignInThrottled`, `PasswordUnchanged`, `PasswordTooShort`, `PasswordTooLong`,
    `PasswordGuessable`, `Busy`. A wrong old password is refused by the deed itself, so that one
    that was done already answers again.
    """
    if asked.new == asked.old:
        raise PasswordUnchanged
    email, stored = await database.transact(_take_try, asked)
    new_hash = await hash_new_password(email, asked.new, asked.cost, database.entropy)
    fits = await compare_password(stored, asked.old, asked.cost)
    return ChangePassword(asked.account_id, asked.session_id, email, stored, fits, new_hash)


async def change_password(tx: Tx, command: ChangePassword) -> None:
    """Keep the new password. Raises `SignInRefused` for a wrong old one, or one that was changed meanwhile."""
    known = await accounts.find_own_credentials(tx, command.account_id)
    if known is None or not command.old_fits or known[1].hash != command.old_hash:
        raise SignInRefused
    await accounts.set_password(tx, command.account_id, command.new_hash)
    await factors.end_attempts(tx, command.account_id)
    await attempts.give_try_back(tx, passwords.tries_of(command.email, command.session_id))
    await audit.record(tx, command.account_id, "account.password_changed", command.account_id)
    account_id = command.account_id
    await end_sessions_of(tx, account_id, account_id, EndedAs.PASSWORD_CHANGED, but=command.session_id)


async def _take_try(tx: Tx, asked: NewPassword) -> tuple[str, str | None]:
    """Counted for this session by itself: who guesses at the address does not keep its owner from a new password."""
    known = await accounts.find_own_credentials(tx, asked.account_id)
    if known is None:
        raise Missing
    email, credentials = known
    name = passwords.tries_of(email, asked.session_id)
    if not await attempts.take_password_try(tx, name, passwords.WINDOW, passwords.TRIES):
        began = await attempts.password_window(tx, name)
        raise SignInThrottled(retry_after_seconds=passwords.wait_seconds(began, tx.now))
    return email, credentials.hash
