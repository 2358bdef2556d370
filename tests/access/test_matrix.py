"""Every cell of the matrix of routes and callers, asked over HTTP; and the page that shows it, byte for byte."""

import pytest

from infra.access.matrix import Place
from infra.commands.access import document
from infra.settings import PROJECT
from tests.access.all_requests import REQUESTS
from tests.access.every import PLACES
from tests.access.ground import Ground, disagreements

pytestmark = pytest.mark.asyncio(loop_scope="session")
NAMES = [f"{place.api} {place.name}" for place in PLACES]


async def test_the_page_is_what_the_rules_say() -> None:
    """`tanabata access` writes it again; the difference is for review."""
    assert (PROJECT / "docs/access.md").read_text(encoding="utf-8") == document()


async def test_every_route_has_a_right_request() -> None:
    assert sorted(REQUESTS) == sorted(NAMES)


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
async def test_every_caller_is_answered_as_the_page_says(ground: Ground, place: Place) -> None:
    assert await disagreements(ground, place) == []
