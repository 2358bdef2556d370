"""The command line: one clear sentence for what a person can put right, and a clean end on every signal."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infra.database import postmaster

PROJECT = Path(__file__).parents[2]
CLI = "from infra.cli import app; app()"
# `up` with a server of one sentence: these tests are about its life, not about the APIs.
UP = """
import sys, types

async def hello(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"hello"})

async def create_app(handle, settings, *, jobs):
    return hello

sys.modules["infra.server"] = types.SimpleNamespace(create_app=create_app)
from infra.cli import app
app()
"""


@pytest.mark.parametrize("name", ["insight", "prove", "worker"])
def test_a_command_loads_nothing_heavy_before_it_needs_it(name: str) -> None:
    heavy = ("alembic", "fastapi", "pandas", "pyarrow", "zengin_code")
    code = f"import sys, infra.commands.{name}; print(*(each for each in {heavy} if each in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, check=True, text=True)
    assert done.stdout.split() == []


@pytest.fixture(scope="module")
def installation() -> Iterator[dict[str, str]]:
    """An installation for all of these tests: a data folder with a space in its name, and a free port."""
    folder = Path(tempfile.mkdtemp(prefix="tanabata town "))
    folder.chmod(0o711)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    unset = {"DATABASE_URL", "MIGRATOR_DATABASE_URL", "PUBLIC_URL", "TANABATA_SCHEMA", "HOST"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    yield kept | {"TANABATA_DATA": str(folder / "data"), "PORT": str(port), "COLUMNS": "200"}
    shutil.rmtree(folder)


@pytest.fixture
def environ(installation: dict[str, str]) -> Iterator[dict[str, str]]:
    """The installation with nothing running, also after a test that failed."""
    yield installation
    left = server(installation)
    if left is not None:
        os.kill(left.pid, signal.SIGQUIT)
        for _ in range(100):
            if postmaster.alive(left.pid):
                time.sleep(0.05)


def tanabata(environ: Mapping[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", CLI, *words], env=environ, cwd=PROJECT, capture_output=True, text=True, check=False
    )


def start(environ: Mapping[str, str]) -> subprocess.Popen[str]:
    """`tanabata up` in a process group of its own, as a terminal would run it; returns once it serves."""
    process = subprocess.Popen(
        [sys.executable, "-c", UP, "up"],
        env=environ,
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert process.stderr is not None
    said = ""
    for line in process.stderr:
        said += line
        if "serving on" in line:
            return process
    raise AssertionError(said)


def end(process: "subprocess.Popen[str]", how: signal.Signals) -> tuple[int, str]:
    """Signal the whole group, as Ctrl-C does; the exit code and the last words."""
    os.killpg(process.pid, how)
    _, said = process.communicate(timeout=30)
    return process.returncode, said


def worker_of(process: "subprocess.Popen[str]", *, other_than: int | None = None) -> int:
    """The process id of the worker that `up` keeps beside it, once it has been started."""
    for _ in range(200):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for child in map(int, children):
            if child != other_than and b"\0worker\0" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
        time.sleep(0.05)
    raise AssertionError("no worker was started")


def ended(pid: int) -> bool:
    """Whether a process ends now, also where nobody takes notice of orphans that have."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)  # its output is closed a moment before it is gone
    return False


def answers(environ: Mapping[str, str]) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{environ['PORT']}/", timeout=5) as answer:
        return str(answer.read().decode())


def server(environ: Mapping[str, str]) -> postmaster.Postmaster | None:
    return postmaster.find(Path(environ["TANABATA_DATA"]) / "postgres")


def test_a_signal_during_the_start_ends_it(environ: dict[str, str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", UP, "up"], env=environ, cwd=PROJECT, stderr=subprocess.PIPE, text=True, process_group=0
    )
    assert process.stderr is not None
    assert "creating the database" in process.stderr.readline()
    code, said = end(process, signal.SIGINT)
    assert (code, said.strip()) == (130, "interrupted")
    assert server(environ) is None


def test_a_command_beside_a_running_server_uses_its_database_and_leaves_it(environ: dict[str, str]) -> None:
    process = start(environ)
    running = server(environ)
    beside = tanabata(environ, "migrate")
    assert beside.returncode == 0, beside.stderr
    assert "joining the database" in beside.stderr
    assert server(environ) == running
    second = tanabata(environ, "up")
    assert second.returncode == 1
    assert "PORT=8001 make run" in second.stderr
    assert server(environ) == running
    assert answers(environ) == "hello"
    code, said = end(process, signal.SIGINT)
    assert (code, said.split()) == (0, ["stopping", "stopped"])
    assert server(environ) is None
    log = max((Path(environ["TANABATA_DATA"]) / "log").glob("*.log")).read_text()
    assert "database system is shut down" in log


def test_after_a_kill_the_next_start_takes_over(environ: dict[str, str]) -> None:
    process = start(environ)
    worker = worker_of(process)
    os.kill(worker, signal.SIGSTOP)  # it must not tidy up behind its parent
    os.killpg(process.pid, signal.SIGKILL)
    os.kill(worker, signal.SIGKILL)
    process.communicate(timeout=30)
    left = server(environ)
    assert left is not None
    process = start(environ)
    assert server(environ) == left
    assert end(process, signal.SIGTERM)[0] == 0
    assert not postmaster.alive(left.pid)


def test_a_killed_server_leaves_no_worker_and_no_database_behind(environ: dict[str, str]) -> None:
    process = start(environ)
    worker = worker_of(process)
    end(process, signal.SIGKILL)  # the worker holds its output, so this waits for it as well
    assert ended(worker)
    assert server(environ) is None


def test_a_killed_worker_is_replaced_and_ends_with_its_server(environ: dict[str, str]) -> None:
    process = start(environ)
    first = worker_of(process)
    os.kill(first, signal.SIGKILL)
    second = worker_of(process, other_than=first)
    code, said = end(process, signal.SIGINT)
    assert (code, "the worker ended with exit code -9; starting it again" in said) == (0, True)
    assert ended(second)
    assert server(environ) is None


def test_doctor_finds_what_is_wrong_and_what_is_sound(environ: dict[str, str]) -> None:
    before = tanabata(environ | {"TANABATA_SCHEMA": "new_city"}, "doctor", "--json")
    wrong = {check["name"]: check for check in json.loads(before.stdout)["checks"] if not check["ok"]}
    assert before.returncode == 1
    assert wrong["migrations at head"]["detail"].endswith("run: tanabata migrate")
    assert tanabata(environ, "migrate").returncode == 0
    found = tanabata(environ, "doctor", "--json")
    report = json.loads(found.stdout)
    assert (found.returncode, report["ok"]) == (0, True), report
    assert [check["name"] for check in report["checks"]] == [
        "python",
        "data folder closed",
        "database reachable",
        "clock",
        "ledger append-only",
        "application role",
        "migrations at head",
    ]
    Path(environ["TANABATA_DATA"]).chmod(0o733)
    opened = tanabata(environ, "doctor")
    assert opened.returncode == 1
    assert "has mode 733: chmod 711 it" in opened.stdout


def test_doctor_names_a_database_that_is_not_there(environ: dict[str, str]) -> None:
    lost = tanabata(environ | {"DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}, "doctor")
    assert lost.returncode == 1
    assert "127.0.0.1:1/c" in lost.stdout


def test_a_bad_setting_is_one_sentence(environ: dict[str, str]) -> None:
    found = tanabata(environ | {"PORT": "http"}, "up")
    assert found.returncode == 1
    assert found.stderr.strip() == "PORT is 'http', but must be a whole number from 1 to 65535"
