"""The README's walk is executed as it is written, against `tanabata up` as a newcomer starts it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
START_S = 120
WALK_S = 180


def walk() -> str:
    """Every `sh` block of the README, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) > 5
    return "\n".join(blocks)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture
def town(tmp_path: Path) -> Iterator[dict[str, str]]:
    """`tanabata up` in a data folder of its own; the environment in which the walk finds it."""
    tmp_path.chmod(0o711)
    folder = Path("/tmp") / f"tanabata walk {os.getpid()}"  # noqa: S108 - reachable for the database's own user
    shutil.rmtree(folder, ignore_errors=True)
    port = free_port()
    given = {key: value for key, value in os.environ.items() if not key.endswith("DATABASE_URL")}
    environment = given | {"PORT": str(port), "TANABATA_DATA": str(folder)}
    command = [sys.executable, "-m", "infra.cli", "up"]
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            _wait_for(port, server, tmp_path / "server.log")
            yield environment
        finally:
            server.send_signal(signal.SIGINT)
            code = server.wait(60)
            shutil.rmtree(folder, ignore_errors=True)
    assert code == 0, (tmp_path / "server.log").read_text()


def _wait_for(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        assert server.poll() is None, log.read_text()
        with socket.socket() as client:
            client.settimeout(START_S)  # the port is taken first, and answers once the town stands
            if client.connect_ex(("127.0.0.1", port)) == 0:
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                if client.recv(12).endswith(b"200"):
                    return
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def test_the_readme_walk_works_as_written(town: dict[str, str], tmp_path: Path) -> None:
    # The walk is run where its reader stands: beside the project, but leaving nothing behind there.
    (tmp_path / ".venv").symlink_to(Path(sys.prefix), target_is_directory=True)
    done = subprocess.run(
        ["bash", "-c", walk()], cwd=tmp_path, env=town, capture_output=True, text=True, timeout=WALK_S, check=False
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-4_000:]
    assert "clean" in done.stdout
