"""Prove where one lives by the government's sign-in service: sent there, and back with a code that works once.

Law: an attempt belongs to the account that began it, so nobody finishes another's; it is used up in a committed
transaction before the service is asked, so that a code which comes again is refused here already. No transaction is
open while the service is asked.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.identity.may import require_acts_for
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.residency import names
from services.residency.record import record
from services.residency.residency import Details, How, Outcome, Proof
from services.residency.sign_in_service import (
    LIFETIME,
    Identity,
    LivesElsewhere,
    SignInService,
    SignInServiceRefused,
    secrets_of,
)
from services.residency.tables import residencies


@dataclass(frozen=True)
class BeginAttempt:
    account_id: UUID
    person_id: UUID


@dataclass(frozen=True)
class Attempt:
    """A way to the service and back."""

    id: UUID
    person_id: UUID
    expires_at: datetime


@dataclass(frozen=True)
class CameBack:
    """What the service's redirection brought, sent on by the account that began the attempt."""

    attempt_id: UUID
    account_id: UUID
    person_id: UUID
    state: str = field(repr=False)
    code: str = field(repr=False)
    key: bytes = field(repr=False)


async def begin(tx: Tx, command: BeginAttempt) -> Attempt:
    """Begin an attempt. Raises Missing for a person of somebody else."""
    await require_acts_for(tx, command.account_id, command.person_id)
    attempt = Attempt(tx.new_id(), command.person_id, tx.now + LIFETIME)
    await residencies.insert_attempt(tx, attempt.id, command.account_id, command.person_id, attempt.expires_at)
    return attempt


async def prove_by_service(database: Database, service: SignInService, back: CameBack) -> Outcome:
    """Finish an attempt.

    Raises Missing for an attempt of somebody else, SignInServiceRefused, SignInServiceSilent, LivesElsewhere and
    ResidencyOfOther.
    """
    await database.transact(_must_be_theirs, back)
    secrets = secrets_of(back.key, back.attempt_id)
    if not hmac.compare_digest(secrets.state.encode(), back.state.encode()):
        raise SignInServiceRefused
    now = await database.transact(_use_up, back)
    identity = await service.identify(back.code, secrets, now)
    if not service.is_ours(identity.address):
        raise LivesElsewhere
    proof = Proof(back.person_id, back.account_id, How.OIDC, _details(identity), subject=identity.subject)
    return await database.transact(record, proof)


def _details(identity: Identity) -> Details:
    born_on = names.birth_date(identity.birth_date)
    if born_on is None or not names.name_key(identity.name):
        raise SignInServiceRefused
    return Details(identity.name, None, born_on, names.postal_code(identity.postal_code or ""))


async def _must_be_theirs(tx: Tx, back: CameBack) -> None:
    if not await residencies.has_attempt(tx, back.attempt_id, back.account_id, back.person_id):
        raise Missing


async def _use_up(tx: Tx, back: CameBack) -> datetime:
    """Raises SignInServiceRefused; the instant of the deed."""
    if not await residencies.use_attempt(tx, back.attempt_id, back.account_id, back.person_id):
        raise SignInServiceRefused
    return tx.now
