"""Alarms about accounts of the city's that look at many people: read, and closed with a note by somebody else."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import CityStaff, Overseer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer, Body, Reason
from services.identity.bulk_reading import AlarmClosed
from services.identity.look_alarms import AlarmPage, CloseAlarm, alarms, close_alarm
from services.kit.four_eyes import SecondOfficerNeeded

routes = router("look alarms")


class LookAlarmLine(Answer):
    """An account that looked at more people than is usual; whom it looked at stands in the audit log only."""

    id: UUID
    looker_id: UUID
    span: str = Field(description="`hour` or `day`.")
    people: int = Field(description="Different people, at most, within the span.")
    allowed: int
    raised_at: datetime
    closed_at: datetime | None
    closed_by: UUID | None
    note: str | None


class LookAlarmsAnswer(Answer):
    """Oldest first; ask on with `after` = `next` until that is null."""

    alarms: list[LookAlarmLine]
    next: UUID | None


class ClosingRequest(Body):
    """What was found out."""

    note: Reason


class AlarmClosedAnswer(Answer):
    id: UUID


@routes.get("/look-alarms")
async def list_look_alarms(
    _token: CityStaff,
    here: Here,
    status: Annotated[Literal["open", "closed"] | None, Query()] = "open",
    after: UUID | None = None,
    limit: PageSize = 100,
) -> LookAlarmsAnswer:
    """Who looked at more people than is usual; by `status`."""
    asked = AlarmPage(None if status is None else status == "open", after, limit + 1)
    shown, following = paged(await here.database.transact(alarms, asked), limit, lambda each: each.id)
    return LookAlarmsAnswer(alarms=[LookAlarmLine.of(each) for each in shown], next=following)


@routes.post("/look-alarms/{alarm_id}/closing", responses=refuses(AlarmClosed, SecondOfficerNeeded))
async def close_look_alarm(
    alarm_id: UUID, body: ClosingRequest, token: Overseer, command: Command
) -> AlarmClosedAnswer:
    """Close an alarm with a note; nobody closes one about themselves."""
    asked = CloseAlarm(alarm_id, token.account_id, body.note)
    return AlarmClosedAnswer(
        id=await command.perform(token.account_id, "city.look_alarm.close", close_alarm, asked, UUID)
    )
