"""schemathesis over the three documents, signed in as everybody who has a token: all its checks, no finding."""

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from infra.access.callers import CALLERS
from services.identity.tokens import Audience
from tests.access.ground import Ground
from tests.fuzz.serving import Served, served

ST = Path(sys.executable).parent / "st"
CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = 7
ENDS = "/(sign-out|end|lost-phone)$"
"""What ends a session, also a printed code that one answer told and another request shows. A fuzzer that is let near
it is nobody from then on, so it goes there by itself."""
SAMPLE = [("wallet", "resident"), ("merchant", "owner"), ("city", "officer")]
ALL = [
    *SAMPLE,
    ("wallet", "nobody"),
    ("wallet", "neighbour"),
    ("wallet", "carer"),
    ("wallet", "closed resident"),
    ("wallet", "clerk"),
    ("merchant", "nobody"),
    ("merchant", "manager"),
    ("merchant", "clerk"),
    ("merchant", "stranger"),
    ("merchant", "removed clerk"),
    ("merchant", "closed clerk"),
    ("merchant", "owner by PIN"),
    ("merchant", "stranger by PIN"),
    ("merchant", "officer"),
    ("city", "nobody"),
    ("city", "approver"),
    ("city", "auditor"),
    ("city", "analyst"),
    ("city", "call centre"),
    ("city", "closed officer"),
    ("city", "former officer"),
    ("city", "resident"),
]
"""Every caller at their own door, and some at another's; `test_nobody_is_left_out` holds the first."""


def run(town: Served, api: str, who: str, folder: Path, *options: str) -> str:
    """The whole report of a run that found something; empty if it found nothing."""
    token = town.token(who)
    words = ["--config-file", str(CONFIG), "run", f"{town.base}/api/{api}/v1/openapi.json", f"--seed={SEED}"]
    words += ["--checks=all", "--continue-on-failure", "--no-color", *options]
    if token is not None:
        words += ["--header", f"Authorization: Bearer {token}"]
    done = subprocess.run([ST, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert "Tested:" in done.stdout, done.stdout + done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr


def nothing_found(report: str) -> None:
    """Fail with the whole report, which an assertion would cut short."""
    if report:
        pytest.fail(report, pytrace=False)


def is_signed_in(town: Served, api: str, who: str) -> bool:
    headers = {"authorization": f"Bearer {town.token(who)}"}
    return httpx.get(f"{town.base}/api/{api}/v1/sessions", headers=headers, timeout=30).is_success


def test_nobody_is_left_out() -> None:
    doors = {audience: audience.value.removeprefix("tanabata-") for audience in Audience}
    assert {(doors[each.audience], each.name) for each in CALLERS if each.audience is not None} <= set(ALL)


@pytest.mark.parametrize(("api", "who"), SAMPLE)
def test_a_sample_finds_nothing(ground: Ground, tmp_path: Path, api: str, who: str) -> None:
    options = ("--phases=examples,fuzzing,stateful", "--max-examples=4")
    with served(ground) as town:
        nothing_found(run(town, api, who, tmp_path, *options, f"--exclude-path-regex={ENDS}"))
        assert is_signed_in(town, api, who), "the fuzzer was nobody in the end"
        nothing_found(run(town, api, who, tmp_path, *options, f"--include-path-regex={ENDS}"))


@pytest.mark.long
@pytest.mark.parametrize(("api", "who"), ALL)
def test_every_phase_as_everybody_finds_nothing(ground: Ground, tmp_path: Path, api: str, who: str) -> None:
    with served(ground) as town:
        for part in ("exclude", "include"):
            nothing_found(run(town, api, who, tmp_path, "--max-examples=100", f"--{part}-path-regex={ENDS}"))
