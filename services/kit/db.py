"""One deed, one transaction: it commits before anyone hears of it.

A use case is an `async` function of a `Tx` and a command that returns a frozen value. It
takes its instant and its randomness from the `Tx`, so the same function serves HTTP, the
command line, the worker, a simulation and the tests, and may be run again as a whole when
the database asks for that.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy import MetaData
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.util import greenlet_spawn

from services.kit.clock import Clock, civil_date
from services.kit.driver_uuid import driver_uuid
from services.kit.errors import Busy
from services.kit.ids import NOISE_BYTES, Entropy, uuid7_bytes
from services.kit.numbers import SIGN_BITS, make_number, number_space

TRIES = 3
RETRYABLE = frozenset({"40001", "40P01"})  # serialization failure, deadlock
LOCK_TIMEOUT = "55P03"
OUT_OF_TIME = frozenset({LOCK_TIMEOUT, "57014", "25P03", "57P01", "57P02", "57P03", "53300"})
OUT_OF_ROOM = frozenset({"53100", "53200"})
OUTSIDE = "58"
"""The class of what the system around PostgreSQL does to it: a disk that fails, a file that is gone."""
NOT_ALLOWED = "42501"
OF_FILES = frozenset({"md.c", "fd.c", "slru.c", "xlog.c"})
"""Where PostgreSQL says that it may not use its own files, as when the system made the disk read-only; what we may not
do is said elsewhere, and is a mistake of ours."""

FROM_DATABASE = (DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What the database or its driver raises, whichever way a statement went."""

CONSTRAINT_BROKEN = (IntegrityError, asyncpg.IntegrityConstraintViolationError)

_ID_STRIDE = 12
"""Noise for an id, in whole words of a seeded source: many ids at once leave it where one by one would."""
DAY_SIGNS = 2
"""How many signs of a dated number tell its day."""

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
    """An open transaction, the deed's one instant, and its entropy.

    `driver` is the driver's own connection, in a transaction that `services.kit.statements` may use
    directly; None in all others. A transaction of one statement has nothing but this.
    """

    connection: AsyncConnection
    now: datetime
    entropy: Entropy
    driver: Any = None

    def new_ids(self, count: int) -> list[UUID]:
        """As many ids as asked, all of this instant: they are not sorted among themselves."""
        milliseconds, noise = int(self.now.timestamp() * 1_000), self.entropy.take(_ID_STRIDE * count)
        return [
            driver_uuid(uuid7_bytes(milliseconds, noise[start : start + NOISE_BYTES]))
            for start in range(0, _ID_STRIDE * count, _ID_STRIDE)
        ]

    def new_id(self) -> UUID:
        return driver_uuid(uuid7_bytes(int(self.now.timestamp() * 1_000), self.entropy.take(NOISE_BYTES)))

    def new_numbers(self, prefix: str, length: int, count: int) -> list[str]:
        """As many short numbers for people, random, each with its check character."""
        return self._draw_numbers(prefix, length, count, 0, number_space(length))

    def new_dated_numbers(self, prefix: str, length: int, count: int) -> list[str]:
        """The same, but the first two signs are this civil day's; they come again after 1,024 days.

        What is written by the thousand a minute is so indexed side by side, and one day's numbers look alike.
        """
        space, day = number_space(length - DAY_SIGNS), civil_date(self.now).toordinal() % (1 << SIGN_BITS * DAY_SIGNS)
        return self._draw_numbers(prefix, length, count, day * space, space)

    def _draw_numbers(self, prefix: str, length: int, count: int, first: int, space: int) -> list[str]:
        noise = self.entropy.take(16 * count)
        return [
            make_number(prefix, first + int.from_bytes(noise[start : start + 16]) % space, length)
            for start in range(0, 16 * count, 16)
        ]

    def new_number(self, prefix: str, length: int) -> str:
        """A short number for people, random, with its check character."""
        return self.new_numbers(prefix, length, 1)[0]


class _NoConnection:
    """Stands where SQLAlchemy's connection is in other transactions."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a transaction of one statement has the driver's connection only, and no {name}")


_NO_CONNECTION: Any = _NoConnection()

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
    for candidate in (getattr(origin, "__cause__", None), origin, error):
        name = getattr(candidate, "constraint_name", None)
        if isinstance(name, str):
            return name
    return None


def _lacks_files(error: BaseException) -> bool:
    """Whether the database cannot use its own files."""
    code = sqlstate(error) or ""
    if code != NOT_ALLOWED:
        return code.startswith(OUTSIDE)
    origin = getattr(error, "orig", None)
    told = (origin, getattr(origin, "__cause__", None), error)
    return any(getattr(each, "server_source_filename", None) in OF_FILES for each in told)


def _is_lost(error: BaseException) -> bool:
    """Whether the database is slow, full or gone, rather than refusing the statement."""
    if _lacks_files(error):
        return True
    if isinstance(error, DBAPIError):
        code = sqlstate(error)
        return (
            error.connection_invalidated
            or code in OUT_OF_TIME
            or code in OUT_OF_ROOM
            or (code is not None and code.startswith("08"))
            or (code is None and isinstance(error, InterfaceError | OperationalError))
        )
    if isinstance(error, asyncpg.PostgresError):
        code = error.sqlstate or ""
        return code in OUT_OF_TIME or code in OUT_OF_ROOM or code.startswith("08")
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        return True  # the driver's own words: the connection is closed, or was while we used it
    return isinstance(error, PoolTimeoutError | ConnectionError | TimeoutError | OSError)


class Database:
    """One city's database: a pool whose connections know their schema and role."""

    def __init__(self, engine: AsyncEngine, clock: Clock, entropy: Entropy) -> None:
        self.engine = engine
        self.clock = clock
        self.entropy = entropy
        self._by_hand = engine.execution_options(isolation_level="AUTOCOMMIT")

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Tx]:
        """An open transaction at the clock's instant; commits at the end, rolls back on an error."""
        async with self.engine.begin() as connection:
            yield Tx(connection, self.clock.now(), self.entropy)

    @asynccontextmanager
    async def begin_direct(self) -> AsyncIterator[Tx]:
        """The same, for the hot path: begun and ended by hand, so that statements may go to the driver itself."""
        async with self._by_hand.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                await driver.execute("BEGIN")
                yield Tx(connection, self.clock.now(), self.entropy, driver)
                await driver.execute("COMMIT")
            except BaseException:
                await _roll_back(driver, connection.invalidate)
                raise

    @asynccontextmanager
    async def begin_single(self) -> AsyncIterator[Tx]:
        """For one statement that is a transaction by itself: it has committed when it has answered.

        It has the driver's connection only, as the pool lends it: SQLAlchemy's own around it costs more than the
        statement's way to the server and back.
        """
        try:
            lent = await self.engine.raw_connection()
        except self.engine.dialect.loaded_dbapi.Error as error:  # in SQLAlchemy's words, which only its own way wraps
            raise error.__cause__ or error from None
        try:
            driver: Any = lent.driver_connection
            try:
                yield Tx(_NO_CONNECTION, self.clock.now(), self.entropy, driver)
                _must_have_committed(driver)
            except BaseException:
                await _roll_back(driver, partial(greenlet_spawn, lent.invalidate))
                raise
        finally:
            await greenlet_spawn(lent.close)

    async def transact(self, use_case: UseCase[C, R], command: C, *, direct: bool = False, single: bool = False) -> R:
        """Run a use case in a transaction of its own and answer only after the commit.

        Tries again, at most three times in all, when PostgreSQL reports a deadlock or a
        serialization failure. Raises `Busy` when the database cannot answer. `direct` lets the
        statements of the hot path go to the driver itself; so does `single`, for a use case that sends
        one statement only, which spares the two round trips of a transaction's beginning and end.
        """
        begin = self.begin_single if single else self.begin_direct if direct else self.begin
        for attempt in range(1, TRIES + 1):
            try:
                async with begin() as tx:
                    result = await use_case(tx, command)
            except (*FROM_DATABASE, PoolTimeoutError, OSError, TimeoutError) as error:
                if isinstance(error, asyncpg.PostgresError):
                    error.detail = None  # the values of a row are not for logs
                if sqlstate(error) in RETRYABLE and attempt < TRIES:
                    continue
                if _is_lost(error) or sqlstate(error) in RETRYABLE:
                    raise Busy(retry_after_seconds=1) from error
                raise
            return result
        raise AssertionError("unreachable")


def _must_have_committed(driver: Any) -> None:
    """Raise unless what was answered is a transaction by itself: within an open one it can still be undone."""
    if driver.is_in_transaction():
        raise asyncpg.InterfaceError("the connection was lent in the midst of a transaction")


async def _roll_back(driver: Any, throw_away: Callable[[], Awaitable[object]]) -> None:
    """End a transaction that failed; a connection that cannot say so is thrown away, never used again."""
    rolling = asyncio.ensure_future(driver.execute("ROLLBACK"))
    try:
        await asyncio.shield(rolling)
    except (Exception, asyncio.CancelledError):
        rolling.add_done_callback(_heard)  # where we were cancelled it goes on, and how it ends is nobody's any more
        await throw_away()


def _heard(ended: asyncio.Future[Any]) -> None:
    """Take notice of how something ended, so that the loop does not report that nobody did."""
    if not ended.cancelled():
        ended.exception()
