"""Clones of the staged town, and what asks for the cells of the matrix in them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from secrets import token_hex

import httpx
from sqlalchemy import text

from infra.access.callers import CALLERS, MISFITS, Caller
from infra.access.matrix import PAGES, Place, verdict
from infra.access.reach import Verdict
from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from infra.http.auth import Everybody
from tests.access.all_requests import REQUESTS
from tests.access.stage import Stage, StagedTown

_SEEDS = count(1_000)
_CODES = {
    "token": "unauthenticated",
    "audience": "token_invalid",
    "role": "forbidden",
    "ended": "session_ended",
    "taken": "forbidden",
    "rank": "forbidden",
}
EVERYONE = (*CALLERS, *MISFITS)


def elsewhere(handle: DatabaseHandle, name: str) -> DatabaseHandle:
    """The same server, another database."""
    return replace(handle, app_url=named(handle.app_url, name), migrator_url=named(handle.migrator_url, name))


@dataclass
class Ground:
    """The template, and the answers that were seen in all its clones."""

    server: DatabaseHandle
    template: str
    stage: Stage
    answers: list[httpx.Response] = field(default_factory=list)
    _shared: StagedTown | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    @asynccontextmanager
    async def town(self, *, shared: bool = False) -> AsyncIterator[StagedTown]:
        """A clone of its own, dropped afterwards; `shared` for what only reads, or leaves nothing behind."""
        if not shared:
            async with self._clone() as town:
                yield town
            return
        if self._shared is None:
            self._shared = await self._stack.enter_async_context(self._clone())
        yield self._shared

    async def close(self) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def _clone(self) -> AsyncIterator[StagedTown]:
        name = f"tanabata_scene_{token_hex(6)}"
        await create_database(self.server.migrator_url, name, self.template)
        engine = elsewhere(self.server, name).app_engine(pool_size=4)
        town = StagedTown(engine, self.stage, seed=next(_SEEDS))
        try:
            yield town
        finally:
            town.built.checkout.close()
            await engine.dispose()
            await drop_database(self.server.migrator_url, name)


def prefix_of(place: Place) -> str:
    return "" if place.api == PAGES else f"/api/{place.api}/v1"


async def ask(town: StagedTown, place: Place, caller: Caller) -> tuple[httpx.Response, int]:
    """The answer to this route's right request from this caller, and what its success would be."""
    wanted = await REQUESTS[f"{place.api} {place.name}"](town, caller)
    async with town.caller(caller, prefix_of(place)) as client:
        answer = await client.request(place.method, wanted.path, **wanted.options(town, place.method))
    return answer, wanted.status


async def disagreements(ground: Ground, place: Place, callers: Sequence[Caller] = EVERYONE) -> list[str]:
    """Every cell of a route, asked over HTTP: what is not as the page says, in words.

    A command that shall succeed is given a town of its own. What is refused must leave its town as it was.
    """
    refused = [caller for caller in callers if verdict(place, caller).status]
    admitted = [caller for caller in callers if not verdict(place, caller).status]
    reads = place.method == "GET" or isinstance(place.rule, Everybody)
    found: list[str] = []
    async with ground.town(shared=reads) as town:
        before = None if reads else await _everything(town)
        for caller in refused:
            found += await _try(ground, town, place, caller)
        if before is not None and (after := await _everything(town)) != before:
            changed = [name for name in before if after.get(name) != before[name]]
            found.append(f"{place.name}: what was refused changed {', '.join(changed)}")
        for caller in admitted if reads else admitted[:1]:
            found += await _try(ground, town, place, caller)
    for caller in [] if reads else admitted[1:]:
        async with ground.town() as town:
            found += await _try(ground, town, place, caller)
    return found


async def _try(ground: Ground, town: StagedTown, place: Place, caller: Caller) -> list[str]:
    answer, success = await ask(town, place, caller)
    ground.answers.append(answer)
    return _judge(place, caller, verdict(place, caller), answer, success)


def _judge(place: Place, caller: Caller, said: Verdict, answer: httpx.Response, success: int) -> list[str]:
    expected = said.status or success
    code = _CODES.get(said.why, "not_found") if said.status != 404 else "not_found"
    right = answer.status_code == expected and (not said.status or answer.json()["code"] == code)
    return (
        []
        if right
        else [f"{place.name}: {caller.name} should be {said}, but: {answer.status_code} {answer.text[:200]}"]
    )


async def _everything(town: StagedTown) -> dict[str, tuple[int, int]]:
    """Every table that the application may read, by name: how many rows it has, and what is in them.

    By name, because so many tables are read by several of the database's workers at once, whose answers come in
    whatever order they finish.
    """
    names = """
        SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
        AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT') ORDER BY 1
    """
    async with town.database.begin() as tx:
        tables = (await tx.connection.execute(text(names))).scalars().all()
        union = " UNION ALL ".join(
            f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM {name} t"
            for name in tables
        )
        return {row[0]: (row[1], row[2]) for row in await tx.connection.execute(text(union))}
