"""A lake gives back what was written into it, and says clearly when it cannot."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from analytics.frames import FRAMES, FrameUnfit
from analytics.lake.lake import InMemory, Lake
from analytics.lake.manifest import MANIFEST, LakeCorrupt, LakeMissing, read_manifest
from analytics.lake.write import RowsRepeated, publish, remove, write_frames
from analytics.measures.ask import ask
from analytics.measures.question import Question
from tests.analytics.hand import april, frame, on

NOW = datetime(2026, 4, 10, tzinfo=UTC)
FRAMES_BY_HAND = {
    "spending": frame("spending", [{"at": on(6, 23, 59)}, {"at": on(7, 0, 0), "amount_yen": 7}]),
    "stores": frame("stores", [{}]),
    "lots": frame("lots", []),
}


def test_what_was_written_is_read_to_the_instant(tmp_path: Path) -> None:
    write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    with Lake(tmp_path) as lake:
        assert lake.refreshed_at == NOW
        for name, written in FRAMES_BY_HAND.items():
            pd.testing.assert_frame_equal(lake.frame(name), written)
        assert lake.frame("expiries").empty
        assert list(lake.frame("spending", april(7), april(7))["amount_yen"]) == [7]


def test_a_lake_and_the_same_frames_in_memory_answer_alike(tmp_path: Path) -> None:
    write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    question = Question("sales", ("day", "hour", "category"))
    with Lake(tmp_path) as lake, InMemory(FRAMES_BY_HAND) as memory:
        pd.testing.assert_frame_equal(ask(lake, question), ask(memory, question))


def test_a_day_is_a_file_and_the_manifest_knows_its_sums(tmp_path: Path) -> None:
    manifest = write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    told = {part.day: (part.rows, part.sums["amount_yen"]) for part in manifest.frames["spending"]}
    assert told == {april(6): (1, 100), april(7): (1, 7)}
    assert read_manifest(tmp_path) == manifest


def test_an_open_lake_stays_as_it_was_when_it_is_written_anew(tmp_path: Path) -> None:
    write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    with Lake(tmp_path) as before:
        write_frames(tmp_path, {"spending": frame("spending", [{"amount_yen": 1}])}, NOW)
        assert ask(before, Question("sales"))["value"].item() == 107
    with Lake(tmp_path) as after:
        assert ask(after, Question("sales"))["value"].item() == 1


def test_where_something_else_stands_in_the_place_of_a_lake_or_its_manifest_there_is_no_lake(tmp_path: Path) -> None:
    (tmp_path / "folder" / MANIFEST).mkdir(parents=True)
    (tmp_path / "file").write_text("no lake")
    for root in (tmp_path / "folder", tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(LakeMissing):
            Lake(root)


def test_files_that_no_manifest_names_any_more_are_removed(tmp_path: Path) -> None:
    first = write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    second = write_frames(tmp_path, {"spending": frame("spending", [{"amount_yen": 1}])}, NOW)
    publish(tmp_path, second)
    left = {path.relative_to(tmp_path).as_posix() for path in tmp_path.glob("spending/*")}
    assert left == {part.file for part in second.frames["spending"]}
    assert not left & {part.file for part in first.frames["spending"]}


def test_no_lake_another_version_and_nonsense_are_no_lake(tmp_path: Path) -> None:
    with pytest.raises(LakeMissing):
        Lake(tmp_path)
    write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    manifest = tmp_path / MANIFEST
    written = manifest.read_text()
    for wrong in ("", written[: len(written) // 2], written.replace('"version": 1', '"version": 99')):
        manifest.write_text(wrong)
        with pytest.raises(LakeMissing):
            Lake(tmp_path)


def test_a_file_gone_or_cut_short_is_found_when_the_lake_is_opened(tmp_path: Path) -> None:
    manifest = write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    part = manifest.frames["spending"][0]
    file = tmp_path / part.file
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    with pytest.raises(LakeCorrupt) as refused:
        Lake(tmp_path)
    assert refused.value.params == {"frame": "spending", "part": part.file}
    file.unlink()
    assert part.problem(tmp_path, deep=False) == "missing"
    file.write_bytes(whole[:-9] + b"?" + whole[-8:])
    assert part.problem(tmp_path, deep=False) is None
    assert part.problem(tmp_path, deep=True) == "checksum"


@pytest.mark.parametrize("place", [20, 0.5, -20])
def test_a_file_that_was_altered_is_told_as_such_and_never_as_an_engines_error(tmp_path: Path, place: float) -> None:
    """A bit each in the data, in the middle and in the footer; whoever publishes looks before anything is read."""
    part = write_frames(tmp_path, FRAMES_BY_HAND, NOW).frames["spending"][0]
    file = tmp_path / part.file
    written = bytearray(file.read_bytes())
    written[int(place * len(written)) if place == 0.5 else int(place)] ^= 0xFF
    file.write_bytes(written)
    with pytest.raises(LakeCorrupt) as refused:
        Lake(tmp_path, deep=True)
    assert refused.value.params == {"frame": "spending", "part": part.file}


def test_a_file_that_cannot_be_read_is_damaged_whoever_reads_it(tmp_path: Path) -> None:
    part = write_frames(tmp_path, FRAMES_BY_HAND, NOW).frames["spending"][0]
    file = tmp_path / part.file
    file.write_bytes(b"?" * part.size)
    with Lake(tmp_path) as lake:
        for asked in (partial(lake.frame, "spending"), partial(ask, lake, Question("sales"))):
            with pytest.raises(LakeCorrupt) as refused:
                asked()
            assert refused.value.params == {"frame": "spending", "part": part.file}


def test_two_rows_of_one_key_and_unfit_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RowsRepeated) as refused:
        write_frames(tmp_path, {"spending": frame("spending", [{"deed": 1}, {"deed": 1}])}, NOW)
    assert refused.value.params == {"frame": "spending", "rows": 1}
    with pytest.raises(FrameUnfit):
        write_frames(tmp_path, {"spending": FRAMES["spending"].empty().drop(columns="day")}, NOW)
    with pytest.raises(KeyError, match="phones"):
        write_frames(tmp_path, {"phones": pd.DataFrame()}, NOW)
    assert not (tmp_path / MANIFEST).exists()


def test_a_lake_that_was_removed_is_gone(tmp_path: Path) -> None:
    write_frames(tmp_path, FRAMES_BY_HAND, NOW)
    remove(tmp_path)
    assert not list(tmp_path.rglob("*.parquet"))
    with pytest.raises(LakeMissing):
        Lake(tmp_path)
