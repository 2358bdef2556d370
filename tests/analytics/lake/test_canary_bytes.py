"""Every byte of every file of the lake, and every value in it, looked through for what names people and stores."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.analytics.hand import april
from tests.analytics.lake.conftest import Refresh
from tests.town import Town

PERSONAL = (
    "SELECT unnest(ARRAY[phone, email, name]) FROM account",
    "SELECT unnest(ARRAY[number, holder_kana]) FROM payout_account",
    "SELECT unnest(ARRAY[name, name_latin]) FROM store",
    "SELECT name FROM merchant",
    "SELECT public_jwk ->> 'x' FROM device",
    "SELECT number FROM wallet",
    "SELECT id::text FROM person",
    "SELECT id::text FROM account",
    "SELECT id::text FROM device",
    "SELECT id::text FROM wallet",
)


def spellings(secret: str) -> set[bytes]:
    """A secret as it could lie in a file: as text, without its hyphens, a phone without its country, an id's bytes."""
    plain = {secret, secret.replace("-", ""), secret.removeprefix("+81"), secret.removeprefix("+")}
    found = {each.encode(code) for each in plain for code in ("utf-8", "utf-16-le")}
    if len(secret) == 36 and secret.count("-") == 4:
        found.add(bytes.fromhex(secret.replace("-", "")))
    return found


def contents(root: Path) -> Iterator[tuple[str, bytes]]:
    """Each file as it lies there, and of each Parquet file every value, decoded."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield path.name, path.read_bytes()
        if path.suffix == ".parquet":
            for name, column in pq.read_table(path, partitioning=None).to_pydict().items():
                yield f"{path.name}:{name}", "\n".join(map(str, column)).encode()


def found_in(root: Path, secrets: set[str]) -> set[tuple[str, str]]:
    told = list(contents(root))
    return {
        (secret, place)
        for secret in secrets
        for place, content in told
        if any(spelling in content for spelling in spellings(secret))
    }


async def test_no_byte_of_the_lake_names_a_person_a_phone_a_device_or_an_account(
    engine: AsyncEngine, migrator_engine: AsyncEngine, root: Path, again: Refresh
) -> None:
    town = Town(engine)
    await town.programme()
    shop = await town.shop()
    for _ in range(5):
        who = await town.resident()
        await town.buy(who)
        receipt = await town.pay_store(who, shop, 1_234)
        await town.refund(shop, receipt, 234)
    await again(april(7))
    secrets: set[str] = set()
    async with migrator_engine.connect() as connection:
        for statement in PERSONAL:
            secrets |= {value for value in (await connection.execute(text(statement))).scalars() if value}
    assert len(secrets) > 30
    assert not await asyncio.to_thread(found_in, root, secrets)
    # The search finds what is meant to be there, and a canary that somebody let in.
    assert await asyncio.to_thread(found_in, root, {shop.code})
    (root / "notes.txt").write_text(f"a resident: {min(secrets, key=len)}")
    assert await asyncio.to_thread(found_in, root, {min(secrets, key=len)})
