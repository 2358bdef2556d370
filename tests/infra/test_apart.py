"""A command of analytics in a process of its own: its failure is told, and none outlives the worker."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from infra.apart import InsightFailed, insight_apart

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


async def test_a_failure_is_told_with_its_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plays_python(monkeypatch, tmp_path / "fails", "import sys; sys.exit(f'no lake for {sys.argv[4]}')")
    with pytest.raises(InsightFailed) as failed:
        await insight_apart("alerts")
    assert failed.value.args == ("alerts", 1, "no lake for alerts\n")
