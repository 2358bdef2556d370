"""The phone names the deed: the same id and content give the same answer, once.

A client makes an id before it sends. That id, together with the acting account, is the
key of a row that is written with the result in the deed's own transaction. A refusal is
not stored: it burns neither the id nor anything else.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from services.kit import tables
from services.kit.db import CONSTRAINT_BROKEN, Database, Tx, UseCase, broken_constraint
from services.kit.errors import Busy, Kind, Refusal
from services.kit.frozen import quick

C = TypeVar("C")
R = TypeVar("R")

_CANONICAL = msgspec.json.Encoder(order="deterministic")


class DeedIdReused(Refusal):
    """The id already stands for a request with other content."""

    code = "idempotency_key_reused"


class DeedInProgress(Refusal):
    """The same request is running in another process; its answer is moments away."""

    code = "deed_in_progress"
    kind = Kind.CONFLICT


@quick
@dataclass(frozen=True)
class Deed:
    """A command's name: who acts, under which id of theirs, and what exactly is asked.

    `session_id` is the sign-in under which it is asked for, where a deed judges that itself. It is no part of
    the name: after a new sign-in the same id still stands for the same.
    """

    account_id: UUID
    key: UUID
    fingerprint: bytes
    session_id: UUID | None = None


@quick
@dataclass(frozen=True)
class Done(Generic[R]):
    result: R
    replayed: bool


def fingerprint(operation: str, command: object) -> bytes:
    """SHA-256 over the operation's name and the command's content in canonical form."""
    hashed = _named(operation).copy()  # a copy costs less than to have the algorithm looked up again
    hashed.update(_CANONICAL.encode(command))
    return hashed.digest()


@lru_cache(maxsize=256)
def _named(operation: str) -> "hashlib._Hash":
    return hashlib.sha256(operation.encode() + b"\0")


async def answer_of(tx: Tx, account_id: UUID, key: UUID) -> object | None:
    """What a deed of this account answered, in plain values; None while the id stands for nothing."""
    return await tables.find_deed(tx, account_id, key)


class Deeds:
    """Performs named deeds; concurrent duplicates within the process share one result."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._running: dict[tuple[UUID, UUID], tuple[bytes, asyncio.Future[Any]]] = {}

    async def perform(self, deed: Deed, use_case: UseCase[C, R], command: C, result_type: type[R]) -> Done[R]:
        """Run `use_case` once for this deed's id, or answer what it answered before.

        Raises DeedIdReused (other content), DeedInProgress (running elsewhere), and
        whatever the use case refuses with.
        """
        name = (deed.account_id, deed.key)
        running = self._running.get(name)
        if running is not None:
            if running[0] != deed.fingerprint:
                raise DeedIdReused(key=str(deed.key))
            return Done((await asyncio.shield(running[1])).result, replayed=True)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._running[name] = (deed.fingerprint, future)
        try:
            done = await self._perform_alone(deed, use_case, command, result_type)
        except BaseException as error:
            future.set_exception(error if isinstance(error, Exception) else DeedInProgress(retry_after_seconds=1))
            future.exception()  # a duplicate may or may not be listening
            raise
        else:
            future.set_result(done)
            return done
        finally:
            del self._running[name]

    async def _perform_alone(self, deed: Deed, use_case: UseCase[C, R], command: C, result_type: type[R]) -> Done[R]:
        async def once(tx: Tx, given: C) -> Done[R]:
            holds, known, stored = await tables.claim_deed(tx, deed.account_id, deed.key)
            if known is not None:
                return _answered(deed, known, stored, result_type)
            if not holds:
                raise DeedInProgress(retry_after_seconds=1)
            result = await use_case(tx, given)
            plain = msgspec.to_builtins(result)
            await tables.finish_deed(tx, deed.account_id, deed.key, deed.fingerprint, plain)
            return Done(result, replayed=False)

        async def look_again(tx: Tx, refusal: Refusal) -> Done[R]:
            _, known, stored = await tables.claim_deed(tx, deed.account_id, deed.key)
            if known is None:
                raise refusal
            return _answered(deed, known, stored, result_type)

        try:
            return await self._database.transact(once, command, direct=True)
        except CONSTRAINT_BROKEN as error:
            if broken_constraint(error) != "pk_deed":
                raise
            # Another process finished the same deed between our look and our write.
            return await self._database.transact(once, command, direct=True)
        except (DeedIdReused, DeedInProgress, Busy):
            raise
        except Refusal as refusal:
            # What refuses us may be what this very deed did, finished elsewhere since our look.
            return await self._database.transact(look_again, refusal, direct=True)


def _answered(deed: Deed, known: bytes, stored: Any, result_type: type[R]) -> Done[R]:
    """The stored answer; DeedIdReused if it was given to other content."""
    if known != deed.fingerprint:
        raise DeedIdReused(key=str(deed.key))
    return Done(msgspec.convert(stored, result_type), replayed=True)
