"""What sends money elsewhere asks for a sign-in of a moment ago, whose password and second factor have just been shown.

Law: a session that was left open on a desk, or copied, moves nobody's account. Refreshing a session is no sign-in: its
tokens say that it goes on, not who sits there.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from services.identity.tables import sessions
from services.kit.db import Tx
from services.kit.errors import Kind, Refusal

FRESH: Final = timedelta(minutes=15)


class SignInNotFresh(Refusal):
    """This takes a sign-in of the last `minutes`; sign in again, and send it again."""

    code = "sign_in_not_fresh"
    kind = Kind.FORBIDDEN


async def require_fresh_sign_in(tx: Tx, account_id: UUID, session_id: UUID) -> None:
    """Raises SignInNotFresh unless the account's session was opened within FRESH of this deed."""
    opened_at = await sessions.opened_at(tx, account_id, session_id)
    if opened_at is None or tx.now - opened_at > FRESH:
        raise SignInNotFresh(minutes=int(FRESH.total_seconds()) // 60)
