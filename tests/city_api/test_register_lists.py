"""A register's list with doubled and broken rows, over HTTP: each told at its place, nobody's name repeated."""

from sqlalchemy.ext.asyncio import AsyncEngine

import locales
from services.identity.people import Role
from tests.factories.rows import unchanged
from tests.http_town import HttpTown, done, problem

HEADER = "reference,name,kana,birth_date,postal_code\n"
RIGHT = "A001,星野 光,ホシノ ヒカル,1960-07-07,254-0045\n"
WRONG = (
    "A001,鈴木 一,スズキ ハジメ,1990-01-01,254-0043\n"  # 3: the reference again
    "A002,星野光,ホシノ ヒカル,1960-07-07,2540045\n"  # 4: the person again
    "A003,月野 花,ツキノ ハナ,1985-02-30,254-0045\n"  # 5: no such day
    "A004,月野 花,ツキノ ハナ,1985-02-28\n"  # 6: too few cells
    "A005,月野 花,ツキノ ハナ,1985-02-28,２５４−００４５\n"  # right: full width, and a dash of a typesetter's
)
FOUND = [
    {"line": 3, "column": 1, "code": "reference_repeated", "other_line": 2},
    {"line": 4, "column": 2, "code": "person_repeated", "other_line": 2},
    {"line": 5, "column": 4, "code": "birth_date_wrong"},
    {"line": 6, "column": 5, "code": "cells_wrong"},
]


async def test_every_doubled_and_broken_row_is_named_nothing_is_taken_over_and_no_name_comes_back(
    engine: AsyncEngine,
) -> None:
    town = HttpTown(engine)
    officer = await town.as_staff(Role.OFFICER)
    await town.open_sessions()
    for language in locales.LANGUAGES:
        headers = {"content-type": "text/csv", "accept-language": language}
        async with unchanged(engine):
            answer = await officer.command("/register", content=(HEADER + RIGHT + WRONG).encode(), headers=headers)
        named = [each | {"text": locales.text(language, f"list.problem.{each['code']}")} for each in FOUND]
        said = {"count": 4, "line": 3, "column": 1, "problems": named}
        assert problem(answer, 422, "resident_list_invalid") == said
        assert not any(name in answer.text for name in ("星野", "鈴木", "月野", "1960"))
    headers = {"content-type": "text/csv"}
    done(await officer.command("/register", content=(HEADER + RIGHT).encode(), headers=headers), 201)
