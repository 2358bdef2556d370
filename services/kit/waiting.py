"""A named deed that waits to be posted, and everybody who waits for its answer."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.kit.deeds import Deed, Done
from services.kit.errors import Busy

C = TypeVar("C")


@asynccontextmanager
async def in_time(left_s: float) -> AsyncIterator[None]:
    """The client's own limit, a little longer than the database's. Raises Busy at its end."""
    try:
        async with asyncio.timeout(max(left_s, 0.0) + 1.0):
            yield
    except TimeoutError as error:
        raise Busy(retry_after_seconds=1) from error


class Elsewhere(Enum):
    """What a batch's use case answers for a command whose subject somebody else holds: not now, alone."""

    HELD = "held"


@dataclass(eq=False, slots=True)
class Waiting(Generic[C]):
    """A deed that waits; `name` is its account and id as bytes, which are quick to look up.

    `others` ask for the very same under the same sign-in before it is begun, and share its outcome. `behind` are those
    that ask under the same name for something else, under another sign-in, or when it is begun already: whether their
    sign-in holds was asked before they came, and may have changed. What they are told is decided when it has ended.
    """

    name: bytes
    account_id: UUID
    key: UUID
    fingerprint: bytes
    command: C
    until: float
    future: asyncio.Future[Done[Any]]
    session_id: UUID | None = None
    begun: bool = False
    """It is being posted: the database may have been asked already."""
    others: list[asyncio.Future[Done[Any]]] = field(default_factory=list)
    behind: "dict[tuple[bytes, UUID | None], Waiting[C]] | None" = None
    followers: int = 0
    """How many ask under its name beside it, `others` and all that are `behind`."""

    def share(self, deed: Deed, future: asyncio.Future[Done[Any]]) -> bool:
        """Let one more have the outcome of this or of one behind it; False where nobody asks for the same."""
        asked = (deed.fingerprint, deed.session_id)
        same = self if not self.begun and (self.fingerprint, self.session_id) == asked else None
        if same is None and self.behind is not None:
            same = self.behind.get(asked)
        if same is None:
            return False
        same.others.append(future)
        self.followers += 1
        return True

    def put_behind(self, waiting: "Waiting[C]") -> None:
        """Let one that nobody shares wait for the end of this."""
        self.behind = self.behind or {}
        self.behind[waiting.fingerprint, waiting.session_id] = waiting
        self.followers += 1

    def next_behind(self) -> "Waiting[C] | None":
        """Who is first of this name when this has ended; the others stay behind that one."""
        if not self.behind:
            return None
        waiting = self.behind.pop(next(iter(self.behind)))
        waiting.behind, self.behind = self.behind, None
        waiting.followers = self.followers - len(self.others) - 1
        return waiting

    def settle(self, outcome: Done[Any] | BaseException) -> None:
        """Tell everybody who still listens; a second time has no effect."""
        for future in (self.future, *self.others):
            if future.done():
                continue
            if isinstance(outcome, Done):
                future.set_result(outcome if future is self.future else Done(outcome.result, replayed=True))
            else:
                future.set_exception(outcome)


@dataclass(frozen=True)
class DonePlainly:
    """What a short cut did, by place: the answers to what is done and stored now, and what ids stand for already.

    Answers are JSON as `Kind.answer` would be written; the latter come with the fingerprint of what was asked then.
    """

    answers: Mapping[int, str]
    known: Mapping[int, tuple[bytes, str]]
