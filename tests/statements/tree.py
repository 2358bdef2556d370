"""A copy of the project in which a mutant lives, and what its tests say there.

Compiled files are copied with the times of their sources, so that only what a mutant changed is compiled anew, and
none is written: two texts of one length, written within a second, would pass for each other. A test that cannot even
begin (an import that fails, a fixture that breaks) has not failed: a mutant that breaks the program shows nothing of
its guard.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from tests.statements.statement import Mutant

ROOT: Final = Path(__file__).parents[2]
_PARTS = ("analytics", "city_api", "docs", "infra", "locales", "merchant_api", "services", "tests", "wallet_api")
_FILES = ("Makefile", "README.md", "pyproject.toml", "requirements.lock", "requirements-dev.lock")
_LEFT_OUT = shutil.ignore_patterns(".*", "node_modules")
_MOST_SECONDS = 900


class Unclear(Exception):
    """The tests neither passed nor failed; `args` say what pytest said."""


@dataclass(frozen=True)
class Seen:
    """Tests by node id. Named without parameters, a test passes if it does with all of them."""

    passed: frozenset[str]
    failed: frozenset[str]


@contextmanager
def copied() -> Iterator[Path]:
    """A copy of the project, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="tanabata-mutant-") as name:
        copy = Path(name)
        for part in _PARTS:
            shutil.copytree(ROOT / part, copy / part, ignore=_LEFT_OUT)
        for file in _FILES:
            shutil.copy2(ROOT / file, copy / file)
        yield copy


@contextmanager
def mutated(copy: Path, mutant: Mutant) -> Iterator[None]:
    """The copy with a mutant's edits, one after the other; whole again afterwards."""
    before = {copy / edit.file: (copy / edit.file).read_bytes() for edit in mutant.edits}
    try:
        for edit in mutant.edits:
            path = copy / edit.file
            content = path.read_text(encoding="utf-8")
            if content.count(edit.text) != 1:
                raise ValueError(f"{edit.file} does not say exactly once: {edit.text}")
            path.write_text(content.replace(edit.text, edit.by), encoding="utf-8")
        yield
    finally:
        for path, whole in before.items():
            path.write_bytes(whole)


def run(copy: Path, tests: Sequence[str]) -> Seen:
    """What the tests say in the copy. Raises Unclear when one of them could not be tried."""
    report = copy / "report.xml"
    environment = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("PYTEST_ADDOPTS", None)
    for name in [name for name in environment if name.startswith("PYTEST_XDIST")]:
        del environment[name]
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", f"--junitxml={report}"]
    ended = subprocess.run(
        [*command, *tests],
        cwd=copy,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_MOST_SECONDS,
    )
    if ended.returncode not in {0, 1}:
        raise Unclear(ended.stdout[-3_000:] + ended.stderr[-1_000:])
    passed: set[str] = set()
    failed: set[str] = set()
    for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it just now
        if case.find("error") is not None or case.find("skipped") is not None:
            raise Unclear(ended.stdout[-3_000:])
        (passed if case.find("failure") is None else failed).update(_names(case))
    return Seen(frozenset(passed - failed), frozenset(failed))


def _names(case: ElementTree.Element) -> set[str]:
    """A test's node id with its parameters, and without."""
    node = f"{case.attrib['classname'].replace('.', '/')}.py::{case.attrib['name']}"
    return {node, node.partition("[")[0]}
