"""What the analyst's role sees: these views, these columns, and nothing of who anybody is."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from analytics.lake.category import category_of
from analytics.lake.lake import Lake
from analytics.lake.live import open_live
from analytics.lake.packed import PACKED
from analytics.lake.views import APART, COLUMNS, NEAR, Days, open_views
from infra.database.provision import DatabaseHandle
from infra.database.server_files import APP, AUDITOR
from tests.analytics.hand import april
from tests.analytics.lake.conftest import Refresh
from tests.town import Town

VIEWS = {*COLUMNS, *APART, *PACKED, *NEAR, "undone", "wallet_postings", "beginning"}

READABLE = """
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm') AND n.nspname LIKE 'tanabata%' AND has_schema_privilege(:role, n.oid, 'USAGE')
   AND has_any_column_privilege(:role, c.oid, 'SELECT')
"""
WRITABLE = """
SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname LIKE 'tanabata%' AND c.relkind IN ('r', 'p', 'v', 'm')
   AND (has_any_column_privilege('tanabata_analyst', c.oid, 'INSERT, UPDATE')
        OR has_table_privilege('tanabata_analyst', c.oid, 'DELETE, TRUNCATE, TRIGGER'))
"""


async def test_the_analyst_reads_the_views_and_nothing_else(migrator_engine: AsyncEngine) -> None:
    async with migrator_engine.connect() as connection:
        readable = (await connection.execute(text(READABLE), {"role": "tanabata_analyst"})).scalars().all()
        assert set(readable) == {f"tanabata_insight.{view}" for view in VIEWS}
        assert (await connection.execute(text(WRITABLE))).scalars().all() == []
        for role in (APP, AUDITOR):
            others = (await connection.execute(text(READABLE), {"role": role})).scalars().all()
            assert not [name for name in others if name.startswith("tanabata_insight.")]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM tanabata.wallet",
        "SELECT * FROM tanabata_insight.resident",
        "SELECT * FROM tanabata_insight.hash_key",
        "SELECT * FROM tanabata_insight.store_history",
        "CREATE TEMPORARY TABLE mine (x int)",
        "SELECT lo_create(0)",
    ],
)
async def test_the_analyst_s_connection_reads_no_table_and_writes_nothing(uri: str, statement: str) -> None:
    def attempt() -> None:
        with open_views(uri) as views:
            views.ask(statement)

    with pytest.raises(Exception, match=r"permission denied|read-only"):
        await asyncio.to_thread(attempt)


async def test_no_view_has_a_column_that_names_somebody(migrator_engine: AsyncEngine) -> None:
    """Ids are uuids; free text and documents could hold anything. Codes, kinds and what is public are told by name."""
    query = text(
        "SELECT table_name, column_name, data_type FROM information_schema.columns "
        "WHERE table_schema = 'tanabata_insight' AND table_name = ANY(:views)"
    )
    async with migrator_engine.connect() as connection:
        columns = (await connection.execute(query, {"views": sorted(VIEWS)})).all()
    assert {row[2] for row in columns} == {
        "bigint",
        "text",
        "timestamp with time zone",
        "boolean",
        "date",
    }
    texts = {row[1] for row in columns if row[2] == "text"}
    assert texts == {
        *("kind", "store", "programme", "purse", "mode", "origin", "store_class", "mcc", "district", "merchant"),
        *("account", "age_band", "relation"),
        "title",  # of published terms, which everybody reads
    }


async def test_no_name_phone_device_or_account_number_is_anywhere_in_the_lake(
    engine: AsyncEngine, migrator_engine: AsyncEngine, root: Path, uri: str, again: Refresh
) -> None:
    town = Town(engine)
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who)
    receipt = await town.pay(who, shop, 500)
    await again(april(7))
    ids = [who.account_id, who.person_id, who.wallet.id, who.device.id, shop.id, shop.merchant_id, shop.clerk_id]
    ids += [receipt.payment_id]
    canaries = {str(each) for each in ids} | {each.hex for each in ids} | {who.wallet.number, receipt.number}
    async with migrator_engine.connect() as connection:
        secrets = await connection.execute(
            text(
                "SELECT unnest(ARRAY[phone, email, name]) FROM account UNION SELECT unnest(ARRAY[number, holder_kana]) "
                "FROM payout_account UNION SELECT unnest(ARRAY[name, name_latin]) FROM store "
                "UNION SELECT name FROM merchant UNION SELECT public_jwk ->> 'x' FROM device"
            )
        )
        canaries |= {value for value in secrets.scalars() if value}
    assert len(canaries) > 20

    def everything() -> str:
        with open_live(root, uri) as live, Lake(root) as lake:
            told = [each.frame(name).to_csv() for each in (live, lake) for name in COLUMNS]
            assert all(len(each.splitlines()) > 1 for each in told[1::6]), "there is something to look through"
        return "\n".join([*told, (root / "manifest.json").read_text()])

    found = await asyncio.to_thread(everything)
    assert not {canary for canary in canaries if canary in found}
    assert shop.code in found


async def test_numbers_of_residents_cannot_be_computed_from_ids(database: DatabaseHandle, engine: AsyncEngine) -> None:
    """The same town, made from the same entropy in another database, has other numbers for its residents and deeds."""

    async def numbers() -> tuple[set[int], set[int]]:
        def read() -> tuple[set[int], set[int]]:
            with open_views(database.insight_uri()) as views:
                return (
                    set(views.rows("residents")["resident"].to_pylist()),
                    set(views.rows("lots", Days(None, None))["lot"].to_pylist()),
                )

        return await asyncio.to_thread(read)

    town = Town(engine)
    await town.programme()
    people = [await town.resident() for _ in range(3)]
    await town.buy(people[0])
    residents, lots = await numbers()
    assert len(residents) == 3
    assert min(residents) >= 0
    async with database.migrator_engine().connect() as connection:
        unkeyed = await connection.execute(text("SELECT uuid_hash_extended(id, 0) FROM lot"))
        assert not lots & set(unkeyed.scalars())
        hashed = await connection.execute(
            text(
                "SELECT uuid_hash_extended(w.id, s) & 4611686018427387903 FROM wallet w, generate_series(0, 9) s "
                "UNION SELECT uuid_hash_extended(w.id, k.key) FROM wallet w, tanabata_insight.hash_key k"
            )
        )
        assert not residents & set(hashed.scalars())
        await connection.engine.dispose()


async def test_age_and_district_are_told_and_the_day_of_birth_is_not(
    engine: AsyncEngine, migrator_engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town = Town(engine)
    people = [await town.resident() for _ in range(4)]
    years = ["interval '18 years'", "(interval '18 years' - interval '1 day')", "interval '80 years'"]
    async with migrator_engine.begin() as connection:
        await connection.execute(text("INSERT INTO postal_district VALUES ('2540001', '北地区', now())"))
        for who, age, code in zip(people, years, ("2540001", "2540002", None), strict=False):
            born = f"(now() AT TIME ZONE 'Asia/Tokyo')::date - {age}"
            await connection.execute(
                text(
                    "INSERT INTO residency "
                    "(person_id, how, name, name_key, born_on, postal_code, proven_at, proven_by) "
                    f"VALUES (:id, 'counter', 'x', 'x', {born}, :code, now(), :id)"
                ),
                {"id": who.person_id, "code": code},
            )
    await again(april(7))
    with Lake(root) as lake:
        residents = lake.frame("residents")
    told = sorted(zip(residents["age_band"], residents["district"], strict=True))
    assert told == [("0-17", "unknown"), ("18-29", "北地区"), ("80+", "unknown"), ("unknown", "unknown")]


@pytest.mark.parametrize(
    ("mcc", "category"),
    [
        ("5411", "supermarket"),
        ("5499", "convenience"),
        ("5462", "food"),
        ("5812", "restaurant"),
        ("8021", "medical"),
        ("0742", "medical"),
        ("0000", "other"),
        ("9999", "other"),
        ("5812 ", "unknown"),
        ("", "unknown"),
        ("５４１１", "unknown"),
    ],
)
def test_a_category_code_has_one_category(mcc: str, category: str) -> None:
    assert category_of(mcc) == category
