"""The second half of a staff sign-in: something that only its owner has, after the password.

Law: as with passwords, a guess is paid for in a committed transaction before it is compared, and counted for
the account over all its attempts. What was right works once: the attempt, the step of time and the recovery
code are used up in the transaction that opens the session. A right one gives its own try back. A client that
had signed in before is counted by itself, so that nobody's guesses keep it out.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.identity import read, second_factor, totp
from services.identity.codes import CodeMalformed, read_code
from services.identity.open_session import Opening, OpenSession, open_session
from services.identity.passwords import wait_seconds
from services.identity.people import Account, AccountKind, AccountStatus
from services.identity.recovery import ENTROPY_BYTES, make_recovery_codes, read_recovery_code, recovery_mac
from services.identity.second_factor import (
    AttemptExpired,
    Enrolment,
    FactorEnrolled,
    FactorNotEnrolled,
    FactorThrottled,
    FactorWrong,
)
from services.identity.session import OpenedSession, RefreshToken, hash_of
from services.identity.tables import accounts, attempts, factors, passkeys, sessions
from services.kit import audit
from services.kit.db import Database, Tx


@dataclass(frozen=True)
class Enrol:
    """An attempt at the API of one `kind` asks for a secret; `key` seals it, at least 32 bytes."""

    kind: AccountKind
    attempt_id: UUID
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class FactorGuess:
    """What was typed: an authenticator's code or a recovery code.

    `earlier` is a token of a session that this client had before.
    """

    kind: AccountKind
    attempt_id: UUID
    typed: str = field(repr=False)
    key: bytes = field(repr=False)
    opening: Opening = field(kw_only=True)
    earlier: RefreshToken | None = None


@dataclass(frozen=True)
class SignedInTwice:
    """A session behind two factors; `recovery_codes` are new, and shown this once."""

    account: Account
    session: OpenedSession
    recovery_codes: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class _Taken:
    """A counted try, and what it is compared with."""

    waiting: factors.Waiting
    macs: tuple[bytes, ...] = field(repr=False)
    name: str
    at: datetime
    here_before: bool


@dataclass(frozen=True)
class _Right:
    """What was shown and fits: a step of time, or a recovery code's HMAC."""

    guess: FactorGuess
    taken: _Taken
    step: int | None
    mac: bytes | None = field(repr=False)


@dataclass(frozen=True)
class EnrolSecret:
    """A secret that an account has from elsewhere: a demonstration's, which everybody knows."""

    account_id: UUID
    secret: bytes = field(repr=False)
    key: bytes = field(repr=False)


async def enrol_secret(tx: Tx, asked: EnrolSecret) -> None:
    """Give an account its second factor. Raises `FactorEnrolled`."""
    sealed = totp.seal_secret(asked.key, asked.account_id, asked.secret, tx.entropy.take(totp.NONCE_BYTES))
    if not await factors.enrol(tx, asked.account_id, sealed, 0):
        raise FactorEnrolled
    await audit.record(tx, None, "account.second_factor_enrolled", asked.account_id)


async def enrol(tx: Tx, asked: Enrol) -> Enrolment:
    """A new secret for an account that has none; it counts once the attempt has shown a code of it.

    Raises `AttemptExpired`, and `FactorEnrolled` for an account that has a factor.
    """
    waiting, account = await _waiting(tx, asked.attempt_id, asked.kind)
    if waiting.sealed is not None or await passkeys.credential_ids_of(tx, account.id):
        raise FactorEnrolled  # or a password would be enough to add a second factor beside the one there is
    secret = tx.entropy.take(totp.SECRET_BYTES)
    sealed = totp.seal_secret(asked.key, account.id, secret, tx.entropy.take(totp.NONCE_BYTES))
    if not await factors.set_pending(tx, asked.attempt_id, sealed):
        raise AttemptExpired
    return Enrolment(totp.secret_text(secret), totp.enrolment_uri(secret, account.email or ""))


async def prove_factor(database: Database, guess: FactorGuess) -> SignedInTwice:
    """A session for who shows the second factor; with it the first recovery codes, if it was just enrolled.

    Raises `AttemptExpired`, `FactorNotEnrolled`, `FactorThrottled`, and `FactorWrong` for a wrong code, a used
    one and none at all alike.
    """
    taken = await database.transact(_take_try, guess, direct=True)
    return await database.transact(_enter, _compare(guess, taken), direct=True)


async def _waiting(tx: Tx, attempt_id: UUID, kind: AccountKind) -> tuple[factors.Waiting, Account]:
    waiting = await factors.find_attempt(tx, attempt_id)
    if waiting is None:
        raise AttemptExpired
    account = await read.account(tx, waiting.account_id)
    if account.kind is not kind or account.status is not AccountStatus.ACTIVE:
        raise AttemptExpired
    return waiting, account


async def _take_try(tx: Tx, guess: FactorGuess) -> _Taken:
    waiting, account = await _waiting(tx, guess.attempt_id, guess.kind)
    if waiting.sealed is None and waiting.pending is None:
        raise FactorNotEnrolled
    earlier, here_before = guess.earlier, None
    if earlier is not None and await sessions.is_known(tx, account.id, earlier.session_id, hash_of(earlier.family)):
        here_before = earlier.session_id
    name = second_factor.counted_as(account.id, here_before)
    if not await attempts.take_password_try(tx, name, second_factor.WINDOW, second_factor.TRIES):
        began = await attempts.password_window(tx, name)
        raise FactorThrottled(retry_after_seconds=wait_seconds(began, tx.now, second_factor.WINDOW))
    macs = tuple(await factors.recovery_macs(tx, account.id))
    return _Taken(waiting, macs, name, tx.now, here_before is not None)


def _compare(guess: FactorGuess, taken: _Taken) -> _Right:
    """What was typed against the authenticator's secret, or else the recovery codes. Raises FactorWrong."""
    account_id, waiting = taken.waiting.account_id, taken.waiting
    sealed = waiting.sealed or waiting.pending
    try:
        digits = read_code(guess.typed)
    except CodeMalformed:
        digits = None
    if digits is not None and sealed is not None:
        secret = totp.open_secret(guess.key, account_id, sealed)
        step = totp.fitting_step(secret, digits, taken.at)
        if step is not None and step > waiting.last_step:
            return _Right(guess, taken, step, None)
    signs = read_recovery_code(guess.typed)
    if signs is not None:
        mac = recovery_mac(guess.key, account_id, signs)
        if mac in taken.macs:
            return _Right(guess, taken, None, mac)
    raise FactorWrong


async def _enter(tx: Tx, right: _Right) -> SignedInTwice:
    """Use up what was shown and open the session; the account may have changed since it was looked at."""
    guess, account_id = right.guess, right.taken.waiting.account_id
    await accounts.lock_account(tx, account_id)
    _, account = await _waiting(tx, guess.attempt_id, guess.kind)
    if not await factors.use_attempt(tx, guess.attempt_id, right.taken.waiting.pending):
        raise AttemptExpired
    codes = await _use_up(tx, right)
    await attempts.give_try_back(tx, right.taken.name)
    kind = account.kind
    await audit.record(tx, account.id, "account.signed_in", account.id, kind=kind.value)
    asked = OpenSession(account.id, kind, guess.opening, new_client=not right.taken.here_before)
    opened = await open_session(tx, asked)
    return SignedInTwice(account, opened, codes)


async def _use_up(tx: Tx, right: _Right) -> tuple[str, ...]:
    """The step or the recovery code; recovery codes of a factor that was just enrolled. Raises FactorWrong."""
    waiting, key = right.taken.waiting, right.guess.key
    account_id = waiting.account_id
    if right.mac is not None:
        if not await factors.use_recovery_code(tx, account_id, right.mac):
            raise FactorWrong
        await audit.record(tx, account_id, "account.recovery_code_used", account_id)
        return ()
    step = right.step or 0
    if waiting.sealed is not None:
        if not await factors.use_step(tx, account_id, waiting.sealed, step):
            raise FactorWrong
        return ()
    if waiting.pending is None or not await factors.enrol(tx, account_id, waiting.pending, step):
        raise AttemptExpired
    codes = make_recovery_codes(tx.entropy.take(ENTROPY_BYTES))
    await factors.insert_recovery_codes(tx, account_id, [recovery_mac(key, account_id, code) for code in codes])
    await audit.record(tx, account_id, "account.second_factor_enrolled", account_id)
    return codes
