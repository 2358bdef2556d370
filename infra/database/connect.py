"""Connections: what every one of them is told once, when it opens, and how long it may take.

Law: nothing waits for ever. A query ends by the server's `statement_timeout`, or by the client's
`command_timeout` when the network is cut; a lock is waited for briefly; a transaction whose client went
silent is ended by the server and its locks are free within five seconds.

A connection learns its schema and role in its first message to the server: they cost no round trip, hold
until it closes, and `RESET` returns to them. (Through pgbouncer this needs session pooling, or a database
entry there that sets them; transaction pooling also needs `?prepared_statement_cache_size=0`.)
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import asyncpg
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, InterfaceError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from infra.database.give_way import give_way
from services.kit.db import sqlstate

MAX_SKEW = timedelta(seconds=2)
_MEASUREMENTS = 5
_QUOTED_VALUES = re.compile(r"\nDETAIL: .*|(?<=invalid input for query argument )(\$[0-9]+): .*", re.DOTALL)
"""Where a message begins to quote the row, or the value, that was refused."""
_RENAMED = {"sslmode": "ssl"}  # libpq's word, and asyncpg's for the same values
_AWAY_CLASSES = frozenset({"08", "53"})  # connection exception; insufficient resources
_AWAY = frozenset({"57P01", "57P02", "57P03"})  # shutting down, crashed, starting up
_OURS = frozenset({"host", "port", "ssl", "prepared_statement_cache_size", "passfile", "target_session_attrs"})


class BadDatabaseUrl(ValueError):
    """The URL of a database cannot be used."""


class ClockSkew(Exception):
    """This machine's clock is too far from the database's to work with money."""

    def __init__(self, offset: timedelta) -> None:
        super().__init__(
            f"this machine's clock is {-offset.total_seconds():+.3f} s off the database's, more than the "
            f"{MAX_SKEW.total_seconds():.0f} s allowed: correct the clock (NTP), then start again"
        )
        self.offset = offset


@dataclass(frozen=True)
class Limits:
    """How long things may take, in milliseconds as PostgreSQL counts them.

    The client's own limit is longer than the server's: it only speaks when the server cannot.
    `lookups` is for connections that only look up by keys. A plan that was made while a table was small would
    read all of it, and be kept while it grows: so reading whole tables is made to look dear, and nothing is
    compiled because it looks so. `gives_way` is for long work on this machine's own server (`give_way`).
    """

    statement_ms: int
    lock_ms: int
    idle_in_transaction_ms: int
    lookups: bool = False
    gives_way: bool = False

    @property
    def command_s(self) -> float:
        """After this the client gives up on the connection."""
        return self.statement_ms / 1_000 + 1.0


SERVING = Limits(statement_ms=3_000, lock_ms=2_000, idle_in_transaction_ms=5_000, lookups=True)
JOBS = Limits(statement_ms=600_000, lock_ms=10_000, idle_in_transaction_ms=60_000, gives_way=True)

CONNECT_S = 2.0
"""A server that has not opened a connection by then is away."""


def database_url(url: str) -> URL:
    """A SQLAlchemy URL from what people write: `postgres://…`, `postgresql://…?sslmode=require`.

    Raises BadDatabaseUrl for another kind of database or an option that would be ignored.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise BadDatabaseUrl("not a database URL; expected postgresql://user:password@host/database") from error
    if parsed.drivername not in {"postgres", "postgresql", "postgresql+asyncpg"}:
        raise BadDatabaseUrl(f"a {parsed.drivername} URL; expected postgresql://user:password@host/database")
    query = {_RENAMED.get(name, name): value for name, value in parsed.query.items()}
    unknown = sorted(query.keys() - _OURS)
    if unknown:
        raise BadDatabaseUrl(f"unknown option in the database URL: {', '.join(unknown)}")
    return parsed.set(drivername="postgresql+asyncpg", query=query)


def create_engine(
    url: str,
    *,
    schema: str,
    role: str | None,
    pool_size: int = 8,
    limits: Limits = SERVING,
    application_name: str = "tanabata",
) -> AsyncEngine:
    """An engine whose connections work in `schema` as `role`, with `pool_size` connections at most.

    `role` is taken on by the connection when the URL's login is another (None: act as the login). No
    overflow: a request waits two seconds for a free connection and is then told that we are busy.
    Statements are prepared once a connection and kept; a migration under a running server costs each
    connection one error, after which SQLAlchemy prepares anew.
    """
    address = database_url(url)
    session = _session_settings(schema, None if role == address.username else role, limits, application_name)
    cache = {} if "prepared_statement_cache_size" in address.query else {"prepared_statement_cache_size": 500}
    engine = create_async_engine(
        address,
        pool_size=pool_size,
        pool_use_lifo=True,  # one warm connection rather than all by turns: each keeps plans and caches of its own
        max_overflow=0,
        pool_timeout=2.0,
        pool_recycle=1_800,  # firewalls forget connections that live longer
        hide_parameters=True,  # phone numbers and names are not for logs
        pool_pre_ping=False,  # three round trips each time; _refuse_closed costs none
        connect_args={"server_settings": session, "timeout": CONNECT_S, "command_timeout": limits.command_s, **cache},
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    event.listen(engine.sync_engine, "invalidate", _end_at_once)
    event.listen(engine.sync_engine, "handle_error", _hide_values)
    if limits.gives_way and str(address.query.get("host", address.host)).startswith("/"):
        event.listen(engine.sync_engine, "connect", partial(_give_way, address.database or ""))
    return engine


def is_away(error: BaseException) -> bool:
    """Whether a connection failed for a reason that passes by itself: nobody listens, or it is only starting.

    A wrong password or an unknown database is for a person to put right.
    """
    code = sqlstate(error)
    if code is not None:
        return code[:2] in _AWAY_CLASSES or code in _AWAY
    return isinstance(error, OSError | TimeoutError | PoolTimeoutError | InterfaceError)


async def measure_offset(connection: AsyncConnection) -> timedelta:
    """The database's clock minus this machine's, from the quickest of a few questions.

    The answer is at most half that question's round trip off.
    """
    best: tuple[float, timedelta] | None = None
    for _ in range(_MEASUREMENTS):
        asked, started = datetime.now(UTC), time.perf_counter()
        theirs: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        took = time.perf_counter() - started
        offset = theirs - (asked + timedelta(seconds=took / 2))
        if best is None or took < best[0]:
            best = (took, offset)
    if best is None:
        raise AssertionError("unreachable")
    return best[1]


async def require_same_clock(connection: AsyncConnection) -> timedelta:
    """The measured offset, for the clock to correct itself by. Raises ClockSkew above two seconds."""
    offset = await measure_offset(connection)
    if abs(offset) > MAX_SKEW:
        raise ClockSkew(offset)
    return offset


def quoted(identifier: str) -> str:
    """A name as SQL writes it; only plain names are let through."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_$]{0,62}", identifier):
        raise ValueError(f"not a plain SQL name: {identifier!r}")
    return f'"{identifier}"'


def insight_schema(schema: str) -> str:
    """Where a city's views for analytics are, beside its schema (decision 0050); a name has 63 characters at most."""
    return f"{schema[:55]}_insight"


def insight_uri(url: str, *, schema: str, role: str, limits: Limits) -> str:
    """A libpq URI for reading a city's views for analytics: in their schema, as `role`, read only.

    `schema` is the city's. The planner may take memory for joins of a few days' rows, and no more processes: who reads
    a whole city has as many connections as it may keep busy.
    """
    address = database_url(url)
    settings = _session_settings(insight_schema(schema), None if role == address.username else role, limits, "insight")
    settings = {**settings, "default_transaction_read_only": "on", "work_mem": "64MB", "jit": "off"}
    settings["max_parallel_workers_per_gather"] = "0"
    # One connection holds the snapshot while others read on it, for as long as a whole lake takes.
    settings["idle_in_transaction_session_timeout"] = "3600000"
    options = " ".join(f"-c {name}={_escaped(value)}" for name, value in settings.items())
    back = {ours: theirs for theirs, ours in _RENAMED.items()}
    query = {back.get(name, name): value for name, value in address.query.items() if not name.startswith("prepared_")}
    return (
        URL.create(
            "postgresql",
            address.username,
            address.password,
            address.host,
            address.port,
            address.database,
            {**query, "options": options},
        )
        .render_as_string(hide_password=False)
        .replace("+", "%20")
    )


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(" ", "\\ ")


def _session_settings(schema: str, role: str | None, limits: Limits, application_name: str) -> Mapping[str, str]:
    settings = {
        "search_path": quoted(schema),
        "timezone": "UTC",
        "statement_timeout": str(limits.statement_ms),
        "lock_timeout": str(limits.lock_ms),
        "idle_in_transaction_session_timeout": str(limits.idle_in_transaction_ms),
        "application_name": application_name,
    }
    if limits.lookups:
        settings |= {"enable_seqscan": "off", "jit": "off"}
    return settings if role is None else settings | {"role": role}


def _refuse_closed(dbapi_connection: Any, _record: object, _proxy: object) -> None:
    """A connection that the server closed is known to be so: drop it, and its neighbours, before use.

    After a restart of the database the first request then opens a new one instead of failing.
    """
    if dbapi_connection.driver_connection.is_closed():
        raise InvalidatePoolError("the database closed this connection")


def _end_at_once(dbapi_connection: Any, _record: object, _error: object) -> None:
    """No leave is taken on a connection that is thrown away: a database that stands still would not answer it.

    SQLAlchemy waits two seconds for that, which came on top of the time that a request has.
    """
    dbapi_connection.driver_connection.terminate()


def _give_way(database: str, dbapi_connection: Any, _record: object) -> None:
    give_way(dbapi_connection.driver_connection.get_server_pid(), database)


def _hide_values(context: ExceptionContext) -> None:
    """The values of a row are not for logs: of an error's words only those stay that name the rule."""
    error: BaseException | None = context.sqlalchemy_exception or context.original_exception
    while error is not None:
        if isinstance(error, asyncpg.PostgresError):
            error.detail = None
        if error.args and isinstance(error.args[0], str):
            error.args = (_QUOTED_VALUES.sub(r"\1", error.args[0]), *error.args[1:])
        error = getattr(error, "orig", None) or error.__cause__
