"""What may be left out, null or at its limit is answered without a fault of ours, and a refusal changes nothing."""

import random

import httpx
import pytest

from infra.access.matrix import PAGES, Place
from tests.access.all_requests import REQUESTS
from tests.access.every import PLACES
from tests.access.ground import Ground, _everything, prefix_of
from tests.access.requests import Ask
from tests.access.stage import StagedTown
from tests.fuzz.limits import asks
from tests.fuzz.test_hostile import caller_of

pytestmark = pytest.mark.asyncio(loop_scope="session")
SAMPLE = 160
"""Of some eight thousand."""

OPERATIONS = [place for place in PLACES if place.api != PAGES and place.path != "/openapi.json"]
TRIES = frozenset(
    {"password_tries", "password_spread", "card_tries", "care_tries", "register_tries", "residency_tries"}
    | {"sign_in_code", "passkey_challenge", "residency_attempt", "audit_entry"}
)
"""Where a guess is counted or noted, or what serves once is used up, although it is refused."""

Case = tuple[Place, str, Ask]


async def cases_of(town: StagedTown, places: list[Place]) -> list[Case]:
    found: list[Case] = []
    for place in places:
        right = await REQUESTS[f"{place.api} {place.name}"](town, caller_of(place))
        found += [(place, name, ask) for name, ask in asks(place, right)]
    return found


async def send(town: StagedTown, place: Place, ask: Ask) -> httpx.Response:
    async with town.caller(caller_of(place), prefix_of(place)) as client:
        return await client.request(place.method, ask.path, **ask.options(town, place.method))


async def faults_of(town: StagedTown, cases: list[Case]) -> list[str]:
    """What went wrong, in words."""
    wrong: list[str] = []
    known = await _everything(town)
    for place, name, ask in cases:
        answer = await send(town, place, ask)
        if answer.status_code == 401 and answer.json()["code"] == "session_ended":  # an earlier one has signed out
            await town.sign_in_again(caller_of(place))
            known = await _everything(town)
            answer = await send(town, place, ask)
        what = f"{place.api} {place.name}: {name}: {answer.status_code} {answer.text[:160]}"
        if answer.status_code >= 500:
            wrong.append(what)
        if place.method != "POST":
            continue
        now = await _everything(town)
        changed = {table for table in now if now[table] != known[table]} - TRIES
        if answer.status_code >= 400 and changed:
            wrong.append(f"{what} changed {', '.join(sorted(changed))}")
        known = now
    return wrong


async def test_a_sample_of_limits_is_no_fault_and_a_refusal_changes_nothing(ground: Ground) -> None:
    async with ground.town() as town:
        cases = await cases_of(town, OPERATIONS)
        assert len(cases) > 5_000
        wrong = await faults_of(town, random.Random(9).sample(cases, SAMPLE))
        assert not wrong, "\n".join(wrong)
        await town.must_prove()


@pytest.mark.long
@pytest.mark.parametrize("place", OPERATIONS, ids=lambda place: f"{place.api} {place.name}")
async def test_no_limit_of_an_operation_is_a_fault_and_a_refusal_changes_nothing(ground: Ground, place: Place) -> None:
    async with ground.town() as town:
        wrong = await faults_of(town, await cases_of(town, [place]))
        assert not wrong, "\n".join(wrong)
        await town.must_prove()
