"""The whole way: from a resident's request over a real provider to a proven residency, and what stops it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.ports.digital_id import DigitalId
from services.kit.db import Database
from services.kit.errors import Missing
from services.kit.ids import SeededEntropy
from services.residency.prove_by_service import Attempt, BeginAttempt, CameBack, begin, prove_by_service
from services.residency.read import residency
from services.residency.residency import How
from services.residency.sign_in_service import LivesElsewhere, SignInServiceRefused, secrets_of
from tests.oidc.conftest import signed_in
from tests.residency.conftest import KEY, Person, person


class SystemClock:
    """The provider lives by the machine's time, so these tests do as well."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
async def city(engine: AsyncEngine) -> AsyncIterator[Database]:
    yield Database(engine, SystemClock(), SeededEntropy(1))


async def begun(city: Database, who: Person) -> Attempt:
    return await city.transact(begin, BeginAttempt(who.account_id, who.person_id))


async def back(service: DigitalId, attempt: Attempt, who: Person, signs_in: str) -> CameBack:
    sent = await signed_in(await service.address(secrets_of(KEY, attempt.id)), signs_in)
    return CameBack(attempt.id, who.account_id, who.person_id, sent["state"], sent["code"], KEY)


async def test_who_comes_back_from_the_service_has_proven(city: Database, service: DigitalId) -> None:
    who = await person(city, 1)
    came = await back(service, await begun(city, who), who, "hikaru")
    assert (await prove_by_service(city, service, came)).proven
    found = await city.transact(residency, who.person_id)
    assert found is not None
    assert (found.how, found.subject, found.details.name) == (How.OIDC, "hikaru", "星野 光")
    with pytest.raises(SignInServiceRefused):
        await prove_by_service(city, service, came)


async def test_a_wrong_state_is_refused_and_the_attempt_stays(city: Database, service: DigitalId) -> None:
    who = await person(city, 1)
    came = await back(service, await begun(city, who), who, "hikaru")
    for state in ("", secrets_of(KEY, UUID(int=1)).state, came.state[:-1]):
        with pytest.raises(SignInServiceRefused):
            await prove_by_service(city, service, replace(came, state=state))
    assert (await prove_by_service(city, service, came)).proven


async def test_nobody_finishes_anothers_attempt(city: Database, service: DigitalId) -> None:
    who, thief = await person(city, 1), await person(city, 2)
    came = await back(service, await begun(city, who), who, "hikaru")
    for changed in (
        replace(came, account_id=thief.account_id, person_id=thief.person_id),
        replace(came, account_id=thief.account_id),
        replace(came, person_id=thief.person_id),
    ):
        with pytest.raises(Missing):
            await prove_by_service(city, service, changed)
    assert (await prove_by_service(city, service, came)).proven


async def test_one_person_on_two_accounts_waits_for_an_officer(city: Database, service: DigitalId) -> None:
    first, second, third = [await person(city, turn) for turn in range(3)]
    assert (
        await prove_by_service(city, service, await back(service, await begun(city, first), first, "hikaru"))
    ).proven
    for other, signs_in in ((second, "hikaru"), (third, "hikaru-again")):
        outcome = await prove_by_service(city, service, await back(service, await begun(city, other), other, signs_in))
        assert not outcome.proven
        assert await city.transact(residency, other.person_id) is None


async def test_who_lives_in_another_city_proves_nothing_here(city: Database, service: DigitalId) -> None:
    who = await person(city, 1)
    with pytest.raises(LivesElsewhere):
        await prove_by_service(city, service, await back(service, await begun(city, who), who, "elsewhere"))
    assert await city.transact(residency, who.person_id) is None
