"""Care ends at once, by either side, the office or a day."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.http.care_notices import tell_of_lapsed
from infra.phone import SandboxPhone
from services.identity.people import Role
from services.kit.clock import civil_date
from tests.care.family import Family, begin, code_for, family_of, take
from tests.http_town import HttpTown, done, problem

OVER = "最終日を過ぎたため"


@pytest.fixture
async def family(engine: AsyncEngine) -> Family:
    town = HttpTown(engine)
    await town.programme()
    return await family_of(town)


@pytest.mark.parametrize("by_carer", [True, False])
async def test_either_side_ends_it_and_it_is_heard_at_once(family: Family, by_carer: bool) -> None:
    carer, mother = family.as_daughter(), family.as_mother()
    phone = await family.phone()
    shown = family.code(phone)
    done(await family.pay(carer, 100), 201)
    ended = done(await family.end(carer if by_carer else mother))
    assert ended == {"care_id": family.care_id, "ended_as": "carer" if by_carer else "cared_for"}
    assert sum("見守りが終わりました" in each.text for each in family.town.built.outbox.messages()) == 2
    problem(await carer.get(f"/wallets/{family.wallet}"), 404, "not_found")
    for yen in (100, 6_000):
        problem(await family.pay(carer, yen), 404, "not_found")
    problem(await family.scan(shown, 100), 422, "device_unknown")
    problem(await family.end(mother), 404, "not_found")
    assert done(await mother.get("/care")) == {"cares": []}
    history = done(await mother.get(f"/wallets/{family.wallet}/history"))["movements"]
    assert [each["carer_name"] for each in history] == ["娘の花子", None]
    assert await family.town.points(family.mother) == 13_000 - 100
    await family.town.must_prove()


async def test_what_ended_begins_anew_by_a_new_consent_only_and_old_phones_stay_blocked(family: Family) -> None:
    phone = await family.phone()
    done(await family.end(family.as_mother()))
    problem(await family.as_daughter().get(f"/wallets/{family.wallet}"), 404, "not_found")
    await begin(family.town, family.mother, family.daughter)
    problem(await family.scan(family.code(phone), 100), 403, "device_blocked")
    done(await family.scan(family.code(await family.phone()), 100), 201)


async def test_a_last_day_ends_it_at_its_midnight_and_it_may_begin_again(family: Family) -> None:
    town = family.town
    father = await town.resident()
    last = civil_date(town.clock.now()) + timedelta(days=2)
    code = await code_for(town.as_resident(father), father, last_day=last.isoformat())
    taken = done(await take(family.as_daughter(), code), 201)
    assert taken["last_day"] == last.isoformat()
    town.wait(hours=60 - 1 / 3600)
    done(await family.as_daughter().get(f"/wallets/{father.wallet.id}"))
    town.wait(hours=1 / 3600)
    problem(await family.as_daughter().get(f"/wallets/{father.wallet.id}"), 404, "not_found")
    problem(await family.as_daughter().command(f"/care/{taken['id']}/end", {}), 404, "not_found")
    await begin(town, father, family.daughter)
    assert len(told_over(town)) == 2, "who begins anew has the old end told first"
    assert await tell_of_lapsed(town.built.context) == 0


def told_over(town: HttpTown) -> list[str]:
    """Whom the words reached that a care has ended by its last day."""
    return sorted(each.phone for each in town.built.outbox.messages() if OVER in each.text)


async def test_both_sides_hear_once_that_a_last_day_is_over_whoever_looks_at_once(family: Family) -> None:
    town = family.town
    father = await town.resident()
    last = civil_date(town.clock.now())
    code = await code_for(town.as_resident(father), father, last_day=last.isoformat())
    taken = done(await take(family.as_daughter(), code), 201)
    both = sorted(each.phone for each in town.built.outbox.messages()[:2] if "見守りが始まりました" in each.text)
    assert len(set(both)) == 2
    phone = SandboxPhone(town.entropy.take(32))
    body = {"name": "花子のスマホ", "public_jwk": phone.public_jwk()}
    devices = f"/wallets/{father.wallet.id}/devices"
    done(await family.as_daughter().command(devices, body), 201)
    assert await tell_of_lapsed(town.built.context) == 0
    town.wait(hours=12)
    looked = await asyncio.gather(*(tell_of_lapsed(town.built.context) for _ in range(4)))
    assert sum(looked) == 1
    assert told_over(town) == both
    kept = done(await town.as_resident(father).get(devices))["devices"]
    assert [each["status"] for each in kept if each["name"] == body["name"]] == ["blocked"]
    auditor = await town.as_staff(Role.AUDITOR)
    [entry] = done(await auditor.get("/audit", params={"action": "care.ended"}))["entries"]
    assert (entry["actor_id"], entry["detail"]["care"], entry["detail"]["ended_as"]) == (None, taken["id"], "time")
    assert done(await family.as_mother().get("/care"))["cares"], "whose last day has not come goes on"
    await town.must_prove()
