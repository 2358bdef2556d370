"""Payments posted together come out as if they had come one by one: the plain path is the oracle.

Two clones of one town get the same list of orders: one all at once through the payment desk, the other
one after the other, in the order in which the first one's orders came to be queued. Each order has the
same outcome, each lot the same value, and the books of both are proven.
"""

import asyncio
import copy
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.database.migrate import create_database, drop_database, named
from infra.database.provision import DatabaseHandle
from services.kit.db import CONSTRAINT_BROKEN, Tx, broken_constraint
from services.kit.deeds import Deed, Deeds, Done
from services.kit.errors import Refusal
from services.kit.waiting import DonePlainly, Waiting
from services.payments.desk import PaymentDesk
from services.payments.order import Order, PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store, pay_till
from services.payments.payment import Receipt, StoreReceipt, for_the_store
from tests.payments.together import INSTANTS, NOBODY, Asked, World, build, prepare, rows
from tests.town import Town

FAULTS = ["forged", "old", "another's", "another's wallet", "unknown", "malformed"]
YEN: list[int | str] = [1, 2, 137, 1_000, 2_501, 3_000, 5_001, 6_999, 9_000, 9_001, 10_001, "everything", "a yen more"]
BAD_YEN = [0, -1, 2**31, 2**63]
ORDERS = st.builds(
    Asked,
    who=st.sampled_from([0, 0, 1, 1, 1, 2, 2, 3, 4, 5, 6, NOBODY]),
    way=st.sampled_from(["code", "code", "store", "store", "till"]),
    store=st.sampled_from([0, 0, 0, 0, 1, 1, 2]),
    yen=st.sampled_from([*YEN, *YEN, *BAD_YEN]),
    fault=st.sampled_from([*[""] * 18, *FAULTS]),
    number=st.integers(0, 11),
    key=st.integers(0, 80),
)
GRANTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 9_000), st.sampled_from(["starlight", "moonlight", "sunrise"])),
    max_size=6,
)


@st.composite
def lists(draw: st.DrawFn) -> list[Asked]:
    """Orders, of which some come again under the same id."""
    orders = draw(st.lists(ORDERS, min_size=30, max_size=90))
    again = draw(st.lists(st.integers(0, len(orders) - 1), max_size=len(orders) // 3))
    places = draw(st.permutations([*range(len(orders)), *again]))
    return [orders[place] for place in places]


@dataclass(frozen=True)
class Ground:
    """A database in which the town was built, and the town as it was then."""

    server: DatabaseHandle
    template: str
    world: World


def apart(step: Coroutine[Any, Any, Any]) -> Any:
    return asyncio.run(step)


@pytest.fixture(scope="module")
def ground(database_server: DatabaseHandle, template_database: str) -> Iterator[Ground]:
    name = f"tanabata_together_{token_hex(4)}"

    async def make() -> World:
        await create_database(database_server.migrator_url, name, template_database)
        engine = inside(database_server, name).app_engine()
        try:
            return await build(engine)
        finally:
            await engine.dispose()

    yield Ground(database_server, name, apart(make()))
    apart(drop_database(database_server.migrator_url, name))


def inside(server: DatabaseHandle, name: str) -> DatabaseHandle:
    return replace(server, app_url=named(server.app_url, name), migrator_url=named(server.migrator_url, name))


@dataclass(frozen=True)
class Example:
    grants: Sequence[tuple[int, int, str]]
    blocked: bool
    at: int
    most_together: int
    asked: Sequence[Asked]


async def on_a_clone(ground: Ground, example: Example, run: Callable[[World, list[tuple[Deed, Order]]], Any]) -> Any:
    """What `run` finds, and every row, on a clone of the ground that the example has prepared."""
    name = f"{ground.template}_{token_hex(4)}"
    await create_database(ground.server.migrator_url, name, ground.template)
    engine: AsyncEngine = inside(ground.server, name).app_engine()
    try:
        town = Town(engine)
        town.entropy = copy.deepcopy(ground.world.town.entropy)
        town.database.entropy = town.entropy
        world = World(town, ground.world.people, ground.world.shops, list(ground.world.tills))
        await prepare(world, example.grants, example.blocked, INSTANTS[example.at])
        found = await run(world, await world.orders(example.asked))
        await town.must_prove()
        return found, await rows(engine)
    finally:
        await engine.dispose()
        await drop_database(ground.server.migrator_url, name)


Came = tuple[int, int | None]
"""An order by its place as it was queued, and the place of the one whose outcome it shares, if it does."""


async def together(world: World, orders: list[tuple[Deed, Order]], most_together: int) -> tuple[list[Any], list[Came]]:
    """All at once: the outcomes, and in which order they came to be queued. Then each once more, by its id."""
    desk = PaymentDesk(world.town.database, most_together=most_together)
    batch, came, places = desk._batch, [], {id(order): place for place, (_, order) in enumerate(orders)}
    perform, within, plainly, come_up = batch.perform, batch._within, batch._kind.plainly, batch._come_up
    broken: set[str | None] = set()
    assert plainly is not None

    async def note_coming(deed: Deed, order: Order) -> Done[Any]:
        first = batch._known.get(deed.account_id.bytes + deed.key.bytes)
        same = first
        if first is not None and first.fingerprint != deed.fingerprint:
            same = (first.behind or {}).get((deed.fingerprint, None))
        if first is None or same is not None:  # else it is queued when it comes up
            came.append((places[id(order)], None if same is None else places[id(same.command)]))
        return await perform(deed, order)

    def note_coming_up(ended: Waiting[Order]) -> None:
        come_up(ended)
        came.append((places[id(batch._known[ended.name].command)], None))

    @contextmanager
    def noting() -> Iterator[None]:
        try:
            yield
        except CONSTRAINT_BROKEN as error:
            broken.add(broken_constraint(error))
            raise

    async def note_breaking(waiting: Sequence[Waiting[Order]], *, alone: bool = True) -> Any:
        with noting():
            return await within(waiting, alone=alone)

    async def note_plain(tx: Tx, waiting: Sequence[Waiting[Order]]) -> DonePlainly:
        with noting():
            told = await plainly(tx, waiting)
        SEEN["at speed"] += len(told.answers)
        SEEN["told again at speed"] += len(told.known)
        return told

    batch._kind = replace(batch._kind, plainly=note_plain)
    with patch.multiple(batch, perform=note_coming, _come_up=note_coming_up, _within=note_breaking):
        found = await asyncio.gather(*(desk.perform(*each) for each in orders), return_exceptions=True)
    # What breaks a batch is tried again one by one, which would hide a short cut that is always wrong.
    assert broken <= {"pk_code_use"}
    done = [(each, outcome) for each, outcome in zip(orders, found, strict=True) if isinstance(outcome, Done)]
    with patch.multiple(batch, _within=note_breaking):
        again = await asyncio.gather(*(desk.perform(*each) for each, _ in done))
    assert again == [Done(outcome.result, replayed=True) for _, outcome in done]
    for each, outcome in done[:3]:  # and alone
        assert await desk.perform(*each) == Done(outcome.result, replayed=True)
    return found, came


async def one_by_one(world: World, orders: list[tuple[Deed, Order]], came: list[Came]) -> list[Any]:
    """The plain path; whoever shared a run shares its outcome."""
    deeds, found = Deeds(world.town.database), dict[int, Any]()
    for place, shares in came:
        if shares is None:
            found[place] = await one(deeds, *orders[place])
    for place, shares in came:
        if shares is not None:
            found[place] = found[shares]
    return [found[place] for place in range(len(orders))]


async def one(deeds: Deeds, deed: Deed, order: Order) -> Any:
    use_case: Any = {PayByCode: pay_by_code, PayStore: pay_store}.get(type(order), pay_till)
    try:
        done = await deeds.perform(deed, use_case, order, Receipt)
    except Refusal as refusal:
        return refusal
    return for_the_store(done.result) if isinstance(order, PayByCode) else done.result


def plain(outcome: Any) -> Any:
    """An outcome without what each path makes for itself: ids and numbers."""
    result = outcome.result if isinstance(outcome, Done) else outcome
    if isinstance(result, Receipt | StoreReceipt):
        return replace(result, payment_id=UUID(int=0), number="")
    if isinstance(result, Refusal):
        return type(result), result.params
    raise result


SEEN: Counter[str] = Counter()
MUST_HAPPEN = {
    *("at speed", "told again at speed", "Receipt", "StoreReceipt", "several lots", "several programmes", "replayed"),
    *("points_missing", "payment_limit_reached", "day_limit_reached", "programme_closed", "wallet_suspended"),
    *("not_found", "own_store", "store_suspended", "pay_code_used", "pay_code_forged", "pay_code_expired"),
    *("till_code_used", "till_code_unknown", "amount_differs", "idempotency_key_reused", "device_blocked"),
}
"""What the sample meets; else it says nothing about it."""


def count(found: Sequence[Any]) -> None:
    for outcome in found:
        result = outcome.result if isinstance(outcome, Done) else outcome
        SEEN[result.code if isinstance(result, Refusal) else type(result).__name__] += 1
        SEEN["replayed"] += isinstance(outcome, Done) and outcome.replayed
        parts = getattr(result, "parts", ())
        SEEN["several lots"] += len(parts) > 1
        SEEN["several programmes"] += len({part.programme_id for part in parts}) > 1


async def compare(ground: Ground, example: Example) -> None:
    async def at_once(world: World, orders: list[tuple[Deed, Order]]) -> tuple[list[Any], list[Came]]:
        return await together(world, orders, example.most_together)

    async def in_turn(world: World, orders: list[tuple[Deed, Order]]) -> list[Any]:
        return await one_by_one(world, orders, came)

    (found, came), rows_together = await on_a_clone(ground, example, at_once)
    expected, rows_apart = await on_a_clone(ground, example, in_turn)
    for place, (outcome, wanted) in enumerate(zip(found, expected, strict=True)):
        assert plain(outcome) == plain(wanted), (place, example.asked[place])
    for name, of in rows_apart.items():
        assert rows_together[name] == of, name
    count(found)


EXAMPLES = st.builds(
    Example, GRANTS, st.booleans(), st.sampled_from([0, 1, 2, 2]), st.sampled_from([128, 128, 7, 1]), lists()
)
BOUNDED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
LONG = settings(BOUNDED, max_examples=1_000, derandomize=False, phases=[Phase.generate, Phase.shrink])


def test_payments_together_come_out_as_one_by_one(ground: Ground) -> None:
    @BOUNDED
    @given(EXAMPLES)
    def hold(example: Example) -> None:
        apart(compare(ground, example))

    SEEN.clear()
    hold()
    assert {name for name in MUST_HAPPEN if not SEEN[name]} == set(), SEEN


@pytest.mark.long
def test_payments_together_come_out_as_one_by_one_in_a_thousand_lists(ground: Ground) -> None:
    @LONG
    @given(EXAMPLES)
    def hold(example: Example) -> None:
        apart(compare(ground, example))

    hold()
