"""What goes over the wire of an engine, by whichever way: through SQLAlchemy, or straight to the driver.

Law: nothing that the driver sends goes uncounted. SQLAlchemy prepares its statements, which its events
tell; what is handed to the driver itself, and the frame of each transaction, the driver's own log tells.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

FRAME = frozenset({"BEGIN", "COMMIT", "ROLLBACK"})

OF_TYPES = ("typeinfo_tree", "'jit'")
"""In what the driver asks of PostgreSQL's catalogue itself, once a connection, to know an array's type."""


class Counted:
    """What went over the wire, in order; BEGIN and COMMIT apart, since they are not the deed's own."""

    def __init__(self) -> None:
        self.statements: list[str] = []
        self.frame: list[str] = []
        self.direct = 0
        """How many of the statements went to the driver itself."""

    def report(self) -> str:
        shortened = [" ".join(each.split())[:160] for each in self.statements]
        listed = "\n".join(f"{number}. {each}" for number, each in enumerate(shortened, start=1))
        return f"{len(self.statements)} statements, frame {self.frame}:\n{listed}"


@asynccontextmanager
async def counting(engine: AsyncEngine) -> AsyncIterator[Counted]:
    """Count what the engine's connections send until the end; a connection's own setting up is not counted."""
    counted = Counted()
    heard: set[Any] = set()

    def through_sqlalchemy(*given: Any) -> None:
        counted.statements.append(given[2])

    def to_the_driver(record: Any) -> None:
        first = record.query.split(maxsplit=1)[0].rstrip(";").upper()
        if first in FRAME:
            counted.frame.append(first)
        elif not any(word in record.query for word in OF_TYPES):
            counted.statements.append(record.query)
            counted.direct += 1

    def listen(dbapi_connection: Any, *_: Any) -> None:
        driver = dbapi_connection.driver_connection
        heard.add(driver)
        driver.add_query_logger(to_the_driver)

    listeners = ((engine.sync_engine, "before_cursor_execute", through_sqlalchemy), (engine.pool, "checkout", listen))
    for target, name, listener in listeners:
        event.listen(target, name, listener)
    try:
        yield counted
        await asyncio.sleep(0)  # the driver tells its log in the loop's next turn
    finally:
        for target, name, listener in listeners:
            event.remove(target, name, listener)
        for driver in heard:
            driver.remove_query_logger(to_the_driver)
