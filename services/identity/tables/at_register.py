"""Statements on sessions at stores' registers."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, update

from services.identity.session import EndedAs
from services.identity.tables.schema import SessionRow
from services.kit.db import Tx
from services.kit.sets import any_of


def stands_at(session_id: UUID, account_id: UUID, register_id: Any, at: Any) -> ColumnElement[bool]:
    """True where the account's session is at that register and can still be used at an instant."""
    found = exists().where(
        SessionRow.id == session_id,
        SessionRow.account_id == account_id,
        SessionRow.register_id == register_id,
        SessionRow.ended_at.is_(None),
        SessionRow.expires_at > at,
    )
    return found.correlate_except(SessionRow)


async def end_at(tx: Tx, register_ids: Sequence[UUID], ended_as: EndedAs, account_id: UUID | None = None) -> int:
    """End the open sessions at registers, one account's or everybody's; how many there were."""
    there = (SessionRow.register_id == any_of(register_ids), SessionRow.ended_at.is_(None))
    whose = () if account_id is None else (SessionRow.account_id == account_id,)
    ending = {"ended_at": tx.now, "ended_as": ended_as.value}
    statement = update(SessionRow).where(*there, *whose).values(ending).returning(SessionRow.id)
    return len((await tx.connection.execute(statement)).all())


async def renew(tx: Tx, session_id: UUID, idle: timedelta, least: timedelta) -> None:
    """Put off a session's end to `idle` from now, unless that is less than `least` later than it was."""
    its = (SessionRow.id == session_id, SessionRow.ended_at.is_(None), SessionRow.expires_at <= tx.now + idle - least)
    until = func.least(tx.now + idle, SessionRow.latest_at)
    await tx.connection.execute(update(SessionRow).where(*its).values(expires_at=until))
