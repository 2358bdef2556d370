"""Sign a store's or the city's staff in by e-mail and password.

Law: a guess is paid for before it is compared, in a committed transaction, and counted for
addresses that do not exist as for those that do; hashing happens between two transactions
and holds no connection. A right password gives its own try back and leaves the wrong ones
counted, so that nobody's successes buy a guesser more guesses. A password is counted over all addresses
as well: who tries one on everybody is stopped, and only who has that very password waits with them.
A client that had signed in before is counted by itself, so that nobody's guesses keep it out.
Whoever needs a second factor has no session yet, but an attempt (`second_factor.py`): the city's staff always,
a store's where its API says so, and everybody who has one.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from services.identity import passwords, second_factor
from services.identity.hashing import compare_password
from services.identity.open_session import BY_BEARER, Opening, OpenSession, open_session
from services.identity.passwords import PasswordCost, SignInRefused, SignInThrottled
from services.identity.people import Account, AccountKind, AccountStatus, email_address
from services.identity.second_factor import FactorAsked, Way
from services.identity.session import OpenedSession, RefreshToken, hash_of
from services.identity.tables import accounts, attempts, factors, passkeys, sessions
from services.kit import audit
from services.kit.db import Database, Tx

NOBODY = UUID(int=0)
NeedsFactor = Callable[[Tx, UUID], Awaitable[bool]]
"""Whether an account has to have a second factor, by what it may do."""


@dataclass(frozen=True)
class StaffSignIn:
    """Address and password as typed; `kind` is whose API is asked, and `cost` what new hashes cost.

    `key`, at least 32 bytes, hides which passwords are counted together. `earlier` is the token of a session
    that the client had before, if it has one: its tries are counted apart from strangers'.
    """

    kind: AccountKind
    email: str = field(repr=False)
    password: str = field(repr=False)
    cost: PasswordCost = passwords.RECOMMENDED
    opening: Opening = BY_BEARER
    key: bytes = field(repr=False, kw_only=True)
    earlier: RefreshToken | None = None
    needs_factor: NeedsFactor | None = None


@dataclass(frozen=True)
class SignedInStaff:
    """The account that a password opened, and its new session."""

    account: Account
    session: OpenedSession


@dataclass(frozen=True)
class _Fitting:
    email: str
    counted_as: str
    bucket: int
    credentials: accounts.Credentials
    opening: Opening
    needs_factor: NeedsFactor | None


@dataclass(frozen=True)
class _Try:
    email: str
    bucket: int
    earlier: RefreshToken | None


@dataclass(frozen=True)
class _Taken:
    """A try that was counted under a name, and what it may be compared with."""

    name: str
    credentials: accounts.Credentials | None


async def sign_in_staff(database: Database, attempt: StaffSignIn) -> SignedInStaff | FactorAsked:
    """The account that the password opens, with a new session; or what it still needs, without one.

    Raises `EmailMalformed`; `SignInThrottled` after ten wrong passwords for the address in a
    quarter of an hour, or twenty wrong tries of one password in an hour; `SignInRefused` for a
    wrong password, an unknown address, another API's account and a disabled one alike; `Busy`.
    """
    email = email_address(attempt.email)
    bucket = passwords.spread_bucket(attempt.key, attempt.password)
    taken = await database.transact(_take_try, _Try(email, bucket, attempt.earlier), direct=True)
    credentials = taken.credentials
    known = credentials is not None and credentials.kind is attempt.kind
    stored = credentials.hash if credentials is not None and known else None
    fits = await compare_password(stored, attempt.password, attempt.cost)
    if credentials is None or not fits:
        raise SignInRefused
    fitting = _Fitting(email, taken.name, bucket, credentials, attempt.opening, attempt.needs_factor)
    return await database.transact(_enter, fitting, direct=True)


async def _take_try(tx: Tx, given: _Try) -> _Taken:
    """Count the try, then say what to compare with; nothing to compare with is no refusal yet."""
    bucket, earlier, name = given.bucket, given.earlier, given.email
    credentials = await accounts.find_credentials(tx, given.email)
    if earlier is not None:  # asked for an address that does not exist as well, so that time tells nothing
        account_id = NOBODY if credentials is None else credentials.account_id
        if await sessions.is_known(tx, account_id, earlier.session_id, hash_of(earlier.family)):
            name = passwords.tries_of(given.email, earlier.session_id)
    if not await attempts.take_password_try(tx, name, passwords.WINDOW, passwords.TRIES):
        began = await attempts.password_window(tx, name)
        raise SignInThrottled(retry_after_seconds=passwords.wait_seconds(began, tx.now))
    if not await attempts.take_spread_try(tx, bucket, passwords.SPREAD_WINDOW, passwords.SPREAD_TRIES):
        began = await attempts.spread_window(tx, bucket)
        raise SignInThrottled(retry_after_seconds=passwords.wait_seconds(began, tx.now, passwords.SPREAD_WINDOW))
    return _Taken(name, credentials)


async def _enter(tx: Tx, fitting: _Fitting) -> SignedInStaff | FactorAsked:
    """Let in whom the password still fits: the account may have changed while it was hashed."""
    await accounts.hold(tx, fitting.email)
    if await accounts.find_credentials(tx, fitting.email) != fitting.credentials:
        raise SignInRefused
    account = await accounts.account_by_email(tx, fitting.email)
    if account is None or account.status is not AccountStatus.ACTIVE:
        raise SignInRefused
    await attempts.give_try_back(tx, fitting.counted_as)
    await attempts.give_spread_back(tx, fitting.bucket)
    ways = await _ways(tx, account.id)
    needs = fitting.needs_factor
    if ways or account.kind is AccountKind.CITY or (needs is not None and await needs(tx, account.id)):
        return await _ask_factor(tx, account, ways)
    await audit.record(tx, account.id, "account.signed_in", account.id, kind=account.kind.value)
    new_client = fitting.counted_as == fitting.email
    opened = await open_session(tx, OpenSession(account.id, account.kind, fitting.opening, new_client=new_client))
    return SignedInStaff(account, opened)


async def _ways(tx: Tx, account_id: UUID) -> tuple[Way, ...]:
    """What the account can show beside its password."""
    by_app = (Way.TOTP, Way.RECOVERY_CODE) if await factors.is_enrolled(tx, account_id) else ()
    return (*by_app, Way.PASSKEY) if await passkeys.credential_ids_of(tx, account_id) else by_app


async def _ask_factor(tx: Tx, account: Account, ways: tuple[Way, ...]) -> FactorAsked:
    """An attempt in place of a session."""
    attempt_id, expires_at = tx.new_id(), tx.now + second_factor.LIFETIME
    await factors.begin(tx, attempt_id, account.id, expires_at)
    return FactorAsked(attempt_id, account, ways, expires_at)
