"""End sessions: by who opened them, and by whatever takes away what they were opened with.

Law: an ended session is refused at the next request, because every request reads it; its access tokens
need not be known to end with it.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity.session import EndedAs
from services.identity.tables import sessions
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing


@dataclass(frozen=True)
class EndSession:
    """One of the account's own sessions."""

    account_id: UUID
    session_id: UUID


async def end_session(tx: Tx, command: EndSession) -> int:
    """Sign one session out. Raises `Missing` for one that has ended, and for somebody else's."""
    if not await sessions.end_session(tx, command.account_id, command.session_id, EndedAs.SIGNED_OUT):
        raise Missing
    await audit.record(tx, command.account_id, "session.signed_out", command.session_id)
    return 1


async def end_own_sessions(tx: Tx, account_id: UUID) -> int:
    """Sign out everywhere; how many sessions there were."""
    return await end_sessions_of(tx, account_id, account_id, EndedAs.SIGNED_OUT)


async def end_sessions_of(
    tx: Tx, actor_id: UUID | None, account_id: UUID, ended_as: EndedAs, but: UUID | None = None
) -> int:
    """End an account's sessions, all `but` one, for a deed that takes away what they were opened with."""
    ended = await sessions.end_sessions(tx, account_id, ended_as, but)
    if ended:
        await audit.record(tx, actor_id, "session.all_ended", account_id, ended_as=ended_as.value, sessions=ended)
    return ended
