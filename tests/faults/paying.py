"""Clients that pay over real sockets and do not give up: what is unanswered is sent again under its id.

Law: a client knows only what it was told. An acknowledgement is a 201; a 503 must say when to try again;
a connection that ends says nothing. Whatever else comes is a problem, and kept in words.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from infra.benchmarks import checks
from infra.benchmarks.checks import Before
from infra.benchmarks.load import Generator
from infra.benchmarks.plan import ISSUER, Door, Order, Payment, Repeat, payments
from infra.benchmarks.townspeople import Ground
from infra.benchmarks.wire import keys, payment_id
from infra.database.provision import DatabaseHandle
from infra.keys import keys_for, load_keys

MOST_TRIES = 500
"""A client sends a request so often at most; a server that never recovers ends the test in words."""
PATIENCE_S = 240.0
"""Only stops a hang; nothing is judged by it."""
GONE = (OSError, asyncio.IncompleteReadError)
"""What ends a connection before its answer was heard."""
EVERY_FOURTH = 4


@dataclass(frozen=True)
class Answer:
    """What a server said."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def is_busy(self) -> bool:
        """The one refusal that faults may cause: try again, and when."""
        return self.status == 503 and self.headers.get("retry-after", "").isdigit()


@dataclass(eq=False)
class Errand:
    """A payment somebody wants to make, under one id however often it is sent."""

    generator: Generator
    door: Door
    payment: Payment
    names: Iterator[UUID]
    acknowledged: bytes | None = None

    @cached_property
    def request(self) -> bytes:
        """Made when it is first sent: a pay code lives for a minute."""
        return self.generator._request(self.door, self.payment, self.names)


class Connection:
    """One keep-alive connection of a client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def open(cls, port: int) -> "Connection":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, request: bytes) -> Answer:
        """Raises one of GONE when the connection ended instead."""
        self.send(request)
        first, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        named = (line.partition(":") for line in lines if line)
        headers = {name.strip().lower(): value.strip() for name, _, value in named}
        return Answer(int(first.split()[1]), headers, await self._reader.readexactly(int(headers["content-length"])))

    def send(self, request: bytes) -> None:
        self._writer.write(request)

    def close(self) -> None:
        self._writer.close()


@dataclass
class Crowd:
    """Clients with errands. Whoever is refused, or hears nothing, tries again at once unless it is `hold`."""

    port: int
    clients: int
    busy: int = 0
    lost: int = 0
    acknowledged: int = 0
    under_way: int = 0
    held: int = 0
    problems: list[str] = field(default_factory=list)
    _free: list[Connection] = field(default_factory=list)
    _open: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, errands: Sequence[Errand]) -> None:
        """Every errand until it is answered, a fifth of all requests twice."""
        self._open.set()
        queue = deque(errands)
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(self.clients):
                    group.create_task(self._client(queue))
        finally:
            while self._free:
                self._free.pop().close()

    def hold(self) -> None:
        """From now on who was refused waits for `go_on`."""
        self._open.clear()

    def go_on(self) -> None:
        """There is a server again, or a database."""
        self._open.set()

    @property
    def all_held(self) -> bool:
        return self.held == self.under_way > 0

    async def _client(self, queue: deque[Errand]) -> None:
        while queue:
            errand = queue.popleft()
            if errand.payment.repeat is Repeat.AT_ONCE:
                await asyncio.gather(self._until_answered(errand), self._until_answered(errand))
                continue
            await self._until_answered(errand)
            if errand.payment.repeat is Repeat.AFTERWARDS:
                answer = await self._until_answered(errand)
                if answer is not None and answer.headers.get("idempotent-replay") != "true":
                    self.problems.append("a repeat after the answer was not told as a replay")

    async def _until_answered(self, errand: Errand) -> Answer | None:
        self.under_way += 1
        try:
            for _ in range(MOST_TRIES):
                answer = await self._try(errand)
                if answer is None or answer.is_busy:
                    self.held += 1
                    await self._open.wait()
                    self.held -= 1
                    continue
                self._heard(errand, answer)
                return answer
            self.problems.append(f"a payment was not answered in {MOST_TRIES} tries")
            return None
        finally:
            self.under_way -= 1

    async def _try(self, errand: Errand) -> Answer | None:
        try:
            connection = self._free.pop() if self._free else await Connection.open(self.port)
        except OSError:
            self.lost += 1
            return None
        try:
            answer = await connection.ask(errand.request)
        except GONE:
            connection.close()
            self.lost += 1
            return None
        self._free.append(connection)
        self.busy += answer.is_busy
        return answer

    def _heard(self, errand: Errand, answer: Answer) -> None:
        if answer.status != 201:
            self.problems.append(f"status {answer.status}: {answer.body[:300]!r}")
        elif errand.acknowledged is None:
            errand.acknowledged = answer.body
            self.acknowledged += 1
        elif errand.acknowledged != answer.body:
            self.problems.append(f"one id, two answers: {errand.acknowledged!r}, then {answer.body!r}")


async def until(running: "asyncio.Task[None]", condition: Callable[[], bool]) -> None:
    """Wait while the load runs until something is so; whatever ends the load too early is raised."""
    while not condition():
        if running.done():
            running.result()
            raise AssertionError("the load was over before it came to this")
        await asyncio.sleep(0.005)


def errands(people: Ground, data: Path, count: int, *, seed: int) -> list[Errand]:
    """Payments of the town's residents, three of four by a store's code, one by a code on the phone."""
    generator = Generator(people, keys_for(load_keys(data), ISSUER))
    generator.sign_in()
    order = Order(
        door=Door.WALLET,
        port=0,
        connections=0,
        seconds=0.0,
        most_payments=count,
        payers=len(people.payers),
        tills=len(people.tills),
        seed=seed,
        acknowledged_file="",
    )
    chance = random.Random(seed)
    names = keys(datetime.now(UTC), chance)
    doors = [Door.STORE if number % EVERY_FOURTH == 0 else Door.WALLET for number in range(count)]
    return [Errand(generator, *each, names) for each in zip(doors, payments(order, chance), strict=True)]


@dataclass(frozen=True)
class Ledger:
    """What there was before the load: payments, and what every wallet held in yen."""

    before: Before
    balances: dict[UUID, int]


async def open_ledger(handle: DatabaseHandle) -> Ledger:
    return Ledger(await checks.look(handle), await balances(handle))


async def faults(handle: DatabaseHandle, ledger: Ledger, people: Ground, done: Sequence[Errand]) -> list[str]:
    """Everything in which the database differs from what the clients were told; none when all is kept."""
    ids, expected = [], dict(ledger.balances)
    for errand in done:
        if errand.acknowledged is not None:
            ids.append(str(payment_id(errand.acknowledged)))
            expected[people.payers[errand.payment.payer].wallet_id] -= errand.payment.amount_yen
    found = list((await checks.compare(handle, ledger.before, ids)).problems)
    after = await balances(handle)
    found += [f"wallet {each} holds {after[each]}, not {yen}" for each, yen in expected.items() if after[each] != yen]
    return found + [f"broken law {each.name}: {each.example}" for each in (await checks.proof(handle)).broken]


async def balances(handle: DatabaseHandle) -> dict[UUID, int]:
    async with checks.owner(handle) as connection:
        found = await connection.execute(
            text("SELECT wallet_id, CAST(sum(paid_yen + premium_yen) AS bigint) FROM lot GROUP BY wallet_id")
        )
        return {row[0]: row[1] for row in found}
