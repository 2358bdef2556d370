"""Add a passkey to one's account, look at one's own, remove one.

Law: only whoever is signed in adds one, and only with an answer to a challenge of their own that was never used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.identity import read
from services.identity.passkeys import (
    CHALLENGE_BYTES,
    LIFETIME,
    MOST,
    Passkey,
    PasskeyInvalid,
    PasskeyKnown,
    RelyingParty,
    TooManyPasskeys,
    read_registration,
    registration_options,
)
from services.identity.tables import accounts
from services.identity.tables import passkeys as rows
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing

PURPOSE = "registration"


@dataclass(frozen=True)
class AskPasskey:
    account_id: UUID
    party: RelyingParty


@dataclass(frozen=True)
class Challenged:
    """What an authenticator is to sign, as a browser's page takes it."""

    challenge_id: UUID
    options: dict[str, Any]
    expires_at: datetime


@dataclass(frozen=True)
class RegisterPasskey:
    """An authenticator's answer; `name` is what its owner calls it."""

    account_id: UUID
    challenge_id: UUID
    name: str
    credential: Mapping[str, Any] = field(repr=False)
    party: RelyingParty


@dataclass(frozen=True)
class RemovePasskey:
    account_id: UUID
    passkey_id: UUID


async def ask_passkey(tx: Tx, asked: AskPasskey) -> Challenged:
    """A challenge for a new passkey."""
    account = await read.account(tx, asked.account_id)
    known = await rows.credential_ids_of(tx, account.id)
    challenge_id, challenge = tx.new_id(), tx.entropy.take(CHALLENGE_BYTES)
    await rows.insert_challenge(tx, challenge_id, PURPOSE, account.id, challenge, tx.now + LIFETIME)
    label = account.name or account.email or account.phone or ""
    options = registration_options(asked.party, challenge, account.id, label, known)
    return Challenged(challenge_id, options, tx.now + LIFETIME)


async def register_passkey(tx: Tx, asked: RegisterPasskey) -> Passkey:
    """Raises `PasskeyInvalid`, also for a challenge that is over, `PasskeyKnown` and `TooManyPasskeys`."""
    await accounts.lock_account(tx, asked.account_id)
    challenge = await rows.take_challenge(tx, asked.challenge_id, PURPOSE, asked.account_id)
    if challenge is None:
        raise PasskeyInvalid
    new = read_registration(asked.party, challenge, asked.credential)
    if len(await rows.passkeys_of(tx, asked.account_id)) >= MOST:
        raise TooManyPasskeys(most=MOST)
    made = await rows.insert_passkey(tx, asked.account_id, asked.name, new)
    if made is None:
        raise PasskeyKnown
    await audit.record(tx, asked.account_id, "passkey.added", made.id)
    return made


async def remove_passkey(tx: Tx, asked: RemovePasskey) -> str:
    """The removed one's name. Raises `Missing`."""
    name = await rows.end_passkey(tx, asked.account_id, asked.passkey_id, "removed")
    if name is None:
        raise Missing
    await audit.record(tx, asked.account_id, "passkey.removed", asked.passkey_id)
    return name


async def own_passkeys(tx: Tx, account_id: UUID) -> Sequence[Passkey]:
    """The account's passkeys, the oldest first."""
    return await rows.passkeys_of(tx, account_id)
