"""One proven identity, one person: the second proof waits for an officer, and the tables hold it too."""

import asyncio
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from services.kit.db import Database
from services.residency.prove import AtTheCounter, prove_at_counter
from services.residency.read import ClaimPage, Look, LookAtClaim, claims, look, look_at_claim, residency
from services.residency.record import DecideClaim, decide
from services.residency.residency import ClaimDecided, ClaimIsSamePerson, ClaimStatus, Outcome
from tests.residency.conftest import Office, Person, person, prove


def at_counter(who: Person, office: Office, name: str = "渡辺花子") -> AtTheCounter:
    return AtTheCounter(
        who.person_id, office.officer, name, "ワタナベ ハナコ", date(1950, 4, 1), "2540043", "health insurance card"
    )


async def test_the_second_proof_of_an_entry_is_not_recorded_and_waits(city: Database, registered: Office) -> None:
    first, second = await person(city, 1), await person(city, 2)
    assert (await prove(city, first)).proven
    outcome = await prove(city, second)
    assert not outcome.proven
    assert await city.transact(residency, second.person_id) is None
    assert await prove(city, second) == outcome, "asked again, it is the same question"
    [claim] = await city.transact(claims, ClaimPage(ClaimStatus.OPEN, None, 10))
    assert (claim.id, claim.person_id, claim.held_by) == (outcome.claim_id, second.person_id, first.person_id)


async def test_of_two_at_once_one_proves(city: Database, registered: Office) -> None:
    people = [await person(city, turn) for turn in range(6)]
    outcomes = await asyncio.gather(*(prove(city, each) for each in people))
    assert sum(outcome.proven for outcome in outcomes) == 1
    async with city.begin() as tx:
        assert (await tx.connection.execute(text("SELECT count(*) FROM residency"))).scalar_one() == 1


async def test_the_table_refuses_an_entry_on_two_persons_whoever_writes_it(city: Database, registered: Office) -> None:
    first, second = await person(city, 1), await person(city, 2)
    await prove(city, first)
    copied = text(
        "INSERT INTO residency SELECT :other, how, name, name_key, kana, born_on, postal_code, reference, subject, "
        "proven_at, proven_by FROM residency"
    )
    with pytest.raises(IntegrityError):
        async with city.begin() as tx:
            await tx.connection.execute(copied, {"other": second.person_id})


async def test_a_namesake_is_let_in_by_an_officer_and_only_then(city: Database, registered: Office) -> None:
    first, second = await person(city, 1), await person(city, 2)
    await prove(city, first)
    outcome = await city.transact(prove_at_counter, at_counter(second, registered))
    assert outcome.claim_id is not None
    assert await city.transact(residency, second.person_id) is None
    asked = DecideClaim(outcome.claim_id, ClaimStatus.ANOTHER_PERSON, "two licences seen", registered.officer)
    await city.transact(decide, asked)
    found = await city.transact(residency, second.person_id)
    assert found is not None
    assert found.details.name == "渡辺花子"
    with pytest.raises(ClaimDecided):
        await city.transact(decide, asked)


async def test_one_entry_is_never_two_people(city: Database, registered: Office) -> None:
    await prove(city, await person(city, 1))
    outcome = await prove(city, await person(city, 2))
    assert outcome.claim_id is not None
    asked = DecideClaim(outcome.claim_id, ClaimStatus.ANOTHER_PERSON, "they say so", registered.officer)
    with pytest.raises(ClaimIsSamePerson):
        await city.transact(decide, asked)


async def test_the_same_person_stays_unproven_on_the_second_account(city: Database, registered: Office) -> None:
    await prove(city, await person(city, 1))
    second = await person(city, 2)
    outcome = await city.transact(prove_at_counter, at_counter(second, registered))
    assert outcome.claim_id is not None
    asked = DecideClaim(outcome.claim_id, ClaimStatus.SAME_PERSON, "one licence", registered.officer)
    await city.transact(decide, asked)
    again = await city.transact(prove_at_counter, at_counter(second, registered))
    assert again == Outcome(proven=False, claim_id=outcome.claim_id)
    assert await city.transact(residency, second.person_id) is None


async def test_every_look_is_written_down_with_its_reason(city: Database, registered: Office) -> None:
    first, second = await person(city, 1), await person(city, 2)
    await prove(city, first)
    outcome = await prove(city, second)
    assert outcome.claim_id is not None
    found = await city.transact(look, Look(first.person_id, registered.officer, "she asked"))
    assert found is not None
    await city.transact(look, Look(second.person_id, registered.officer, "he asked"))
    both = await city.transact(look_at_claim, LookAtClaim(outcome.claim_id, registered.officer, "to decide"))
    assert both.held is not None
    async with city.begin() as tx:
        query = text(
            "SELECT subject_id, detail ->> 'reason' AS reason FROM audit_entry WHERE action = 'residency.looked_at' "
            "AND actor_id = :officer ORDER BY id"
        )
        rows = (await tx.connection.execute(query, {"officer": registered.officer})).all()
    looked = [tuple(row) for row in rows]
    assert sorted(looked) == sorted(
        [
            (first.person_id, "she asked"),
            (second.person_id, "he asked"),
            (first.person_id, "to decide"),
            (second.person_id, "to decide"),
        ]
    )


async def test_the_audit_log_holds_no_name_and_no_birth_date(city: Database, registered: Office) -> None:
    await prove(city, await person(city, 1))
    await city.transact(prove_at_counter, at_counter(await person(city, 2), registered))
    async with city.begin() as tx:
        said = str((await tx.connection.execute(text("SELECT detail FROM audit_entry"))).scalars().all())
    for secret in ("渡", "ワタナベ", "1950", "2540043", "A001"):
        assert secret not in said
