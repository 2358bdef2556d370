"""A store's own month for its owner and managers: its sales, its customers in sums, and the median of stores like it.

Law: nobody is told who paid, nor any other store's figure; what that asks for, `analytics.reports.own_store` keeps.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header, Query
from pydantic import Field, StringConstraints

import locales
from analytics.desk.desk import DeskBusy
from analytics.desk.messages import StoreFigure, StoreQuestion, StoreTold
from analytics.lake.manifest import LakeCorrupt, LakeMissing
from infra.http.apps import router
from infra.http.auth import StoreStaff
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.strict import Answer
from merchant_api.stores import AtStore, own_store
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.shops import MemberRole, StoreOfMember

routes = router("insight")

Month = Annotated[str, StringConstraints(strict=True, pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]


class DayAnswer(Answer):
    day: date
    sales_yen: int


class HourAnswer(Answer):
    hour: int = Field(description="In Japan, 0 to 23.")
    sales_yen: int


class OwnFigureAnswer(Answer):
    """One figure. Null was withheld, or there is nothing to divide by; `withheld` says in words what was and why."""

    measure: str = Field(description="As the city's measures are called.")
    title: str
    own: int | float | None
    median: int | float | None = Field(description="Of similar stores, rounded to two digits.")
    withheld: Sequence[str]


class OwnInsightAnswer(Answer):
    month: str
    refreshed_at: datetime = Field(description="Everything up to this instant is in the figures.")
    days: Sequence[DayAnswer] = Field(
        description="Net of what was taken back that day; a day without a deed is absent."
    )
    hours: Sequence[HourAnswer]
    figures: Sequence[OwnFigureAnswer]
    similar: str | None = Field(description="What the stores behind the medians have in common with this one.")


@routes.get("/stores/{store_id}/insight", responses=refuses(LakeMissing, LakeCorrupt, DeskBusy))
async def tell_own_insight(
    store_id: UUID,
    token: StoreStaff,
    here: Here,
    month: Annotated[Month, Query(description="A civil month in Japan, 2026-04.")],
    accept_language: Annotated[str, Header(max_length=200)] = "",
) -> OwnInsightAnswer:
    """A month of the store, beside the median of at least five other merchants' similar stores once it is over."""
    found = await here.database.transact(_own_books, AtStore(store_id, token.account_id))
    if here.insight is None:
        raise LakeMissing
    asked = StoreQuestion(found.store.code, date.fromisoformat(f"{month}-01"))
    told: StoreTold = await here.insight.store(asked)
    language = locales.choose(accept_language)
    return OwnInsightAnswer(
        month=month,
        refreshed_at=told.refreshed_at,
        days=[DayAnswer(day=date.fromisoformat(day), sales_yen=yen) for day, yen in told.days],
        hours=[HourAnswer(hour=hour, sales_yen=yen) for hour, yen in told.hours],
        figures=[_figure(each, told, language) for each in told.figures],
        similar=None if told.likeness is None else locales.text(language, f"likeness.{told.likeness}"),
    )


async def _own_books(tx: Tx, asked: AtStore) -> StoreOfMember:
    """The store, for its owner or a manager. Raises Missing for everybody else."""
    found = await own_store(tx, asked)
    if found.role is MemberRole.CLERK:
        raise Missing
    return found


def _figure(figure: StoreFigure, told: StoreTold, language: str) -> OwnFigureAnswer:
    reasons = (figure.own_withheld, figure.median_withheld)
    least = {"people": told.least_people, "stores": told.least_stores}
    return OwnFigureAnswer(
        measure=figure.measure,
        title=locales.text(language, f"measure.{figure.measure}"),
        own=figure.own,
        median=figure.median,
        withheld=[locales.text(language, f"insight.own.{reason}", **least) for reason in reasons if reason],
    )
