"""Whatever is found in the lake's folder, a refresh makes of it the lake that it would have made of nothing."""

import errno
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from shutil import copytree, rmtree
from typing import Any

import pytest
from adbc_driver_postgresql import dbapi
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.lake.lake import Lake
from analytics.lake.manifest import MANIFEST, LakeMissing, LakeSourceLost, read_manifest
from analytics.lake.refresh import refresh
from analytics.lake.views import open_views
from analytics.lake.write import LakeUnwritable
from tests.analytics.hand import april
from tests.analytics.lake.conftest import Refresh, total
from tests.town import Town

Harm = Callable[[Path], None]


def part(root: Path, place: int = 0, frame: str = "spending") -> Path:
    return root / read_manifest(root).parts(frame)[place].file


def folder_instead(path: Path) -> None:
    path.unlink()
    (path / "within").mkdir(parents=True)


def swapped(root: Path) -> None:
    one, other = part(root, 0), part(root, 1)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def linked(root: Path) -> None:
    one, other = part(root, 0), part(root, 1)
    one.unlink()
    one.symlink_to(other)


def file_instead_of_a_frame(root: Path) -> None:
    rmtree(root / "residents")
    (root / "residents").write_text("no folder")


def strangers(root: Path) -> None:
    (root / "spending" / "day=2026-04-06" / "within").mkdir(parents=True)
    (root / "spending" / ".hidden").write_text("not ours")
    (root / "manifest.json.1.unfinished").write_text("half")


def rewritten(change: Callable[[dict[str, Any]], object]) -> Harm:
    def harm(root: Path) -> None:
        manifest = json.loads((root / MANIFEST).read_text())
        change(manifest)
        (root / MANIFEST).write_text(json.dumps(manifest))

    return harm


HARMS: dict[str, Harm] = {
    "a folder in the place of a day": lambda root: folder_instead(part(root)),
    "a folder in the place of the manifest": lambda root: folder_instead(root / MANIFEST),
    "a folder in the place of the manifest before": lambda root: folder_instead(root / "previous.json"),
    "a file in the place of a frame": file_instead_of_a_frame,
    "two days in each other's place": swapped,
    "a link to another day": linked,
    "what is not ours": strangers,
    "a day struck out": rewritten(lambda manifest: manifest["frames"]["spending"].pop(0)),
    "a frame struck out": rewritten(lambda manifest: manifest["frames"].pop("lots")),
    "sums altered": rewritten(lambda manifest: manifest["frames"]["lots"][0]["sums"].update(paid_yen=1)),
    "marks that say nothing": rewritten(lambda manifest: manifest.update(seal=None, marks={"horizon": "{", "end": ""})),
    "an end that is no day": rewritten(lambda manifest: (manifest.pop("seal"), manifest["marks"].update(end="never"))),
}


async def test_a_harmed_folder_becomes_the_lake_that_it_was(engine: AsyncEngine, root: Path, again: Refresh) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    for _ in range(3):
        await town.pay(who, shop, 500)
        town.wait(days=1)
    await again(april(8))
    await again(april(10))
    whole, kept = read_manifest(root).frames, root.with_name("kept")
    copytree(root, kept)
    for name, harm in HARMS.items():
        rmtree(root)
        copytree(kept, root)
        harm(root)
        await again(april(10))
        assert read_manifest(root).frames == whole, name
        Lake(root, deep=True).close()
        named = {part.file for each in whole.values() for part in each}
        assert {f"{path.parent.name}/{path.name}" for path in root.glob("*/*")} == named, name
        assert not list(root.glob("*.unfinished")), name


async def test_a_day_that_was_struck_out_of_the_manifest_is_not_read_past(
    engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await town.pay(who, shop, 500)
    await again(april(8))
    HARMS["a day struck out"](root)
    with pytest.raises(LakeMissing):
        Lake(root)
    rewritten(lambda manifest: manifest.pop("seal"))(root)
    assert total(root, "sales") == 0, "a manifest of an older writer has no seal, and is believed"


async def test_a_full_disk_is_told_and_the_lake_stays_as_it_was(
    engine: AsyncEngine, root: Path, again: Refresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await again(april(7))
    before = read_manifest(root)
    await town.pay(who, shop, 500)

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("analytics.lake.write.os.fsync", full)
        with pytest.raises(LakeUnwritable) as refused:
            await again(april(7), anew=True)
    assert refused.value.params == {"problem": "No space left on device"}
    assert read_manifest(root) == before
    assert not list(root.rglob("*.unfinished"))
    await again(april(7), anew=True)
    assert total(root, "sales") == 500


async def test_where_no_folder_can_be_made_a_refresh_says_so(root: Path, again: Refresh) -> None:
    root.write_text("a file")
    with pytest.raises(LakeUnwritable):
        await again(april(7))


@pytest.mark.parametrize("connections", [1, 2])
async def test_a_database_that_goes_away_meanwhile_is_told_and_the_lake_stays_as_it_was(
    engine: AsyncEngine, root: Path, again: Refresh, connections: int
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    await again(april(7))
    before = read_manifest(root)
    await town.pay(who, shop, 500)
    town.wait(days=12)
    await town.pay(who, shop, 600)
    serving: list[int] = []

    def lose(done: int, _: int) -> None:
        if done == 2:
            os.kill(serving[-1], signal.SIGTERM)  # `kill -9` would take the other tests' server along

    with pytest.raises(LakeSourceLost) as refused:
        await again(april(19), anew=True, connections=connections, told=lose, opened=lambda pid, _: serving.append(pid))
    assert refused.value.params == {}
    assert refused.value.__cause__ is None
    assert read_manifest(root) == before
    await again(april(19), anew=True)
    assert total(root, "sales") == 1_100


async def test_a_database_that_is_not_there_is_told(root: Path) -> None:
    with pytest.raises(LakeSourceLost):
        refresh(root, "postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(LakeMissing):
        read_manifest(root)


async def test_what_the_database_refuses_is_no_lost_connection(uri: str) -> None:
    with pytest.raises(dbapi.Error) as refused, open_views(uri) as views:
        views.ask("SELECT nothing FROM nowhere")
    assert refused.value.sqlstate == "42P01"
