"""A named deed that waits to be posted, and everybody who waits for its answer."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar
from uuid import UUID

from services.kit.deeds import Done

C = TypeVar("C")


class Elsewhere(Enum):
    """What a batch's use case answers for a command whose subject somebody else holds: not now, alone."""

    HELD = "held"


@dataclass(eq=False, slots=True)
class Waiting(Generic[C]):
    """A deed that waits; `name` is its account and id as bytes, which are quick to look up."""

    name: bytes
    account_id: UUID
    key: UUID
    fingerprint: bytes
    command: C
    until: float
    future: asyncio.Future[Done[Any]]
    session_id: UUID | None = None
    others: list[asyncio.Future[Done[Any]]] = field(default_factory=list)

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
