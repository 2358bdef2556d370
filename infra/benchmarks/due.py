"""What is due in a benchmark's town: a million payments for one close, lots of a programme that is over."""

from datetime import timedelta

from infra.benchmarks import checks, tables
from infra.benchmarks.pattern import APPROVER, OFFICER
from infra.database.connect import JOBS
from infra.database.provision import DatabaseHandle
from infra.scenarios.hiratsuka import SPLIT, terms
from infra.timekeeping import offset_of
from services.campaigns.draft import Propose, create
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import Period
from services.kit.clock import OffsetClock, SetClock, civil_date, start_of
from services.kit.db import Database, Tx
from services.kit.ids import SecretEntropy, uuid7
from services.settlement.calendar import cutoff_instant
from services.settlement.due import DueClosing, closings_due
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine

MOST_CLOSINGS = 1_000
OVER = "festival"
"""A programme of twenty days whose last one was yesterday."""

OVER_DAYS = 20
BEFORE_DAYS = 31
"""The history begins within so many days before its first closing day."""
LINES = 10_000
POINTS = 100


async def closings(database: Database) -> tuple[DueClosing, ...]:
    """Every closing that is due."""

    async def ask(tx: Tx, limit: int) -> tuple[DueClosing, ...]:
        return await closings_due(tx, limit)

    return await database.transact(ask, MOST_CLOSINGS)


async def one_close_for_all(handle: DatabaseHandle) -> None:
    """Leave one closing due, which claims the whole history.

    The days before it are closed as if each had ended before the first deed, and nothing had come late to them.
    """
    engine = handle.app_engine(pool_size=1, limits=JOBS)
    try:
        database = Database(engine, OffsetClock(await offset_of(engine)), SecretEntropy())
        *earlier, _ = await closings(database)
    finally:
        await engine.dispose()
    rows = [
        {
            "id": uuid7(cutoff_instant(each.closing_date), SecretEntropy()),
            "programme_id": each.programme_id,
            "closing_date": each.closing_date,
            "cutoff_at": cutoff_instant(earlier[0].closing_date - timedelta(days=BEFORE_DAYS)),
            "transfer_date": each.closing_date + timedelta(days=7),
        }
        for each in earlier
    ]
    async with checks.owner(handle) as connection:
        await tables.close_without_deeds(connection, rows)


async def lots_that_expired(handle: DatabaseHandle, lots: int, payers: int) -> None:
    """Grant lots in both purses of a programme that was over at the last midnight, to as many people as it takes."""
    async with checks.owner(handle) as connection:
        numbers = await tables.wallet_numbers(connection, min(payers, -(-lots // len(SPLIT))))
    engine = handle.app_engine(pool_size=1, limits=JOBS)
    try:
        today = civil_date(OffsetClock(await offset_of(engine)).now())
        days = Period(today - timedelta(days=OVER_DAYS), today - timedelta(days=1))
        clock = SetClock(start_of(days.first) - timedelta(days=1))
        database = Database(engine, clock, SecretEntropy())
        given = terms(name="お祭りポイント", sale=days, use=days, stock_units=1, purses=SPLIT)
        proposed = await database.transact(create, Propose(OVER, given, "a benchmark", OFFICER))
        await database.transact(approve, Approve(OVER, proposed.version, proposed.fingerprint, APPROVER))
        clock.set(start_of(days.first) + timedelta(hours=12))
        left = lots
        for purse in SPLIT:
            for start in range(0, min(left, len(numbers)), LINES):
                some = numbers[start : start + min(LINES, left)]
                lines = tuple(GrantLine(line, number, POINTS) for line, number in enumerate(some, start=2))
                await database.transact(grant, Grant(OVER, purse.code, "a benchmark", OFFICER, lines))
                left -= len(some)
    finally:
        await engine.dispose()
    async with checks.owner(handle) as connection:
        await tables.analyse(connection)
