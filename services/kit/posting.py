"""Posting several named deeds of one kind in one transaction: each is told what it is, or was, or why not.

Law: what an id stands for already is answered again; the others are done, and their deeds are stored
with them. A deed whose sign-in is over is refused before anything is told or done about it.
"""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from services.kit import tables
from services.kit.db import Tx
from services.kit.deeds import DeedIdReused, Done
from services.kit.errors import Refusal
from services.kit.statements import Statement
from services.kit.waiting import DonePlainly, Elsewhere, Waiting

C = TypeVar("C")
R = TypeVar("R")
A = TypeVar("A")

Together = Callable[[Tx, Sequence[C], bool], Awaitable[Sequence[R | Refusal | Elsewhere]]]
"""A use case over many commands: an outcome for each, in their order.

Only where nothing else is done in the transaction, as the last argument says, does it wait for locks.
"""

Plainly = Callable[[Tx, Sequence[Waiting[C]]], Awaitable[DonePlainly]]
"""Does, of several, those in which nothing is unusual, and stores their deeds: all of it in one statement.

It is given no transaction (`Database.begin_single`): what it answers is committed. What is told of it is the
answer as JSON (`msgspec.Raw`), for most who hear it write nothing else.
"""


@dataclass(frozen=True)
class Sessions:
    """Whether the sign-in holds under which deeds are asked for, as part of the statement that looks at them.

    `stands` is the condition over a session's id, its account's id and an instant; `ended` says why not.
    """

    stands: tables.Stands
    ended: Callable[[], Refusal]
    look: Statement = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "look", tables.deeds_under(self.stands))


@dataclass(frozen=True)
class Kind(Generic[C, R]):
    """One kind of deed. `answer` makes what is stored and answered of a result, of the type `answer_type`.

    `plainly` is a short cut for several at a time: what it leaves alone goes to `use_case`, as does one alone.
    `sessions` judges the sign-in under which a deed is asked for; without it none is asked about.
    """

    use_case: Together[C, R]
    keys: Callable[[C], Sequence[Hashable]]
    answer: Callable[[C, R], object]
    answer_type: Callable[[C], type]
    plainly: Plainly[C] | None = None
    sessions: Sessions | None = None


def told_plainly(kind: Kind[C, R], batch: Sequence[Waiting[C]], told: DonePlainly) -> dict[int, Done[Any] | Refusal]:
    """The outcomes of what the short cut did or knew, by place."""
    done: dict[int, Done[Any] | Refusal] = {
        place: Done(msgspec.Raw(answer), replayed=False) for place, answer in told.answers.items()
    }
    for place, stored in told.known.items():
        done[place] = _answered(kind, batch[place], stored)
    return done


def read_answer(done: Done[Any], answer_type: type[A]) -> Done[A]:
    """The same, with the answer as a value where it is JSON."""
    if not isinstance(done.result, msgspec.Raw):
        return done
    return Done(msgspec.json.decode(done.result, type=answer_type), done.replayed)


async def post_together(
    tx: Tx, kind: Kind[C, R], batch: Sequence[Waiting[C]], *, alone: bool
) -> list[Done[Any] | Refusal | Elsewhere]:
    """An outcome for each, in their order. Only where it is `alone` does a deed wait for locks."""
    outcomes, known = await _look_first(tx, kind, batch)
    new = [waiting for waiting in batch if waiting.name not in known and waiting.name not in outcomes]
    results = await kind.use_case(tx, [waiting.command for waiting in new], alone) if new else ()
    finished: list[tuple[UUID, UUID, bytes, str]] = []
    refused: list[Waiting[C]] = []
    for waiting, result in zip(new, results, strict=True):
        if isinstance(result, Refusal):
            refused.append(waiting)
            outcomes[waiting.name] = result
        elif isinstance(result, Elsewhere):
            outcomes[waiting.name] = result
        else:
            answer = kind.answer(waiting.command, result)
            text = msgspec.json.encode(answer).decode()
            finished.append((waiting.account_id, waiting.key, waiting.fingerprint, text))
            outcomes[waiting.name] = Done(answer, False)
    if finished:
        await tables.finish_deeds(tx, finished)
    if refused:
        # What refuses one may be what that very deed did, finished elsewhere since our look.
        known = known | _by_name(await tables.find_deeds(tx, [(each.account_id, each.key) for each in refused]))
    return [
        _answered(kind, waiting, known[waiting.name]) if waiting.name in known else outcomes[waiting.name]
        for waiting in batch
    ]


async def _look_first(
    tx: Tx, kind: Kind[C, R], batch: Sequence[Waiting[C]]
) -> tuple[dict[bytes, Done[Any] | Refusal | Elsewhere], dict[bytes, tuple[bytes, str]]]:
    """The refusals of those whose sign-in is over, and what the ids of the others stand for already."""
    names = [(waiting.account_id, waiting.key) for waiting in batch]
    if kind.sessions is None or all(waiting.session_id is None for waiting in batch):
        return {}, _by_name(await tables.find_deeds(tx, names))
    asked = [(*name, waiting.session_id) for name, waiting in zip(names, batch, strict=True)]
    found, open_names = await tables.find_deeds_under(tx, kind.sessions.look, asked)
    known = _by_name(found)
    ended: dict[bytes, Done[Any] | Refusal | Elsewhere] = {}
    for name, waiting in zip(names, batch, strict=True):
        if name not in open_names:
            ended[waiting.name] = kind.sessions.ended()
            known.pop(waiting.name, None)
    return ended, known


def _by_name(found: dict[tuple[UUID, UUID], tuple[bytes, str]]) -> dict[bytes, tuple[bytes, str]]:
    return {account_id.bytes + key.bytes: stored for (account_id, key), stored in found.items()} if found else {}


def _answered(kind: Kind[C, R], waiting: Waiting[C], stored: tuple[bytes, str]) -> Done[Any] | Refusal:
    """The stored answer, or the refusal of an id that stands for other content."""
    if stored[0] != waiting.fingerprint:
        return DeedIdReused(key=str(waiting.key))
    return Done(msgspec.json.decode(stored[1], type=kind.answer_type(waiting.command)), replayed=True)
