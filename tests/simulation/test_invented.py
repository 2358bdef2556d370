"""A small invented city gives the same frames both ways: written directly, and lived through the APIs' handlers.

The platform's rows are read twice: by statements of the test's own, which lean on neither the generator nor the
lake, and by a refresh of a lake.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import text

from analytics.lake.lake import Lake
from analytics.lake.refresh import refresh
from analytics.synthetic.city import Sums, add, build_world, close, play
from analytics.synthetic.joining_plan import Joining
from analytics.synthetic.plan import NO_MISDEEDS, CityPlan, Misdeeds
from analytics.synthetic.rows import concatenated, spending_frame
from infra.database.provision import DatabaseHandle
from infra.simulation.invented import live

PLAN = CityPlan(
    residents=20,
    stores=22,
    sold_on=0,
    granted=0.3,
    cancelled=0.05,
    refunded=0.06,
    unit_shares=(0.5, 0.3, 0.2),
    holds_back=0.3,
    lapses=0.02,
    misdeeds=replace(NO_MISDEEDS, refund_loops=1, splits=1),
    coupons=2,
    companions=1,
    joining=Joining(late=0.2, over_weeks=2),
)
SHORT = replace(PLAN, use_to=PLAN.use_from + timedelta(days=20))
CROWD = replace(PLAN, residents=120, stores=40, misdeeds=Misdeeds())

SPENDING = """
SELECT l.deed_id AS deed, l.payment_id AS payment, l.kind, p.wallet_id, s.code AS store, o.purse, p.mode,
       l.effective_at AS at, sum(a.paid_yen)::bigint AS paid_yen, sum(a.premium_yen)::bigint AS premium_yen,
       (l.kind = 'payment' AND p.balance_after_yen = 0) AS emptied
  FROM payment_leg l JOIN payment_allocation a ON a.leg_id = l.id JOIN lot o ON o.id = a.lot_id
  JOIN payment p ON p.id = l.payment_id JOIN store s ON s.id = l.store_id
 GROUP BY l.id, p.id, s.code, o.purse
"""
LOTS = """
SELECT wallet_id, purse, origin, issued_at AS at, usable_from, expires_at,
       paid_issued_yen AS paid_yen, premium_issued_yen AS premium_yen FROM lot
"""
LAPSED = """
SELECT e.wallet_id, o.purse, e.expired_at AS at, e.paid_yen, e.premium_yen
  FROM expiry e JOIN lot o ON o.id = e.lot_id
"""
WALLETS = "SELECT id AS wallet_id, opened_at FROM wallet"


@dataclass(frozen=True)
class BothWays:
    """The frames as they were made, and the platform's rows with residents and stores renamed to match."""

    made: dict[str, pd.DataFrame]
    rows: dict[str, pd.DataFrame]
    stores: dict[str, str]
    """The platform's code of a store to the plan's."""


async def both_ways(handle: DatabaseHandle, plan: CityPlan) -> BothWays:
    rng = np.random.default_rng(5)
    world, sums = build_world(plan, rng), Sums()
    (part,) = play(world, rng)
    add(world, rng, part, sums)
    made, _ = close(world, rng, sums)
    made["spending"] = spending_frame(plan, world.people, world.places, concatenated(sums.spent))
    lived = await live(handle, world, part, 5, lambda _words, _yen: None)
    wallets = dict(zip(lived.wallets, world.people.number.tolist(), strict=True))
    stores = dict(zip(lived.stores, world.places.codes, strict=True))
    return BothWays(made, await _read(handle, wallets, stores), stores)


async def _read(handle: DatabaseHandle, wallets: dict[Any, int], stores: dict[str, str]) -> dict[str, pd.DataFrame]:
    rows = {}
    engine = handle.migrator_engine(pool_size=1)
    try:
        async with engine.connect() as connection:
            for name, statement in (("spending", SPENDING), ("lots", LOTS), ("lapsed", LAPSED), ("residents", WALLETS)):
                found = pd.DataFrame((await connection.execute(text(statement))).mappings().all())
                found["resident"] = found.pop("wallet_id").map(wallets)
                rows[name] = found
    finally:
        await engine.dispose()
    rows["spending"]["store"] = rows["spending"]["store"].map(stores)
    return rows


def _same(made: pd.DataFrame, rows: pd.DataFrame, columns: list[str]) -> None:
    """The same rows in these columns, instants as instants, whatever their order."""
    left, right = (_plain(data[columns]).sort_values(columns, ignore_index=True) for data in (made, rows))
    pd.testing.assert_frame_equal(left, right, check_dtype=False)


def _plain(data: pd.DataFrame) -> pd.DataFrame:
    instants = [name for name in data.columns if name == "at" or name.endswith(("_at", "_from"))]
    seconds = {
        name: pd.to_datetime(data[name], utc=True).dt.tz_convert("Asia/Tokyo").dt.as_unit("us") for name in instants
    }
    return data.assign(**seconds)


def _must_agree(found: BothWays) -> None:
    spending = found.rows["spending"]
    _same(
        found.made["spending"],
        spending.assign(
            **{
                part: spending[part].where(spending["kind"] == "payment", -spending[part])
                for part in ("paid_yen", "premium_yen")
            }
        ),
        ["resident", "at", "store", "purse", "kind", "mode", "paid_yen", "premium_yen", "emptied"],
    )
    _same(
        found.made["lots"],
        found.rows["lots"],
        ["resident", "purse", "origin", "at", "usable_from", "expires_at", "paid_yen", "premium_yen"],
    )
    joined = pd.to_datetime(found.rows["residents"]["opened_at"], utc=True).dt.tz_convert("Asia/Tokyo")
    lived = found.rows["residents"].assign(joined_day=joined.dt.tz_localize(None).dt.normalize().dt.as_unit("us"))
    _same(found.made["residents"], lived, ["resident", "joined_day"])
    lapsed = ["resident", "purse", "paid_yen", "premium_yen"]
    _same(found.made["expiries"], found.rows["lapsed"], lapsed)


def _by_person(data: pd.DataFrame, columns: list[str]) -> list[list[tuple[object, ...]]]:
    """What each did, as sorted rows, without saying who it was: a lake's pseudonyms are its own."""
    return sorted(sorted(each[columns].itertuples(index=False, name=None)) for _, each in data.groupby("resident"))


async def _the_lake_must_agree(handle: DatabaseHandle, found: BothWays, root: Path) -> None:
    """The same rows for the same people once more, by the lake's own way of reading the platform."""
    await asyncio.to_thread(refresh, root, handle.insight_uri(), end=SHORT.use_to + timedelta(days=3))
    with Lake(root) as lake:
        lived = {name: lake.frame(name) for name in ("spending", "lots", "expiries", "stores")}
    for name in ("spending", "stores"):
        lived[name] = lived[name].assign(store=lived[name]["store"].map(found.stores))
    parts = ["paid_yen", "premium_yen"]
    for name, columns in {
        "spending": ["at", "day", "store", "purse", "kind", "mode", "amount_yen", *parts, "emptied"],
        "lots": ["at", "day", "purse", "origin", "usable_from", "expires_at", *parts],
        "expiries": ["day", "purse", *parts],
    }.items():
        assert _by_person(lived[name], columns) == _by_person(found.made[name], columns), name
    known = ["store", "store_class", "category"]
    assert sorted(lived["stores"][known].values.tolist()) == sorted(found.made["stores"][known].values.tolist())
    late = [_late(data["stores"]) for data in (lived, found.made)]
    assert late[0] == late[1]
    assert len(late[0]) >= 2, "some stores joined while points were used, and were paid at"
    assert set(late[0]) & set(lived["spending"]["store"])


def _late(stores: pd.DataFrame) -> dict[str, pd.Timestamp]:
    """Stores that joined after the first day of use, and the day from which they are in the frame."""
    after = stores[stores["from_day"] > pd.Timestamp(PLAN.use_from)]
    return dict(zip(after["store"], after["from_day"], strict=True))


async def test_a_small_city_gives_the_same_frames_written_and_lived(database: DatabaseHandle, tmp_path: Path) -> None:
    found = await both_ways(database, SHORT)
    kinds = found.made["spending"]["kind"].value_counts()
    assert kinds["payment"] > 200
    assert kinds["cancel"] > 0
    assert kinds["refund"] > 0
    assert set(found.made["spending"]["purse"]) == {"small", "common"}
    assert {"purchase", "grant"} == set(found.made["lots"]["origin"])
    assert not found.made["expiries"].empty
    _must_agree(found)
    await _the_lake_must_agree(database, found, tmp_path / "lake")


@pytest.mark.long
async def test_a_larger_city_with_every_misdeed_does_so_too(database: DatabaseHandle) -> None:
    _must_agree(await both_ways(database, CROWD))
