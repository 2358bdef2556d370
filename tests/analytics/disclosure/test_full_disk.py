"""Where the disk is full nothing is published, and nothing half written stays behind."""

from dataclasses import replace
from pathlib import Path

import pytest

from analytics.disclosure.open_data import OpenData, Wish
from analytics.disclosure.package import PackageUnwritable, write_package
from analytics.disclosure.publish import publish
from analytics.disclosure.releases import ReleasesUnwritable, opened
from analytics.lake.lake import InMemory
from tests.analytics.disclosure.conftest import KEY
from tests.analytics.disclosure.test_open_data import NOW, WORDS
from tests.disk import no_file_beyond


def test_half_a_line_in_the_file_of_releases_is_taken_out_again(tmp_path: Path, data: OpenData) -> None:
    ledger = tmp_path / "releases.jsonl"
    first, *others = [table.release for table in data.tables]
    with opened(ledger) as releases:
        releases.add([first], NOW)
    before = ledger.read_bytes()
    with opened(ledger) as releases:
        with no_file_beyond(len(before) + 100), pytest.raises(ReleasesUnwritable) as refused:
            releases.add(others, NOW)
        assert refused.value.params == {"problem": "File too large"}
        assert ledger.read_bytes() == before
        assert len(releases.known) == 1
        releases.add(others, NOW)
    with opened(ledger) as releases:
        assert len(releases.known) == len(data.tables)


def test_a_package_for_which_there_is_no_room_leaves_no_trace_and_costs_no_privacy(
    tmp_path: Path, source: InMemory, wish: Wish
) -> None:
    place = tmp_path / "out"
    place.mkdir()
    with no_file_beyond(700), pytest.raises(PackageUnwritable):
        publish(source, wish, KEY, place / "package", tmp_path / "releases.jsonl", WORDS, NOW)
    assert list(place.iterdir()) == []
    assert (tmp_path / "releases.jsonl").read_bytes() == b""


def test_what_cannot_be_recorded_is_not_published(tmp_path: Path, source: InMemory, wish: Wish, data: OpenData) -> None:
    write_package(tmp_path / "other", data, WORDS, record=lambda: None)
    largest = max(path.stat().st_size for path in (tmp_path / "other").rglob("*") if path.is_file())
    ledger = tmp_path / "releases.jsonl"
    with opened(ledger) as releases:
        known = [replace(data.tables[0].release, programme=f"other-{number}") for number in range(100)]
        releases.add(known, NOW)
    before = ledger.read_bytes()
    assert len(before) > largest
    with no_file_beyond(len(before) + 50), pytest.raises(ReleasesUnwritable):
        publish(source, wish, KEY, tmp_path / "package", ledger, WORDS, NOW)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other", "releases.jsonl"]
    assert ledger.read_bytes() == before


def test_where_no_file_of_releases_can_be_opened_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ReleasesUnwritable), opened(tmp_path / "file" / "releases.jsonl"):
        pass
