"""Sign a store's or the city's staff in by e-mail and password.

Law: a guess is paid for before it is compared, in a committed transaction, and counted for
addresses that do not exist as for those that do; hashing happens between two transactions
and holds no connection. A right password gives its own try back and leaves the wrong ones
counted, so that nobody's successes buy a guesser more guesses. A password is counted over all addresses
as well: who tries one on everybody is stopped, and only who has that very password waits with them.
"""

from dataclasses import dataclass, field

from services.identity import passwords
from services.identity.hashing import compare_password
from services.identity.open_session import BY_BEARER, Opening, OpenSession, open_session
from services.identity.passwords import PasswordCost, SignInRefused, SignInThrottled
from services.identity.people import Account, AccountKind, AccountStatus, email_address
from services.identity.session import OpenedSession
from services.identity.tables import accounts, attempts
from services.kit import audit
from services.kit.db import Database, Tx


@dataclass(frozen=True)
class StaffSignIn:
    """Address and password as typed; `kind` is whose API is asked, and `cost` what new hashes cost.

    `key`, at least 32 bytes, hides which passwords are counted together.
    """

    kind: AccountKind
    email: str = field(repr=False)
    password: str = field(repr=False)
    cost: PasswordCost = passwords.RECOMMENDED
    opening: Opening = BY_BEARER
    key: bytes = field(repr=False, kw_only=True)


@dataclass(frozen=True)
class SignedInStaff:
    """The account that a password opened, and its new session."""

    account: Account
    session: OpenedSession


@dataclass(frozen=True)
class _Fitting:
    email: str
    bucket: int
    credentials: accounts.Credentials
    opening: Opening


@dataclass(frozen=True)
class _Try:
    email: str
    bucket: int


async def sign_in_staff(database: Database, attempt: StaffSignIn) -> SignedInStaff:
    """The account that the password opens, with a new session.

    Raises `EmailMalformed`; `SignInThrottled` after ten wrong passwords for the address in a
    quarter of an hour, or twenty wrong tries of one password in an hour; `SignInRefused` for a
    wrong password, an unknown address, another API's account and a disabled one alike; `Busy`.
    """
    email = email_address(attempt.email)
    bucket = passwords.spread_bucket(attempt.key, attempt.password)
    credentials = await database.transact(_take_try, _Try(email, bucket), direct=True)
    known = credentials is not None and credentials.kind is attempt.kind
    stored = credentials.hash if credentials is not None and known else None
    fits = await compare_password(stored, attempt.password, attempt.cost)
    if credentials is None or not fits:
        raise SignInRefused
    return await database.transact(_enter, _Fitting(email, bucket, credentials, attempt.opening), direct=True)


async def _take_try(tx: Tx, given: _Try) -> accounts.Credentials | None:
    """Count the try, then say what to compare with; nothing to compare with is no refusal yet."""
    email, bucket = given.email, given.bucket
    if not await attempts.take_password_try(tx, email, passwords.WINDOW, passwords.TRIES):
        began = await attempts.password_window(tx, email)
        raise SignInThrottled(retry_after_seconds=passwords.wait_seconds(began, tx.now))
    if not await attempts.take_spread_try(tx, bucket, passwords.SPREAD_WINDOW, passwords.SPREAD_TRIES):
        began = await attempts.spread_window(tx, bucket)
        raise SignInThrottled(retry_after_seconds=passwords.wait_seconds(began, tx.now, passwords.SPREAD_WINDOW))
    return await accounts.find_credentials(tx, email)


async def _enter(tx: Tx, fitting: _Fitting) -> SignedInStaff:
    """Let in whom the password still fits: the account may have changed while it was hashed."""
    await accounts.hold(tx, fitting.email)
    if await accounts.find_credentials(tx, fitting.email) != fitting.credentials:
        raise SignInRefused
    account = await accounts.account_by_email(tx, fitting.email)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise SignInRefused
    await attempts.give_try_back(tx, fitting.email)
    await attempts.give_spread_back(tx, fitting.bucket)
    await audit.record(tx, account.id, "account.signed_in", account.id, kind=account.kind.value)
    opened = await open_session(tx, OpenSession(account.id, account.kind, fitting.opening))
    return SignedInStaff(account, opened)
