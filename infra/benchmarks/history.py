"""A town's past: any number of payments, each as the product's allocator would have chosen its lots.

Law: a history is lawful by construction. Amounts are whole steps in which every lot splits exactly, so that a lot
spent from so often has given the very parts that payments one by one would have taken. All lots expire together:
a small store takes from the restricted lots first, a large one from the common ones, the oldest first
(docs/algorithms/allocation.md). Running sums then say from where to where in a resident's purses a payment reaches.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from itertools import accumulate, groupby, pairwise
from math import isqrt

from infra.benchmarks import past_sql
from infra.benchmarks.loading import Loader, Progress, SetAside, set_aside
from services.kit.clock import start_of
from services.kit.numbers import ALPHABET, SIGN_BITS, check_character, make_number
from services.payments.pay import NUMBER_LENGTH, NUMBER_PREFIX

STEP_YEN = 20
"""In these steps every purse's points split exactly: 15 + 5 of the common one, 16 + 4 of the small one."""

MOST_YEN = 360
COMMON_LOT_YEN = 24_000
"""What one purchase brings into the common purse, which every store takes."""

POSTINGS_EACH = 3
"""Of a payment from one lot: its paid part, its premium part, and what the store is owed."""

MOST_POSTINGS = 100_000_000
SLOTS = 1 << 18
"""A payment falls into one of so many equal slots; a store has as many as Zipf's law (s = 1) gives it."""

CHUNK = 50_000
"""Payments of one transaction."""

WRITTEN = (
    "ledger_posting",
    "payment",
    "ledger_journal",
    "payment_leg",
    "deed",
    "payment_allocation",
    "spent_today",
    "code_use",
)
"""Tables that a history fills, the longest to index first."""

_SEED = 0x9A57


@dataclass(frozen=True)
class Past:
    """The one row of `loading.past`, field by field."""

    payments: int
    payers: int
    begins_ms: int
    lasts_ms: int
    step_yen: int
    steps: int
    purchases_each: int
    small_yen: int
    common_yen: int
    halves: int

    @property
    def middle_ms(self) -> int:
        return self.begins_ms + self.lasts_ms // 2

    @property
    def ends_ms(self) -> int:
        """The first instant after it."""
        return self.begins_ms + self.lasts_ms


def payments_of(postings: int) -> int:
    """How many payments write at least so many postings."""
    if not 0 <= postings <= MOST_POSTINGS:
        raise ValueError(f"a history has 0 to {MOST_POSTINGS} postings")
    return -(-postings // POSTINGS_EACH)


def purchases_each(postings: int, payers: int) -> int:
    """How often everybody buys, so that large stores alone could have taken all, and one purchase's worth is left."""
    each = -(-payments_of(postings) // payers)
    return 1 + -(-each * MOST_YEN // COMMON_LOT_YEN)


async def write(
    one: Loader, other: Loader, postings: int, payers: int, tills: int, year: int, progress: Progress
) -> None:
    """The second half of the year before `year`, through two connections at once."""
    sizes = {row[0]: row[1] for row in await one.ask(past_sql.SIZES)}
    begins, ends = (_milliseconds(day) for day in (date(year - 1, 7, 1), date(year, 1, 1)))
    payments = payments_of(postings)
    past = Past(
        payments=payments,
        payers=payers,
        begins_ms=begins,
        lasts_ms=ends - begins,
        step_yen=STEP_YEN,
        steps=MOST_YEN // STEP_YEN,
        purchases_each=purchases_each(postings, payers),
        small_yen=sizes["small"],
        common_yen=sizes["common"],
        halves=isqrt(payments) + 1,
    )
    weight = postings / 1_000_000
    aside = await set_aside(one, WRITTEN)
    await _imagine(one, other, past, tills, weight, progress)
    await _write_down(one, other, payments, weight, progress)
    async with progress.step("indexes come back", 6 * weight) as reached:
        await _put_back((one, other), aside, reached)


async def _imagine(one: Loader, other: Loader, past: Past, tills: int, weight: float, progress: Progress) -> None:
    """Draw who pays where and when, then put it into the order of time, with ids and numbers."""
    await one.together(past_sql.PREPARE)
    await one.note("past", past_sql.PAST, [astuple(past)])
    await one.note("slot", ("n", "till"), _slots(tills))
    await one.note("half", past_sql.HALF, _halves(past.halves))
    await one.run("ANALYZE loading.payer, loading.till, loading.slot, loading.half, loading.lot")
    middle = past.payers // 2
    async with progress.step("payments are drawn", 2 * weight):
        await asyncio.gather(
            one.run(past_sql.DRAW, 0, middle),
            other.run(past_sql.DRAW, middle, past.payers),
        )
    await one.run("ANALYZE loading.drawn")
    async with progress.step("payments are put in order", 3 * weight):
        counted = await one.ask("SELECT count(*) FROM loading.drawn WHERE at_ms < $1", past.middle_ms)
        await asyncio.gather(
            one.run(past_sql.NUMBER, 0, past.begins_ms, past.middle_ms),
            other.run(past_sql.NUMBER, counted[0][0], past.middle_ms, past.ends_ms),
        )
        await one.run("CREATE INDEX ON loading.payment (n)")
        await one.run("ANALYZE loading.payment")


async def _write_down(one: Loader, other: Loader, payments: int, weight: float, progress: Progress) -> None:
    """Payments through one connection, what they did to lots and books through the other; then deeds through both."""
    chunks = [(begin, min(begin + CHUNK, payments)) for begin in range(0, payments, CHUNK)]
    undone = list(chunks)
    steps, written = 3 * len(chunks), 0

    async def each(load: Loader, statements: Sequence[str], chunk: tuple[int, int]) -> None:
        nonlocal written
        await load.together(statements, *chunk)
        written += 1
        reached(written / steps)

    async def keep_books() -> None:
        for n, chunk in enumerate(chunks):
            await each(other, past_sql.BOOKS, chunk)
            if n == 0:
                await other.run("ANALYZE loading.part")  # what joins it from now on would else expect a few rows
        await other.together(past_sql.LOTS_ARE_SPENT)

    async def pay() -> None:
        for chunk in chunks:
            await each(one, past_sql.PAYMENTS, chunk)
        await one.together(past_sql.SPENT_TODAY)

    async def keep_deeds(load: Loader) -> None:
        while undone:
            await each(load, past_sql.DEEDS, undone.pop(0))

    async with progress.step("payments are written", 8 * weight) as reached:
        await _both(keep_books(), pay())
        await one.run("ANALYZE loading.part")
        await _both(keep_deeds(one), keep_deeds(other))


async def _both(*works: Coroutine[None, None, None]) -> None:
    """At once, and none goes on when another fails."""
    async with asyncio.TaskGroup() as group:
        for work in works:
            group.create_task(work)


async def _put_back(loaders: Sequence[Loader], aside: Sequence[SetAside], reached: Callable[[float], None]) -> None:
    """Build the indexes again; a table's by one connection, because adding a constraint locks it."""
    waiting = [list(each) for _, each in groupby(aside, key=lambda each: each.table)]
    built = 0

    async def build(load: Loader) -> None:
        nonlocal built
        while waiting:
            for each in waiting.pop(0):
                await load.run(each.build)
                built += 1
                reached(built / len(aside))

    async with asyncio.TaskGroup() as group:
        for load in loaders:
            group.create_task(build(load))


def _milliseconds(day: date) -> int:
    return int(start_of(day).timestamp()) * 1_000


def _slots(tills: int) -> Iterator[tuple[int, int]]:
    """Which store each slot belongs to."""
    weights = [0.0, *accumulate(1 / rank for rank in range(1, tills + 1))]
    ends = [round(SLOTS * weight / weights[-1]) for weight in weights]
    for till, (begin, end) in enumerate(pairwise(ends)):
        for n in range(begin, end):
            yield n, till


def _halves(count: int) -> Iterator[tuple[int, str, int, str, int]]:
    """Beginnings and ends of payments' numbers: each pair of them is another number.

    The check is linear over the signs' bits, so that its value for a whole number is the exclusive or of its
    values for the two halves, each with zeros in the other's place.
    """
    width = NUMBER_LENGTH // 2
    chance = random.Random(_SEED)
    bodies = [chance.sample(range(1 << SIGN_BITS * width), count) for _ in range(2)]
    for n, (high, low) in enumerate(zip(*bodies, strict=True)):
        begins, ends = (make_number(NUMBER_PREFIX, body, width)[:-1] for body in (high, low))
        zeros = ALPHABET[0] * width
        high_residue = ALPHABET.index(check_character(begins + zeros))
        low_residue = ALPHABET.index(check_character(ALPHABET[0] + zeros + ends[1:]))
        yield n, begins, high_residue, ends[1:], low_residue
