"""A city written straight into a lake is the city that is made in memory."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from analytics.evaluation.joined import read_joined
from analytics.frames import FRAMES
from analytics.lake.lake import Lake
from analytics.synthetic.joining_plan import Joining
from analytics.synthetic.plan import CityPlan
from analytics.synthetic.write import write_city
from infra.cli import app
from tests.factories.cities import SMALL, city

SHORT = replace(SMALL, residents=60, use_to=SMALL.use_from + timedelta(days=9), joining=Joining())
"""Ten days are few files."""
AT = datetime(2026, 3, 1, tzinfo=UTC)


def test_what_is_written_is_what_is_made(tmp_path: Path) -> None:
    heard: list[float] = []
    truth, sales = write_city(SHORT, np.random.default_rng(1), tmp_path, AT, lambda _, share: heard.append(share))
    made, lake = city(SHORT), Lake(tmp_path)
    assert truth.plain() == made.truth.plain()
    assert sales is not None and made.sales is not None
    pd.testing.assert_frame_equal(sales, made.sales)
    for name, frame in FRAMES.items():
        key = list(frame.key)
        written, expected = (data.sort_values(key, ignore_index=True) for data in (lake.frame(name), made.frames[name]))
        pd.testing.assert_frame_equal(written, expected)
    assert heard == sorted(heard)
    assert heard[-1] == pytest.approx(1.0)


def test_a_city_of_nobody_is_a_lake_without_deeds(tmp_path: Path) -> None:
    write_city(CityPlan(residents=0), np.random.default_rng(1), tmp_path, AT, lambda *_: None)
    assert Lake(tmp_path).frame("spending").empty


@pytest.mark.long
def test_the_command_leaves_a_lake_and_the_truth_outside_of_it(tmp_path: Path) -> None:
    words = ["simulate", "city", "--payments", "2000", "--seed", "4", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert len(Lake(tmp_path / "lake").frame("spending")) > 1_000
    assert (tmp_path / "truth.json").is_file()
    assert not list((tmp_path / "lake").rglob("*truth*"))
    told = read_joined((tmp_path / "joined.csv").read_bytes())
    assert told.rejected.empty
    assert told.sales["joined_week"].nunique() > 1 and told.sales["joined_week"].isna().any()
    assert not list((tmp_path / "lake").rglob("*joined*"))
    assert CliRunner().invoke(app, words).exit_code == 2


@pytest.mark.parametrize("payments", ["0", "-1", "30000001"])
def test_the_command_refuses_a_size_that_it_cannot_make(payments: str, tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["simulate", "city", f"--payments={payments}", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert "--payments" in result.output
