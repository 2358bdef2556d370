"""What the city offers: terms, notices and what is left, for everybody to read before they come."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.context import Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, ShortText
from infra.http.terms import PublicTermsJson
from services.campaigns import read
from services.campaigns.programme import Programme, ProgrammeUnknown, Stock
from services.kit.db import Tx

routes = router("programmes")


@dataclass(frozen=True)
class _Shown:
    programme: Programme
    stock: Stock
    at: datetime


class ProgrammeLine(Answer):
    """A published programme at this instant."""

    code: str
    version: int = Field(description="A correction of the terms is a new version.")
    name: str
    phase: str = Field(description="`published`, `selling`, `in_use` or `closed`.")
    on_sale: bool


class ProgrammeAnswer(ProgrammeLine):
    """A published programme at this instant, with its terms and what is left of it."""

    units_left: int = Field(description="Units neither sold nor reserved.")
    terms: PublicTermsJson


class ProgrammesAnswer(Answer):
    programmes: list[ProgrammeLine]


@routes.get("/programmes", dependencies=[PUBLIC])
async def list_programmes(here: Here) -> ProgrammesAnswer:
    """Every published programme."""
    found = await here.database.transact(_list, None)
    now = here.clock.now()
    return ProgrammesAnswer(programmes=[ProgrammeLine(**_line(programme, now)) for programme in found])


@routes.get("/programmes/{code}", dependencies=[PUBLIC], responses=refuses(ProgrammeUnknown))
async def get_programme(code: ShortText, here: Here) -> ProgrammeAnswer:
    """One programme, with the notices that must be shown before a purchase."""
    shown = await here.database.transact(_find, code)
    return ProgrammeAnswer(
        **_line(shown.programme, shown.at),
        units_left=shown.stock.units_left,
        terms=PublicTermsJson.model_validate(shown.programme.terms),
    )


def _line(programme: Programme, now: datetime) -> dict[str, Any]:
    return {
        "code": programme.code,
        "version": programme.version,
        "name": programme.terms.name,
        "phase": programme.phase(now).value,
        "on_sale": programme.on_sale(now),
    }


async def _list(tx: Tx, _: None) -> list[Programme]:
    return await read.all_published(tx)


async def _find(tx: Tx, code: str) -> _Shown:
    programme = await read.published(tx, code)
    return _Shown(programme, await read.stock(tx, programme.id), tx.now)
