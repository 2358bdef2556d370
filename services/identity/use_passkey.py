"""Sign in with a passkey: alone, or as the second factor after a password.

Law: the challenge is used up, in a committed transaction, before the answer is looked at, so no answer can be
tried against one challenge twice. The counter is judged on the locked row, in the transaction that lets its
owner in. A counter that did not grow revokes the key and ends the account's sessions, and that is committed
before the refusal is told.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.identity import read
from services.identity.end_session import end_sessions_of
from services.identity.open_session import Opening, OpenSession, open_session
from services.identity.passkeys import (
    CHALLENGE_BYTES,
    LIFETIME,
    PasskeyCloned,
    PasskeyRefused,
    RelyingParty,
    credential_id_of,
    is_cloned,
    read_use,
    use_options,
)
from services.identity.people import Account, AccountKind, AccountStatus
from services.identity.register_passkey import Challenged
from services.identity.second_factor import AttemptExpired
from services.identity.session import EndedAs, OpenedSession, RefreshToken
from services.identity.tables import accounts, factors
from services.identity.tables import passkeys as rows
from services.kit import audit
from services.kit.db import Database, Tx

R = TypeVar("R")
SIGN_IN, SECOND_FACTOR = "sign_in", "second_factor"


@dataclass(frozen=True)
class AskUse:
    """At whose API, and for which attempt (None: the passkey alone signs in)."""

    kind: AccountKind
    party: RelyingParty
    attempt_id: UUID | None = None


@dataclass(frozen=True)
class UsePasskey:
    """An authenticator's answer to a challenge."""

    kind: AccountKind
    challenge_id: UUID
    credential: Mapping[str, Any] = field(repr=False)
    party: RelyingParty
    attempt_id: UUID | None = None


@dataclass(frozen=True)
class Revoked:
    """Whose passkey turned out to be in two places, for the notice."""

    account: Account


@dataclass(frozen=True)
class EnteredByPasskey:
    """A session behind a password and a passkey."""

    account: Account
    session: OpenedSession


Then = Callable[[Tx, Account], Awaitable[R]]
Told = Callable[[Account], Awaitable[None]]


@dataclass(frozen=True)
class _Used(Generic[R]):
    used: UsePasskey
    kept: rows.KeptPasskey
    credential_id: bytes
    shown: int
    then: Then[R]


async def ask_use(tx: Tx, asked: AskUse) -> Challenged:
    """A challenge. With an attempt only its account's keys fit. Raises `AttemptExpired`."""
    known: list[bytes] = []
    if asked.attempt_id is not None:
        waiting = await factors.find_attempt(tx, asked.attempt_id)
        if waiting is None:
            raise AttemptExpired
        known = list(await rows.credential_ids_of(tx, waiting.account_id))
    challenge_id, challenge = tx.new_id(), tx.entropy.take(CHALLENGE_BYTES)
    purpose = SIGN_IN if asked.attempt_id is None else SECOND_FACTOR
    await rows.insert_challenge(tx, challenge_id, purpose, asked.attempt_id, challenge, tx.now + LIFETIME)
    return Challenged(challenge_id, use_options(asked.party, challenge, known), tx.now + LIFETIME)


async def use_passkey(database: Database, used: UsePasskey, then: Then[R], told: Told) -> R:
    """What `then` answers, in the transaction that counts the use; `told` hears of a key that was revoked.

    Raises `PasskeyRefused`, and `PasskeyCloned` once that is committed.
    """
    credential_id = credential_id_of(used.credential)
    challenge, kept = await database.transact(_take, (used, credential_id), direct=True)
    if challenge is None or kept is None:
        raise PasskeyRefused
    shown = read_use(used.party, challenge, kept.public_key, used.credential)
    done = await database.transact(_count, _Used(used, kept, credential_id, shown, then), direct=True)
    if isinstance(done, Revoked):
        await told(done.account)
        raise PasskeyCloned
    return done


def entering(used: UsePasskey, opening: Opening, earlier: RefreshToken | None) -> Then[EnteredByPasskey]:
    """The end of an attempt: it is used up, and a session opened for its account, maybe on a client it had before."""

    async def enter(tx: Tx, account: Account) -> EnteredByPasskey:
        attempt_id = used.attempt_id
        waiting = None if attempt_id is None else await factors.find_attempt(tx, attempt_id)
        if attempt_id is None or waiting is None or waiting.account_id != account.id:
            raise AttemptExpired
        if not await factors.use_attempt(tx, attempt_id, waiting.pending):
            raise AttemptExpired
        await audit.record(tx, account.id, "account.signed_in", account.id, kind=account.kind.value)
        here_before = earlier is not None and await read.was_here(tx, account.id, earlier)
        asked = OpenSession(account.id, account.kind, opening, new_client=not here_before)
        return EnteredByPasskey(account, await open_session(tx, asked))

    return enter


async def _take(tx: Tx, given: tuple[UsePasskey, bytes]) -> tuple[bytes | None, rows.KeptPasskey | None]:
    used, credential_id = given
    purpose = SIGN_IN if used.attempt_id is None else SECOND_FACTOR
    challenge = await rows.take_challenge(tx, used.challenge_id, purpose, used.attempt_id)
    return challenge, await rows.find_passkey(tx, credential_id)


async def _count(tx: Tx, given: _Used[R]) -> R | Revoked:
    await accounts.lock_account(tx, given.kept.account_id)
    kept = await rows.find_passkey(tx, given.credential_id, locked=True)
    account = await read.account(tx, given.kept.account_id)
    if kept is None or account.kind is not given.used.kind or account.status is not AccountStatus.ACTIVE:
        raise PasskeyRefused
    if is_cloned(kept.sign_count, given.shown):
        await rows.end_passkey(tx, account.id, kept.id, "cloned")
        await audit.record(tx, None, "passkey.cloned", kept.id, account=account.id)
        await end_sessions_of(tx, None, account.id, EndedAs.PASSKEY_CLONED)
        return Revoked(account)
    await rows.count_use(tx, kept.id, given.shown)
    return await given.then(tx, account)
