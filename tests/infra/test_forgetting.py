"""What is over is forgotten after its time, in batches; nothing younger goes, whatever the program says."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.forgetting import forget_what_is_over
from infra.worker import unheard
from services.identity.forget_sign_ins import forget_sign_ins
from services.kit.forgetting import BATCH
from tests.town import Resident, Town

OVER = datetime(2001, 4, 1, tzinfo=UTC)
"""When everything that is laid down here could be used for the last time."""
FAR = datetime(2099, 1, 1, tzinfo=UTC)
KEPT_DAYS = {
    "session": 90,
    "sign_in_code": 7,
    "sign_in_attempt": 7,
    "passkey_challenge": 7,
    "password_tries": 7,
    "notice_count": 7,
    "care_code": 7,
    "care_tries": 7,
    "paid_lately": 7,
}
ROWS = (
    "INSERT INTO session (id, account_id, carrier, client, family_hash, turn_hash, opened_at, refreshed_at,"
    " expires_at, latest_at) VALUES (gen_random_uuid(), :account, 'bearer', 'x', '', '', :at, :at, :at, :at)",
    "INSERT INTO sign_in_code (id, phone, code_mac, sent_at, expires_at, tries_left)"
    " VALUES (gen_random_uuid(), '+819012345678', '', :at, :at, 5)",
    "INSERT INTO sign_in_attempt (id, account_id, began_at, expires_at) VALUES (gen_random_uuid(), :account, :at, :at)",
    "INSERT INTO passkey_challenge (id, purpose, challenge, expires_at) VALUES (gen_random_uuid(), 'sign_in', '', :at)",
    "INSERT INTO password_tries (email, window_began_at, tries) VALUES (gen_random_uuid()::text, :at, 1)",
    "INSERT INTO notice_count (account_id, about, window_began_at, sent) VALUES (:account, :about, :at, 1)",
    "INSERT INTO care_code (id, mac, cared_for_id, given_by, words, carer_name, expires_at)"
    " VALUES (gen_random_uuid(), convert_to(:about, 'UTF8'), :person, :account, 'x', 'x', :at)",
    "INSERT INTO care_tries (account_id, window_began_at, tries) VALUES (:account, :at, 1)",
    "INSERT INTO paid_lately (wallet_id, began_at, payments, paid_yen, most_payments, most_yen)"
    " VALUES (gen_random_uuid(), :at, 1, 1, 1, 1)",
)


@pytest.fixture
async def town(engine: AsyncEngine) -> Town:
    return Town(engine)


async def lay_down(town: Town, who: Resident, at: datetime, about: str) -> None:
    """A row of each table that was over at that instant, about a resident."""
    values = {"account": who.account_id, "person": who.wallet.person_id, "at": at, "about": about}
    async with town.database.engine.begin() as connection:
        for statement in ROWS:
            named = {key: value for key, value in values.items() if f":{key}" in statement}
            await connection.execute(text(statement), named)


async def counts(town: Town) -> dict[str, int]:
    async with town.database.engine.begin() as connection:
        return {
            table: (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() for table in KEPT_DAYS
        }


async def test_what_is_over_is_forgotten_after_its_days_and_no_earlier(town: Town) -> None:
    heard: list[int] = []
    old, young = await town.resident(), await town.resident()
    town.go_to(FAR)
    await forget_what_is_over(town.database, unheard)  # by what they signed in, in the town's own time
    await lay_down(town, old, OVER, "sign_in")
    await lay_down(town, young, datetime.now(UTC), "end")
    before = await counts(town)
    for days in sorted(set(KEPT_DAYS.values())):
        town.go_to(OVER + timedelta(days=days, microseconds=-1))
        assert await forget_what_is_over(town.database, heard.append) == 0
        town.go_to(OVER + timedelta(days=days))
        due = sum(kept == days for kept in KEPT_DAYS.values())
        assert await forget_what_is_over(town.database, heard.append) == due
    assert sum(heard) == len(KEPT_DAYS)
    assert await counts(town) == {table: count - 1 for table, count in before.items()}
    town.go_to(FAR)
    assert await forget_what_is_over(town.database, heard.append) == 0, "the database's own clock decides"


async def test_a_batch_is_a_transaction_and_no_larger_than_it_may_be(town: Town) -> None:
    many = "INSERT INTO password_tries SELECT 'a' || n, :at, 1 FROM generate_series(1, :rows) n"
    async with town.database.engine.begin() as connection:
        await connection.execute(text(many), {"at": OVER, "rows": BATCH + 2})
    town.go_to(OVER + timedelta(days=7))
    assert await town.do(forget_sign_ins, 10 * BATCH) == BATCH
    assert await town.do(forget_sign_ins, 1) == 1
    assert await town.do(forget_sign_ins, BATCH) == 1
    assert await town.do(forget_sign_ins, BATCH) == 0
