"""One deed, one transaction: it commits before anyone hears of it.

A use case is an `async` function of a `Tx` and a command that returns a frozen value. It
takes its instant and its randomness from the `Tx`, so the same function serves HTTP, the
command line, the worker, a simulation and the tests, and may be run again as a whole when
the database asks for that.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import DeclarativeBase

from services.kit.clock import Clock
from services.kit.errors import Busy
from services.kit.ids import Entropy, uuid7
from services.kit.numbers import make_number, number_space

TRIES = 3
RETRYABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock
OUT_OF_TIME = frozenset({"55P03", "57014", "25P03", "57P01", "57P02", "57P03", "53300"})
OUT_OF_ROOM = frozenset({"53100", "53200"})

C = TypeVar("C")
R = TypeVar("R")


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


@dataclass(frozen=True)
class Tx:
    """An open transaction, the deed's one instant, and its entropy."""

    connection: AsyncConnection
    now: datetime
    entropy: Entropy

    def new_id(self) -> UUID:
        return uuid7(self.now, self.entropy)

    def new_number(self, prefix: str, length: int) -> str:
        """A short number for people, random, with its check character."""
        return make_number(prefix, int.from_bytes(self.entropy.take(16)) % number_space(length), length)


UseCase = Callable[[Tx, C], Awaitable[R]]


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's five-character code behind an error, if there is one."""
    origin = getattr(error, "orig", None)
    for candidate in (origin, getattr(origin, "__cause__", None), error):
        code = getattr(candidate, "sqlstate", None)
        if isinstance(code, str):
            return code
    return None


def broken_constraint(error: BaseException) -> str | None:
    """The name of the constraint that fired, if one did."""
    origin = getattr(error, "orig", None)
    for candidate in (getattr(origin, "__cause__", None), origin):
        name = getattr(candidate, "constraint_name", None)
        if isinstance(name, str):
            return name
    return None


def _is_lost(error: BaseException) -> bool:
    """Whether the database is slow, full or gone, rather than refusing the statement."""
    if isinstance(error, DBAPIError):
        code = sqlstate(error)
        return (
            error.connection_invalidated
            or code in OUT_OF_TIME
            or code in OUT_OF_ROOM
            or (code is not None and code.startswith("08"))
            or (code is None and isinstance(error, InterfaceError | OperationalError))
        )
    return isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError | OSError)


class Database:
    """One city's database: a pool whose connections know their schema and role."""

    def __init__(self, engine: AsyncEngine, clock: Clock, entropy: Entropy) -> None:
        self.engine = engine
        self.clock = clock
        self.entropy = entropy

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """An open transaction at the clock's instant; commits at the end, rolls back on an error."""
        async with self.engine.begin() as connection:
            yield Tx(connection, self.clock.now(), self.entropy)

    async def transact(self, use_case: UseCase[C, R], command: C) -> R:
        """Run a use case in a transaction of its own and answer only after the commit.

        Tries again, at most three times in all, when PostgreSQL reports a deadlock or a
        serialization failure. Raises `Busy` when the database cannot answer.
        """
        for attempt in range(1, TRIES + 1):
            try:
                async with self.begin() as tx:
                    result = await use_case(tx, command)
            except (DBAPIError, PoolTimeoutError, OSError, TimeoutError) as error:
                if sqlstate(error) in RETRYABLE and attempt < TRIES:
                    continue
                if _is_lost(error) or sqlstate(error) in RETRYABLE:
                    raise Busy(retry_after_seconds=1) from error
                raise
            return result
        raise AssertionError("unreachable")
