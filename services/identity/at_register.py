"""Sessions at a store's register: opened by who has typed their PIN there, put off by what they do, ended with it.

Law: at a register one session is open at most: whoever signs in takes the place of who was there before. Such a
session has the role `till` and no other, from its sign-in on and through every refresh, so that no owner's right
comes by a PIN; and only deeds put off its end, so that a tablet that refreshes by itself signs nobody in for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from services.identity import read
from services.identity.open_session import Opening, OpenSession, open_session
from services.identity.people import Account, AccountKind, AccountStatus
from services.identity.session import AT_REGISTER, EndedAs, OpenedSession
from services.identity.tables import accounts, at_register
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing

_SPARED = timedelta(minutes=1)
"""An end is not put off by less: a till that is busy would write the same row at each payment."""


@dataclass(frozen=True)
class EnterRegister:
    """Whoever has proven to be this account, at this register."""

    account_id: UUID
    register_id: UUID
    opening: Opening


async def enter_register(tx: Tx, command: EnterRegister) -> tuple[Account, OpenedSession]:
    """A session at the register in place of the one before. Raises `Missing` for an account that was closed."""
    await accounts.lock_account(tx, command.account_id)
    account = await read.account(tx, command.account_id)
    if account.kind is not AccountKind.MERCHANT or account.status is not AccountStatus.ACTIVE:
        raise Missing
    await at_register.end_at(tx, [command.register_id], EndedAs.SWITCHED)
    asked = OpenSession(account.id, account.kind, command.opening, register_id=command.register_id)
    opened = await open_session(tx, asked)
    await audit.record(tx, account.id, "account.signed_in", account.id, register_id=command.register_id)
    return account, opened


async def stay_at_register(tx: Tx, session_id: UUID) -> None:
    """Something is done in the session: its idle time begins anew, up to its longest life."""
    await at_register.renew(tx, session_id, AT_REGISTER.idle, _SPARED)


async def end_sessions_at(
    tx: Tx, actor_id: UUID | None, register_ids: Sequence[UUID], ended_as: EndedAs, account_id: UUID | None = None
) -> int:
    """End the sessions at registers, one account's or everybody's, for a deed that takes away what they stand on."""
    if not register_ids:
        return 0
    ended = await at_register.end_at(tx, register_ids, ended_as, account_id)
    if ended:
        detail = {"ended_as": ended_as.value, "sessions": ended}
        await audit.record(tx, actor_id, "session.ended_at_register", account_id or register_ids[0], **detail)
    return ended
