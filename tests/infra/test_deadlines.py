"""Work that has a deadline ends by it, whoever else starts and ends meanwhile, and only then."""

import asyncio
from contextlib import suppress

import pytest

from infra.http.deadlines import Deadlines


async def for_ever() -> None:
    await asyncio.Event().wait()


async def answer(value: int) -> int:
    await asyncio.sleep(0)
    return value


async def test_work_in_time_gives_what_it_gives() -> None:
    deadlines = Deadlines(30.0)
    assert await deadlines.within(deadlines.due(), answer(7)) == 7
    with pytest.raises(ZeroDivisionError):
        await deadlines.within(deadlines.due(), fail())
    assert not deadlines.waiting


async def fail() -> None:
    await asyncio.sleep(0)
    raise ZeroDivisionError


async def test_work_that_does_not_end_is_cut_off() -> None:
    deadlines = Deadlines(0.01)
    for _ in range(3):  # the timer is set anew each time
        with pytest.raises(TimeoutError):
            await deadlines.within(deadlines.due(), for_ever())
    assert not deadlines.waiting
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_each_is_cut_off_by_its_own_deadline() -> None:
    deadlines = Deadlines(0.02)

    async def after(steps: int) -> str:
        for _ in range(steps):
            await asyncio.sleep(0)
        try:
            await deadlines.within(deadlines.due(), for_ever())
        except TimeoutError:
            return "cut"
        return "done"

    short = [deadlines.within(deadlines.due(), answer(n)) for n in range(20)]
    tasks = [asyncio.create_task(after(steps)) for steps in range(20)]
    assert [await each for each in short] == list(range(20))
    assert await asyncio.gather(*tasks) == ["cut"] * 20


async def test_a_deadline_that_has_passed_cuts_at_once() -> None:
    deadlines = Deadlines(30.0)
    due = asyncio.get_running_loop().time() - 1.0
    with pytest.raises(TimeoutError):
        await deadlines.within(due, for_ever())


async def test_somebody_elses_cancel_is_theirs() -> None:
    deadlines = Deadlines(30.0)
    task = asyncio.create_task(deadlines.within(deadlines.due(), for_ever()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not deadlines.waiting


async def test_work_that_swallows_its_end_leaves_no_cancel_behind() -> None:
    deadlines = Deadlines(0.01)

    async def stubborn() -> str:
        with suppress(asyncio.CancelledError):
            await for_ever()
        return "done"

    assert await deadlines.within(deadlines.due(), stubborn()) == "done"
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)
