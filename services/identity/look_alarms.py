"""Alarms about accounts that look at many people: listed, and closed with a note by somebody else.

Law: nobody closes an alarm about an account of their own, or of their making. A closed one stays, with its note;
the next new face beyond the limit raises another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.identity import read
from services.identity.bulk_reading import AlarmClosed, LookAlarm
from services.identity.tables import looks
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import SecondOfficerNeeded


@dataclass(frozen=True)
class AlarmPage:
    """Alarms in the order in which they were raised; `is_open` None shows all."""

    is_open: bool | None
    after: UUID | None
    limit: int


@dataclass(frozen=True)
class CloseAlarm:
    alarm_id: UUID
    account_id: UUID
    note: str


async def alarms(tx: Tx, asked: AlarmPage) -> Sequence[LookAlarm]:
    """Alarms; they name the account that looked and nobody that it looked at."""
    return await looks.find_alarms(tx, is_open=asked.is_open, after=asked.after, limit=asked.limit)


async def close_alarm(tx: Tx, command: CloseAlarm) -> UUID:
    """Raises Missing, AlarmClosed, and SecondOfficerNeeded for an alarm about oneself."""
    alarm = await looks.lock_alarm(tx, command.alarm_id)
    if alarm is None:
        raise Missing
    if alarm.closed_at is not None:
        raise AlarmClosed
    if not await read.are_independent(tx, alarm.looker_id, command.account_id):
        raise SecondOfficerNeeded
    await looks.close_alarm(tx, alarm.id, command.account_id, command.note)
    await audit.record(tx, command.account_id, "look.alarm_closed", alarm.looker_id, alarm=alarm.id, note=command.note)
    return alarm.id
