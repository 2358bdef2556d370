"""Named deeds of one kind that wait for the database are posted together, each with its own outcome.

When a posting connection is free, everything that waits is taken (up to a limit) and done in one
transaction of a constant number of statements. A deed that comes alone is a batch of one, and begins at once; batches
that are small keep a pace, because what a batch costs whatever its size is the most of a small one.

Laws: two deeds that would change the same thing (`keys`) are never under way at once, the later waits; so do two of
one name, unless they ask for the very same under the same sign-in before it is begun, and share an outcome. A deed
never waits in a batch for somebody else's lock: what is locked elsewhere is done alone. If a batch cannot be posted,
each of its deeds is posted alone, so that one that is poisoned harms none of its neighbours. The queue is bounded, and
so is each deed's time: beyond either it is refused as `Busy`, and its id may be sent again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from services.kit import tables
from services.kit.db import CONSTRAINT_BROKEN, Database, Tx, broken_constraint
from services.kit.deeds import Deed, Done
from services.kit.errors import Busy, Refusal
from services.kit.posting import Kind, post_together, read_answer, told_plainly
from services.kit.waiting import DonePlainly, Elsewhere, Waiting, in_time

C = TypeVar("C")
R = TypeVar("R")

MOST_TOGETHER = 48
AT_ONCE = 2
"""Batches under way: while the database works on two, the next is read from the wire. See docs/decisions/0020."""
PACE_S = 0.005
"""So long after a batch began the next one begins at the earliest, unless half a batch waits. A deed that comes alone
finds that time over and waits for nothing. See docs/decisions/0105."""
MOST_WAITING = 2_048
MOST_ALONE = 4
"""Deeds that wait for locks of others at the same time, each on a connection of its own."""
PATIENCE_S = 5.0
"""After this a deed is not begun any more; the caller's own limit is a little longer."""


class MicroBatch(Generic[C, R]):
    """Performs named deeds of one kind; concurrent duplicates within the process share one result.

    `refused` hears of each refusal, once; it neither waits nor raises.
    """

    def __init__(
        self,
        database: Database,
        kind: Kind[C, R],
        *,
        most_together: int = MOST_TOGETHER,
        at_once: int = AT_ONCE,
        pace_s: float = PACE_S,
        most_waiting: int = MOST_WAITING,
        patience_s: float = PATIENCE_S,
        refused: Callable[[C, Refusal], None] | None = None,
    ) -> None:
        self._database = database
        self._kind = kind
        self._most_together = most_together
        self._at_once = at_once
        self._pace_s = pace_s
        self._most_waiting = most_waiting
        self._patience_s = patience_s
        self._refused = refused
        self._loop: asyncio.AbstractEventLoop | None = None
        self._queue: deque[Waiting[C]] = deque()
        self._known: dict[bytes, Waiting[C]] = {}
        self._posting: set[asyncio.Task[None]] = set()
        self._begun = -pace_s
        self._alarm: asyncio.TimerHandle | None = None
        self._busy: set[Hashable] = set()
        self._alone: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(MOST_ALONE)

    async def perform(self, deed: Deed, command: C) -> Done[Any]:
        """Do the command once for this deed's id, or answer what it answered before.

        Raises DeedIdReused (other content), Busy (too many wait, or the database cannot answer), and
        whatever the use case refuses with.
        """
        return read_answer(await self.submit(deed, command), self._kind.answer_type(command))

    def submit(self, deed: Deed, command: C) -> asyncio.Future[Done[Any]]:
        """`perform`, for who waits otherwise than in a task. Raises what can be said at once.

        The answer of what a short cut did is told as JSON (`msgspec.Raw`).
        """
        loop = self._loop = self._loop or asyncio.get_running_loop()  # asking each time costs a system call
        future: asyncio.Future[Done[Any]] = loop.create_future()
        name = deed.account_id.bytes + deed.key.bytes
        known = self._known.get(name)
        if (len(self._known) if known is None else known.followers) >= self._most_waiting:
            raise Busy(retry_after_seconds=1)
        if known is not None and known.share(deed, future):
            return future
        until = loop.time() + self._patience_s
        waiting = Waiting(name, deed.account_id, deed.key, deed.fingerprint, command, until, future, deed.session_id)
        if known is not None:
            known.put_behind(waiting)
            return future
        self._known[name] = waiting
        self._queue.append(waiting)
        self._see_to(loop, until - self._patience_s)
        return future

    def _see_to(self, loop: asyncio.AbstractEventLoop, now: float) -> None:
        """Begin a batch if one should begin, or see to it that one will."""
        if len(self._posting) < self._at_once and self._is_worth_posting(len(self._posting), now):
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None
            self._posting.add(loop.create_task(self._post()))
        elif not self._posting and self._alarm is None:
            self._alarm = loop.call_at(self._begun + self._pace_s, self._awake)

    def _is_worth_posting(self, others: int, now: float) -> bool:
        """Whether a batch should begin beside so many: for half a batch, or when it is time and there is none."""
        return 2 * len(self._queue) >= self._most_together or (not others and now >= self._begun + self._pace_s)

    def _awake(self) -> None:
        self._alarm = None
        if self._queue and not self._posting and self._loop is not None:
            self._begun = -self._pace_s  # it is time, however coarse the loop's own is
            self._see_to(self._loop, self._loop.time())

    async def _post(self) -> None:
        """Post what waits until nothing does, or the next batch is to wait."""
        this = asyncio.current_task()
        loop = asyncio.get_running_loop()
        try:
            while self._is_worth_posting(len(self._posting) - 1, loop.time()) and (batch := self._take()):
                keys = [key for waiting in batch for key in self._kind.keys(waiting.command)]
                try:
                    await self._post_together(batch)
                finally:
                    self._busy.difference_update(keys)
        except asyncio.CancelledError:
            while self._queue:  # we stop, and nobody may wait for ever, nor who comes up from behind
                self._give_up([self._queue.popleft()])
            raise
        finally:
            # In the very turn in which nothing was left: who came a turn later would rely on us, and wait for ever.
            self._posting -= {each for each in self._posting if each is this}
            if self._queue and not self._posting:
                self._see_to(loop, loop.time())

    def _take(self) -> list[Waiting[C]]:
        """The next batch, in the order of coming; deeds that share a key with an earlier one stay."""
        now = self._begun = asyncio.get_running_loop().time()
        batch: list[Waiting[C]] = []
        later: list[Waiting[C]] = []
        taken = set(self._busy)
        queue = self._queue
        while queue and len(batch) < self._most_together:
            waiting = queue.popleft()
            keys = self._kind.keys(waiting.command)
            if waiting.until < now:
                self._end(waiting, Busy(retry_after_seconds=1))
            elif taken.isdisjoint(keys):
                taken.update(keys)
                self._busy.update(keys)
                waiting.begun = True
                batch.append(waiting)
            else:
                taken.update(keys)  # and whoever shares another key with it waits behind it, too
                later.append(waiting)
        queue.extendleft(reversed(later))
        return batch

    async def _post_together(self, batch: Sequence[Waiting[C]]) -> None:
        alone = len(batch) == 1
        try:
            rest = await self._take_short_cut(batch)
            outcomes = await self._within(rest, alone=alone) if rest else []
        except Busy as busy:
            for waiting in batch:
                self._end(waiting, busy)  # without effect on those that were told
        except Exception as error:
            await self._post_one_by_one(
                [waiting for waiting in batch if self._known.get(waiting.name) is waiting], error
            )
        except BaseException:
            self._give_up(batch)
            raise
        else:
            for waiting, outcome in zip(rest, outcomes, strict=True):
                if outcome is Elsewhere.HELD:
                    task = asyncio.create_task(self._post_beside(waiting))
                    self._alone.add(task)
                    task.add_done_callback(self._alone.discard)
                else:
                    self._end(waiting, outcome)

    async def _take_short_cut(self, batch: Sequence[Waiting[C]]) -> Sequence[Waiting[C]]:
        """Tell those that the short cut did, at once, for they are committed; the others come back."""
        if self._kind.plainly is None:
            return batch
        left_s = self._left_s(batch)
        async with in_time(left_s):
            single = left_s >= tables.STATEMENT_LIMIT_S  # else its end must be told to the database, which takes two
            told = await self._database.transact(self._plainly, (batch, left_s), single=single, direct=True)
        done = told_plainly(self._kind, batch, told)
        for place, outcome in done.items():
            self._end(batch[place], outcome)
        return [waiting for place, waiting in enumerate(batch) if place not in done]

    async def _plainly(self, tx: Tx, given: tuple[Sequence[Waiting[C]], float]) -> DonePlainly:
        if self._kind.plainly is None:
            raise AssertionError("asked for a short cut that there is not")
        batch, left_s = given
        await tables.limit_statements(tx, left_s)
        return await self._kind.plainly(tx, batch)

    async def _post_one_by_one(self, batch: Sequence[Waiting[C]], error: Exception) -> None:
        """The batch as a whole could not be posted: whoever is at fault harms nobody else."""
        try:
            if len(batch) == 1 and not isinstance(error, CONSTRAINT_BROKEN):
                await self._post_again(batch[0], error)
                return
            for waiting in batch:
                await self._post_alone(waiting)
        finally:
            self._give_up(batch)  # without effect on those that were told

    async def _post_beside(self, waiting: Waiting[C]) -> None:
        """Post one whose subject is held elsewhere, waiting for it, while batches go on."""
        try:
            async with self._places:
                await self._post_alone(waiting)
        finally:
            self._give_up([waiting])  # without effect on one that was told

    async def _post_alone(self, waiting: Waiting[C]) -> None:
        try:
            [outcome] = await self._within([waiting])
            self._end(waiting, outcome)
        except Busy as busy:
            self._end(waiting, busy)
        except Exception as error:
            await self._post_again(waiting, error)

    async def _post_again(self, waiting: Waiting[C], error: Exception) -> None:
        """What stops it may be what this very deed did, finished by another process since our look: look once more."""
        if not isinstance(error, Refusal) and broken_constraint(error) != "pk_deed":
            self._end(waiting, error)
            return
        try:
            [outcome] = await self._within([waiting])
            self._end(waiting, outcome)
        except Exception as again:
            self._end(waiting, again)

    async def _within(
        self, batch: Sequence[Waiting[C]], *, alone: bool = True
    ) -> Sequence[Done[Any] | Refusal | Elsewhere]:
        """One transaction for the batch, in the time that its oldest deed has left."""
        left_s = self._left_s(batch)
        async with in_time(left_s):
            return await self._database.transact(self._post_all, (batch, left_s, alone), direct=True)

    async def _post_all(
        self, tx: Tx, given: tuple[Sequence[Waiting[C]], float, bool]
    ) -> Sequence[Done[Any] | Refusal | Elsewhere]:
        batch, left_s, alone = given
        await tables.limit_statements(tx, left_s)
        return await post_together(tx, self._kind, batch, alone=alone)

    @staticmethod
    def _left_s(batch: Sequence[Waiting[C]]) -> float:
        return min(waiting.until for waiting in batch) - asyncio.get_running_loop().time()

    def _end(self, waiting: Waiting[C], outcome: Done[Any] | Exception | Elsewhere) -> None:
        if isinstance(outcome, Elsewhere):
            outcome = Busy(retry_after_seconds=1)
        if self._known.get(waiting.name) is waiting:
            del self._known[waiting.name]
            if self._refused is not None and isinstance(outcome, Refusal):
                self._refused(waiting.command, outcome)
            if waiting.behind:
                self._come_up(waiting)
        waiting.settle(outcome)

    def _come_up(self, ended: Waiting[C]) -> None:
        """Let the next of its name be posted: what the id stands for now is asked of the database."""
        waiting = ended.next_behind()
        if waiting is not None and self._loop is not None:
            self._known[waiting.name] = waiting
            self._queue.append(waiting)
            self._see_to(self._loop, self._loop.time())

    def _give_up(self, batch: Sequence[Waiting[C]]) -> None:
        """We stop, and cannot say what became of these: their ids will."""
        for waiting in batch:
            self._end(waiting, Busy(retry_after_seconds=1))
