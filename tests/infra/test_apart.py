"""A command of analytics in a process of its own: its failure is told, and none outlives the worker."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.apart import InsightFailed, insight_apart, nightly
from infra.rests import Asks
from tests.town import Town

DEAF = """
import os, signal, sys, time
from pathlib import Path
signal.signal(signal.SIGTERM, signal.SIG_IGN)
Path({file!r}).write_text(str(os.getpid()))
time.sleep(60)
"""


def plays_python(monkeypatch: pytest.MonkeyPatch, path: Path, code: str) -> None:
    """Have the command be this code, whatever it is asked for."""
    path.with_suffix(".py").write_text(code)
    path.write_text(f"""#!/bin/sh\nexec '{sys.executable}' '{path.with_suffix(".py")}' "$@"\n""")
    path.chmod(0o755)
    monkeypatch.setattr("infra.apart.sys.executable", str(path))


async def test_one_that_does_not_heed_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "number"
    plays_python(monkeypatch, tmp_path / "deaf", DEAF.format(file=str(file)))
    working = asyncio.create_task(insight_apart("refresh", end_s=0.2))
    async with asyncio.timeout(30):
        while not (file.exists() and file.read_text()):  # noqa: ASYNC110 - the other process tells nobody
            await asyncio.sleep(0.02)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    with pytest.raises(ProcessLookupError):
        os.kill(int(file.read_text()), 0)


async def test_the_nights_commands_are_held_back_while_somebody_pays(
    engine: AsyncEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays_python(monkeypatch, tmp_path / "done", "pass")
    heard: list[bool] = []

    @asynccontextmanager
    async def held(_: Process, asks: Asks | None) -> AsyncIterator[None]:
        assert asks is not None
        heard.append(await asks())
        yield

    monkeypatch.setattr("infra.apart.held_back", held)
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    for command in nightly(town.database):
        assert await command() == 1
    assert heard == [False, False]
    await town.pay_store(who, shop, 500)
    for command in nightly(town.database):
        assert await command() == 1
    assert heard == [False, False, True, True]


async def test_a_failure_is_told_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays_python(monkeypatch, tmp_path / "fails", "import sys; sys.exit(f'no lake for {sys.argv[6]}')")
    with pytest.raises(InsightFailed) as failed:
        await insight_apart("alerts")
    assert failed.value.args == ("alerts", 1, "no lake for alerts\n")
