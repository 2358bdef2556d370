"""As many letters as are written at once can be asked for at once."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from tests.http_town import HttpTown, problem

MOST = 20_000


@pytest.mark.parametrize("path", ["/register/letters", "/register/letters/file"])
async def test_twenty_thousand_references_fit_into_a_request_and_no_more(engine: AsyncEngine, path: str) -> None:
    """A length that the document allows is looked at; nobody has these references, and one too many is too many."""
    officer = await HttpTown(engine).as_staff(Role.OFFICER)
    references = [f"{number:020}" for number in range(MOST)]
    why = {"reason": "for the printer"} if path.endswith("file") else {}
    problem(await officer.command(path, {"references": references} | why), 422, "resident_list_invalid")
    answer = await officer.command(path, {"references": [*references, "1"]} | why)
    problem(answer, 422, "invalid_request")
    problem(await officer.command(path, {"references": ["1" * 1_100_000]} | why), 413, "content_too_large")
