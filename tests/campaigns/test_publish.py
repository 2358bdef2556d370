"""Four eyes on what a city promises: a second officer approves exactly what was proposed, and it never changes."""

from dataclasses import replace
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import read
from services.campaigns.draft import Propose, Proposed, create, propose
from services.campaigns.programme import (
    NothingToApprove,
    Programme,
    ProgrammeCodeInvalid,
    ProgrammeCodeTaken,
    ProgrammeUnknown,
    fingerprint,
)
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import Phase, Terms, TermsInvalid
from services.kit.db import sqlstate
from services.kit.errors import Refusal
from services.kit.four_eyes import SecondOfficerNeeded
from tests.town import APPROVER, CODE, OFFICER, Town, town_terms

THIRD = UUID(int=0xA3)


async def drafted(town: Town, terms: Terms | None = None) -> Proposed:
    return await town.do(create, Propose(CODE, terms or town_terms(), "a new programme", OFFICER))


async def corrected(town: Town, terms: Terms) -> Proposed:
    return await town.do(propose, Propose(CODE, terms, "a correction", OFFICER))


async def published(town: Town) -> Programme:
    return await town.do(read.published, CODE)


async def refused(town: Town, command: Approve, refusal: type[Refusal]) -> Refusal:
    with pytest.raises(refusal) as caught:
        await town.do(approve, command)
    return caught.value


async def test_a_draft_is_nobodys_until_a_second_officer_approves_it(engine: AsyncEngine) -> None:
    town = Town(engine)
    draft = await drafted(town)
    with pytest.raises(ProgrammeUnknown):
        await published(town)
    newest = await town.do(lambda tx, _: read.all_newest(tx), None)
    assert [(each.version, each.phase(town.clock.now())) for each in newest] == [(1, Phase.DRAFT)]
    await town.do(approve, Approve(CODE, draft.version, draft.fingerprint, APPROVER))
    assert (await published(town)).phase(town.clock.now()) is Phase.IN_USE
    await town.must_prove()


async def test_nobody_approves_what_they_proposed(engine: AsyncEngine) -> None:
    town = Town(engine)
    draft = await drafted(town)
    await refused(town, Approve(CODE, 1, draft.fingerprint, OFFICER), SecondOfficerNeeded)
    with pytest.raises(ProgrammeUnknown):
        await published(town)


async def test_an_approval_is_for_exactly_what_was_shown(engine: AsyncEngine) -> None:
    town = Town(engine)
    draft = await drafted(town)
    other = fingerprint(town_terms(stock_units=999))
    for command in (
        Approve(CODE, 1, other, APPROVER),
        Approve(CODE, 1, "", APPROVER),
        Approve(CODE, 2, draft.fingerprint, APPROVER),
        Approve(CODE, 0, draft.fingerprint, APPROVER),
    ):
        await refused(town, command, NothingToApprove)
    await refused(town, Approve("moonlight", 1, draft.fingerprint, APPROVER), ProgrammeUnknown)
    with pytest.raises(ProgrammeUnknown):
        await published(town)


async def test_changed_content_voids_the_approval_that_was_being_given(engine: AsyncEngine) -> None:
    town = Town(engine)
    shown = await drafted(town)
    changed = await corrected(town, town_terms(stock_units=2_000))
    await refused(town, Approve(CODE, shown.version, shown.fingerprint, APPROVER), NothingToApprove)
    await refused(town, Approve(CODE, changed.version, shown.fingerprint, APPROVER), NothingToApprove)
    await town.do(approve, Approve(CODE, changed.version, changed.fingerprint.upper(), APPROVER))
    assert (await published(town)).terms.stock_units == 2_000


async def test_a_version_is_approved_once(engine: AsyncEngine) -> None:
    town = Town(engine)
    draft = await drafted(town)
    command = Approve(CODE, 1, draft.fingerprint, APPROVER)
    await town.do(approve, command)
    await refused(town, command, NothingToApprove)
    await refused(town, replace(command, officer_id=THIRD), NothingToApprove)


async def test_a_correction_is_a_new_version_and_points_sold_keep_the_old_one(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who = await town.resident()
    before = await town.buy(who)
    await town.correct(town_terms(stock_units=2_000))
    after = await town.buy(who)
    assert (before.programme_version, after.programme_version) == (1, 2)
    versions = await town.do(read.versions, {(before.programme_id, before.programme_version), (after.programme_id, 2)})
    assert sorted(version for _, version in versions) == [1, 2]
    assert (await published(town)).version == 2
    await town.must_prove()


async def test_while_a_correction_waits_the_published_version_stands(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    await corrected(town, town_terms(stock_units=2_000))
    standing = await published(town)
    assert (standing.version, standing.terms.stock_units) == (1, 1_000)
    proposal, approved = await town.do(read.newest_proposal, CODE)
    assert (proposal.version, approved, proposal.proposed_by) == (2, False, OFFICER)


async def test_published_terms_never_change_not_even_by_their_owner(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    town = Town(engine)
    await town.programme()
    before = await published(town)
    for table in ("programme_version", "programme_approval"):
        for statement in (f"UPDATE {table} SET version = version", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            for one in (engine, migrator_engine):
                with pytest.raises(DBAPIError) as caught:
                    async with one.begin() as connection:
                        await connection.execute(text(statement))
                assert sqlstate(caught.value) == "42501"
    assert await published(town) == before


async def test_a_row_cannot_say_that_one_officer_did_both(migrator_engine: AsyncEngine) -> None:
    town = Town(migrator_engine)
    await drafted(town)
    statement = "INSERT INTO programme_approval SELECT id, 1, :one, :one, now() FROM programme"
    with pytest.raises(DBAPIError) as caught:
        async with migrator_engine.begin() as connection:
            await connection.execute(text(statement), {"one": OFFICER})
    assert sqlstate(caught.value) == "23514"


async def test_terms_that_may_not_be_published_are_refused_when_proposed(engine: AsyncEngine) -> None:
    town = Town(engine)
    wrong = replace(town_terms(), name="")
    with pytest.raises(TermsInvalid):
        await drafted(town, wrong)
    await town.programme()
    with pytest.raises(TermsInvalid):
        await corrected(town, wrong)
    assert (await town.do(read.newest_proposal, CODE))[0].version == 1


async def test_a_correction_never_promises_less_than_is_gone(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who = await town.resident()
    await town.buy(who, units=3)
    await town.grant(who, 500)
    less = replace(town_terms(), grant_budget_points=499)
    for terms in (town_terms(stock_units=2), less):
        proposed = await corrected(town, terms)
        refusal = await refused(town, Approve(CODE, proposed.version, proposed.fingerprint, APPROVER), TermsInvalid)
        assert refusal.params == {"rule": "stock_below_what_is_gone"}
    exact = await corrected(town, replace(town_terms(stock_units=3), grant_budget_points=500))
    await town.do(approve, Approve(CODE, exact.version, exact.fingerprint, APPROVER))
    left = await town.do(read.stock, exact.programme_id)
    assert (left.units_left, left.granted_points) == (0, 500)
    await town.must_prove()


@pytest.mark.parametrize("code", ["", "ab", "A-b", "-ab", "ab-", "星見", "a" * 41, "ab\n", "a b"])
async def test_a_code_that_nobody_can_type_is_refused(engine: AsyncEngine, code: str) -> None:
    with pytest.raises(ProgrammeCodeInvalid):
        await Town(engine).do(create, Propose(code, town_terms(), "x", OFFICER))


async def test_a_code_names_one_programme(engine: AsyncEngine) -> None:
    town = Town(engine)
    await drafted(town)
    with pytest.raises(ProgrammeCodeTaken):
        await drafted(town)
    with pytest.raises(ProgrammeUnknown):
        await town.do(propose, Propose("moonlight", town_terms(), "x", OFFICER))
    assert len(await town.do(lambda tx, _: read.all_newest(tx), None)) == 1
