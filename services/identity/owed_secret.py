"""What a sign-in owes that has shown a one-time code and nothing else: a secret, before it adds what signs or enters.

Law: such a session looks, blocks and signs out like any other, and adds no phone, no passkey and no printed code
until it has shown the secret. Tries are counted for the session before anything is compared: whoever guesses uses up
the tries of their own sign-in, and nobody else's.
"""

from uuid import UUID

from services.identity.tables import sessions
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Kind, Refusal

TRIES = 5
"""Of one sign-in; another sign-in is another one-time code."""


class SecretOwed(Refusal):
    """This sign-in has shown a one-time code only: first the code of the letter, or the printed one."""

    code = "secret_owed"
    kind = Kind.FORBIDDEN


class SecretRefused(Refusal):
    """Not a secret of this person's, or one that was used: which, is never told. `tries_left` more."""

    code = "secret_refused"
    kind = Kind.UNAUTHENTICATED


class SecretExhausted(Refusal):
    """Guessed at too often in this sign-in; a new one has new tries."""

    code = "secret_exhausted"
    kind = Kind.FORBIDDEN


async def is_owed(tx: Tx, account_id: UUID, session_id: UUID) -> bool:
    """Whether that session of the account still owes its secret."""
    return await sessions.owes_secret(tx, account_id, session_id)


async def require_nothing_owed(tx: Tx, account_id: UUID, session_id: UUID) -> None:
    """Raises SecretOwed."""
    if await is_owed(tx, account_id, session_id):
        raise SecretOwed


async def take_try(tx: Tx, account_id: UUID, session_id: UUID) -> int | None:
    """Count a try; how many are left after it, None where nothing is owed. Raises SecretExhausted."""
    tries = await sessions.take_secret_try(tx, account_id, session_id, TRIES)
    if tries is not None:
        return TRIES - tries
    if await is_owed(tx, account_id, session_id):
        raise SecretExhausted
    return None


async def settle(tx: Tx, account_id: UUID, session_id: UUID) -> bool:
    """Nothing is owed any more; False where it was settled, or ended, meanwhile."""
    if not await sessions.settle_secret(tx, account_id, session_id):
        return False
    await audit.record(tx, account_id, "session.secret_shown", session_id)
    return True
