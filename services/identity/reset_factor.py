"""Take a lost second factor away, with all passkeys: its owner enrols another at the next sign-in.

Law: somebody else does it, who has seen who asks. All sessions end: whoever found the factor may have opened one.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity.end_session import end_sessions_of
from services.identity.people import account_reason
from services.identity.session import EndedAs
from services.identity.tables import accounts, factors, passkeys
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Forbidden, Missing


@dataclass(frozen=True)
class ResetFactor:
    """Whose factor goes, by whom, and why."""

    actor_id: UUID
    account_id: UUID
    reason: str


@dataclass(frozen=True)
class FactorReset:
    """How many sessions ended with it."""

    sessions_ended: int


async def reset_factor(tx: Tx, command: ResetFactor) -> FactorReset:
    """Raises `Missing` for an account without a second factor, `Forbidden` for one's own, `AccountReasonMissing`."""
    reason = account_reason(command.reason)
    if command.actor_id == command.account_id:
        raise Forbidden
    await accounts.lock_account(tx, command.account_id)
    ended = await passkeys.end_passkeys(tx, command.account_id, "reset")
    if not await factors.remove(tx, command.account_id) and not ended:
        raise Missing
    await factors.end_attempts(tx, command.account_id)
    await audit.record(tx, command.actor_id, "account.second_factor_reset", command.account_id, reason=reason)
    return FactorReset(await end_sessions_of(tx, command.actor_id, command.account_id, EndedAs.FACTOR_RESET))
