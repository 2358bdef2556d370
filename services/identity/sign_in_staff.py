"""Sign a store's or the city's staff in by e-mail and password.

Law: a guess is paid for before it is compared, in a committed transaction, and counted for
addresses that do not exist as for those that do; hashing happens between two transactions
and holds no connection. A right password gives its own try back and leaves the wrong ones
counted, so that nobody's successes buy a guesser more guesses.
"""

from dataclasses import dataclass, field

from services.identity import passwords
from services.identity.hashing import compare_password
from services.identity.passwords import PasswordCost, SignInRefused, SignInThrottled
from services.identity.people import Account, AccountKind, AccountStatus, email_address
from services.identity.tables import accounts, attempts
from services.kit import audit
from services.kit.db import Database, Tx


@dataclass(frozen=True)
class StaffSignIn:
    """Address and password as typed; `kind` is whose API is asked, and `cost` what new hashes cost."""

    kind: AccountKind
    email: str = field(repr=False)
    password: str = field(repr=False)
    cost: PasswordCost = passwords.RECOMMENDED


@dataclass(frozen=True)
class _Fitting:
    email: str
    credentials: accounts.Credentials


async def sign_in_staff(database: Database, attempt: StaffSignIn) -> Account:
    """The account that the password opens.

    Raises `EmailMalformed`; `SignInThrottled` after ten wrong passwords for the address in a
    quarter of an hour; `SignInRefused` for a wrong password, an unknown address, another
    API's account and a disabled one alike; `Busy`.
    """
    email = email_address(attempt.email)
    credentials = await database.transact(_take_try, email, direct=True)
    known = credentials is not None and credentials.kind is attempt.kind
    stored = credentials.hash if credentials is not None and known else None
    fits = await compare_password(stored, attempt.password, attempt.cost)
    if credentials is None or not fits:
        raise SignInRefused
    return await database.transact(_enter, _Fitting(email, credentials), direct=True)


async def _take_try(tx: Tx, email: str) -> accounts.Credentials | None:
    """Count the try, then say what to compare with; nothing to compare with is no refusal yet."""
    if not await attempts.take_password_try(tx, email, passwords.WINDOW, passwords.TRIES):
        began = await attempts.password_window(tx, email)
        raise SignInThrottled(retry_after_seconds=passwords.wait_seconds(began, tx.now))
    return await accounts.find_credentials(tx, email)


async def _enter(tx: Tx, fitting: _Fitting) -> Account:
    """Let in whom the password still fits: the account may have changed while it was hashed."""
    if await accounts.find_credentials(tx, fitting.email) != fitting.credentials:
        raise SignInRefused
    account = await accounts.account_by_email(tx, fitting.email)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise SignInRefused
    await attempts.give_try_back(tx, fitting.email)
    await audit.record(tx, account.id, "account.signed_in", account.id, kind=account.kind.value)
    return account
