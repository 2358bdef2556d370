"""`make sbom` lists what an installation runs: every package of the lock, its version, and the hashes it may have."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


def pinned() -> dict[str, tuple[str, set[str]]]:
    """Version and SHA-256 sums of every package that an installation runs."""
    content = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)(.*?)(?=^\S|\Z)", content, re.MULTILINE | re.DOTALL)
    return {
        canonicalize_name(name): (version, set(re.findall("sha256:(\\w{64})", rest))) for name, version, rest in found
    }


def arguments() -> list[str]:
    """What `make sbom` asks of the tool, without where it is written to."""
    recipe = re.search(r"^sbom:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert recipe is not None
    words = shlex.split(recipe[1].replace("\\\n", " "))
    return words[words.index("cyclonedx_py") + 1 : words.index("-o")]


def test_the_bill_of_materials_lists_every_package_of_the_lock_with_its_hashes() -> None:
    """Whether it is CycloneDX in every part is looked at when it is made; that takes long."""
    command = [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", *arguments(), "--no-validate", "-o", "-"]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    listed = {
        canonicalize_name(each["name"]): (
            each["version"],
            {
                sum_["content"]
                for place in each.get("externalReferences", ())
                for sum_ in place.get("hashes", ())
                if sum_["alg"] == "SHA-256"
            },
        )
        for each in json.loads(made.stdout)["components"]
    }
    assert len(listed) > 30
    assert listed == pinned()
    assert all(sums for _, sums in listed.values())
