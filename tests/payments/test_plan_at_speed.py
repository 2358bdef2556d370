"""The short cut looks everything up by a key, also in a town in which nobody has paid yet.

Its plans are kept. One that reads a whole table costs nothing on an empty one, and on the first busy day as much as
there is in it, for every batch.
"""

import re

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.payments.tables import at_speed
from tests.town import Town

SETTINGS = re.compile(r"SET (\w+) = (\w+)")


@pytest.mark.parametrize("name", at_speed.FUNCTIONS)
async def test_no_plan_reads_a_whole_table(engine: AsyncEngine, migrator_engine: AsyncEngine, name: str) -> None:
    town = Town(engine)
    await town.programme()
    for _ in range(8):
        await town.buy(await town.resident())
        await town.shop()
    function = at_speed.FUNCTIONS[name]
    kinds = [*re.findall(r"\(([^)]*)\)", function)[0].split(", "), "uuid[]"]
    statement = function.split("RETURN QUERY")[1].rsplit(";", 2)[0].replace("(free)", f"(${len(kinds)})")
    settings = SETTINGS.findall(function.split("AS $function$")[0])
    assert len(settings) == 4
    async with migrator_engine.connect() as connection:
        await connection.exec_driver_sql("ANALYZE")
        for setting, value in settings:
            await connection.exec_driver_sql(f"SET LOCAL {setting} = {value}")
        await connection.exec_driver_sql(f"PREPARE it ({', '.join(kinds)}) AS {statement}")
        nothing = ", ".join(["NULL"] * len(kinds))
        plan = [row[0] for row in await connection.exec_driver_sql(f"EXPLAIN EXECUTE it ({nothing})")]
    scans = [line for line in plan if re.search(r"\b(Seq|Index|Index Only|Bitmap Heap) Scan\b", line)]
    assert len(scans) >= 12
    found = "\n".join(plan)
    assert "Seq Scan" not in found
    assert "hashed" not in found
    for before, after in zip(plan, [*plan[1:], ""], strict=True):
        if "Index" in before and "Scan" in before and "ix_merchant_not_active" not in before:
            assert "Index Cond" in after, before
