"""The audit log for the auditor: who did or looked at what, newest first, and a line for whoever reads it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Auditor
from infra.http.context import Here
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer, Instant, ShortText
from services.kit.audit import AuditFilter, ReadLog, read_log

routes = router("audit")


class AuditEntryAnswer(Answer):
    """Who did or looked at what. Names stand nowhere in it: accounts and subjects are ids."""

    id: UUID
    actor_id: UUID | None = Field(description="The account that acted; null for the platform's own jobs.")
    action: str = Field(examples=["wallet.looked_at"])
    subject_id: UUID | None
    detail: dict[str, Any] = Field(description="What else belongs to it, such as the reason.")
    happened_at: datetime = Field(description="The deed's instant.")
    recorded_at: datetime = Field(description="When the database wrote it down.")
    place: int | None = Field(description="Where it stands in the hash chain; null until it is sealed.")


class AuditAnswer(Answer):
    entries: Sequence[AuditEntryAnswer]
    next: UUID | None


@routes.get("/audit")
async def read_audit_log(
    token: Auditor,
    here: Here,
    actor_id: UUID | None = None,
    subject_id: UUID | None = None,
    action: ShortText | None = None,
    since: Annotated[Instant | None, Query(description="From this instant on.")] = None,
    until: Annotated[Instant | None, Query(description="Before this instant.")] = None,
    after: UUID | None = None,
    limit: PageSize = 100,
) -> AuditAnswer:
    """Entries of the audit log, newest first. That it was read, and for what, is an entry itself."""
    asked = AuditFilter(actor_id, subject_id, action, since, until, after, limit + 1)
    found = await here.database.transact(read_log, ReadLog(token.account_id, asked))
    shown, following = paged(found, limit, lambda each: each.id)
    return AuditAnswer(entries=[AuditEntryAnswer.of(each) for each in shown], next=following)
