"""Who had two wallets is one resident of the lake, before and after, and every lot is there once."""

import asyncio
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.forecast.unused import Wallets, days_of, in_order
from analytics.lake.lake import Lake
from analytics.lake.live import open_live
from analytics.lake.manifest import read_manifest
from analytics.lake.refresh import refresh
from analytics.lake.views import open_views
from analytics.measures.ask import ask as measured
from analytics.measures.question import Question
from services.wallets.open import RegisterDevice, register_device
from tests.analytics.hand import april
from tests.analytics.lake.conftest import Refresh, total
from tests.http_town import HttpTown, done
from tests.merging.two_wallets import ask, two_wallets
from tests.town import NOON

FAR = date(2026, 12, 1)


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    town = HttpTown(engine)
    await town.programme()
    return town


def files(root: Path) -> dict[str, list[str]]:
    """A file's name tells what it holds."""
    return {name: [part.file for part in parts] for name, parts in read_manifest(root).frames.items()}


def left(root: Path, day: date) -> int:
    """What forecasts take for unused at the end of a day, lot by lot."""
    with Lake(root) as lake:
        ordered = in_order(lake.frame("lots"))
        on = np.full(len(ordered), days_of(pd.Series([pd.Timestamp(day)]))[0])
        return int(Wallets(ordered, lake.frame("spending"), lake.frame("expiries")).unused(on).sum())


async def test_a_merge_is_read_into_days_that_the_lake_already_had(
    town: HttpTown, root: Path, uri: str, tmp_path: Path, again: Refresh
) -> None:
    two = await two_wallets(town)
    town.wait(days=1)
    paid = await town.pay(two.other, two.shop, 1_500)
    await town.pay(two.kept, two.shop, 700)
    await again(april(8))
    assert total(root, "active_residents") == total(root, "buyers") == 2
    before = files(root)
    town.go_to(NOON.replace(day=20))
    await two.merge()
    await town.pay(two.kept, two.shop, 15_000)
    await town.refund(two.shop, paid, 300)

    def live() -> set[int]:
        with open_live(root, uri) as lake:
            return {measured(lake, Question(name))["value"].item() for name in ("active_residents", "buyers")}

    assert await asyncio.to_thread(live) == {1}, "today knows it before the lake does"
    await again(april(21))
    assert total(root, "active_residents") == total(root, "buyers") == 1
    assert set(before["spending"]).isdisjoint(files(root)["spending"])
    await asyncio.to_thread(refresh, tmp_path / "new", uri, end=april(21))
    assert files(root) == files(tmp_path / "new")
    assert (await again(april(21))).parts == 0, "nothing is left to read again"


async def test_what_moved_is_spent_and_lapses_as_the_lot_that_was_issued(
    town: HttpTown, root: Path, again: Refresh
) -> None:
    two = await two_wallets(town)
    third = await town.resident()
    await town.pay(two.other, two.shop, 1_500)
    await two.merge()
    await town.pay(two.kept, two.shop, 2_000)
    await two.approve(done(await ask(town, two.kept, third), 201))
    await town.pay(third, two.shop, 3_000)
    remaining = 26_000 - 1_500 - 2_000 - 3_000
    await again(april(7))
    assert left(root, april(6)) == remaining == total(root, "remaining")
    town.go_to(NOON.replace(month=10))
    await town.expire()
    await again(FAR)
    assert left(root, date(2026, 9, 29)) == remaining == total(root, "expired")
    with Lake(root) as lake:
        lots, expiries, residents = (lake.frame(name) for name in ("lots", "expiries", "residents"))
    assert len(expiries) > 1
    assert set(expiries["lot"]) <= set(lots["lot"])
    assert len(residents) == len(lots["resident"].unique()) == 1
    await town.must_prove()


async def test_a_person_with_two_wallets_joined_with_the_first(town: HttpTown, root: Path, again: Refresh) -> None:
    two = await two_wallets(town, kept=0, other=0)
    town.wait(days=3)
    third = await town.resident()
    await two.approve(done(await ask(town, two.kept, third), 201))
    await again(april(10))
    with Lake(root) as lake:
        assert sorted(lake.frame("residents")["joined_day"].dt.day) == [6, 6]


async def test_one_persons_phone_on_both_wallets_is_nobody_elses(town: HttpTown, uri: str) -> None:
    two = await two_wallets(town)
    jwk = two.other.phone.public_jwk()
    await town.do(register_device, RegisterDevice(two.kept.wallet.id, two.kept.account_id, "my phone", jwk))

    def means() -> int:
        with open_views(uri) as views:
            return int(views.rows("means").num_rows)

    assert await asyncio.to_thread(means) == 2
    await two.merge()
    assert await asyncio.to_thread(means) == 0
