"""At the counter care rests on what was shown, and on two officers; a parent's ends with childhood."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.kit.clock import TOKYO
from services.wallets.care import PROVES, CareEvidenceUnfit, CareKind, Evidence, end_of_childhood, must_prove
from services.wallets.wallet import Wallet
from tests.care.family import begin, child_of
from tests.http_town import HttpTown, done, problem
from tests.town import Resident

WHY = {"reason": "came to the counter"}


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


def asked(carer: Resident, cared_for: Wallet, **more: Any) -> dict[str, Any]:
    said = {
        "carer": carer.wallet.number,
        "cared_for": cared_for.number,
        "kind": "parent",
        "evidence": "family_register",
    }
    return said | {"carer_name": "母", "cared_for_name": "空"} | WHY | more


async def begun(town: HttpTown, carer: Resident, cared_for: Wallet, **more: Any) -> str:
    officer = await town.as_staff(Role.OFFICER)
    proposed = done(await officer.command("/care", asked(carer, cared_for, **more)), 201)
    return str((await town.second_yes(proposed))["result_id"])


async def test_a_parent_cares_for_a_child_once_a_second_officer_said_yes(town: HttpTown) -> None:
    mother, child = await town.resident(), await child_of(town, "2016-07-07")
    officer = await town.as_staff(Role.OFFICER)
    proposed = done(await officer.command("/care", asked(mother, child)), 201)
    problem(await town.as_resident(mother).get(f"/wallets/{child.id}"), 404, "not_found")
    shown = done(await officer.get(f"/changes/{proposed['change_id']}"))["care"]
    assert (shown["kind"], shown["evidence"], shown["cared_for_number"]) == ("parent", "family_register", child.number)
    care_id = (await town.second_yes(proposed))["result_id"]
    done(await town.as_resident(mother).get(f"/wallets/{child.id}"))
    assert "見守りが始まりました" in town.built.outbox.messages()[0].text
    async with town.database.begin() as tx:
        row = (await tx.connection.execute(text("SELECT * FROM care_consent"))).one()
    assert (str(row.care_id), row.given_by, row.evidence) == (care_id, None, "family_register")
    assert (row.recorded_by, str(row.change_id)) == (town.account_of(Role.OFFICER), proposed["change_id"])


async def test_nobody_approves_the_care_that_they_proposed(town: HttpTown) -> None:
    mother, child = await town.resident(), await child_of(town, "2016-07-07")
    both = await town.as_staff(Role.OFFICER, Role.APPROVER)
    proposed = done(await both.command("/care", asked(mother, child)), 201)
    path = f"/changes/{proposed['change_id']}/approval"
    answer = await both.command(path, {"fingerprint": proposed["fingerprint"]})
    problem(answer, 403, "second_officer_needed")
    problem(await town.as_resident(mother).get(f"/wallets/{child.id}"), 404, "not_found")


async def test_a_parents_care_ends_with_the_eighteenth_birthday(town: HttpTown) -> None:
    mother, child = await town.resident(), await child_of(town, "2008-04-08")
    care_id = await begun(town, mother, child)
    [care] = done(await town.as_resident(mother).get("/care"))["cares"]
    assert (care["id"], care["last_day"]) == (care_id, "2026-04-07")
    town.go_to(datetime(2026, 4, 8, tzinfo=TOKYO) - timedelta(seconds=1))
    done(await town.as_resident(mother).get(f"/wallets/{child.id}"))
    town.wait(seconds=1)
    problem(await town.as_resident(mother).get(f"/wallets/{child.id}"), 404, "not_found")
    officer = await town.as_staff(Role.OFFICER)
    problem(await officer.command("/care", asked(mother, child)), 409, "care_of_adult")


async def test_whose_birthday_is_unknown_has_no_parents_care(town: HttpTown) -> None:
    mother, somebody = await town.resident(), await town.resident()
    officer = await town.as_staff(Role.OFFICER)
    problem(await officer.command("/care", asked(mother, somebody.wallet)), 409, "care_birth_date_unknown")


async def test_what_was_shown_has_to_prove_the_kind(town: HttpTown) -> None:
    carer, somebody = await town.resident(), await town.resident()
    officer = await town.as_staff(Role.OFFICER)
    body = asked(carer, somebody.wallet, kind="guardian", evidence="spoken_consent")
    problem(await officer.command("/care", body), 422, "care_evidence_unfit")
    own = asked(carer, carer.wallet, kind="consent", evidence="spoken_consent")
    problem(await officer.command("/care", own), 422, "care_of_oneself")
    await begun(town, carer, somebody.wallet, kind="guardian", evidence="guardian_certificate")
    again = asked(carer, somebody.wallet, kind="consent", evidence="spoken_consent")
    problem(await officer.command("/care", again), 409, "care_exists")


async def test_an_officers_looks_and_deeds_are_in_the_audit_log_with_their_reason(town: HttpTown) -> None:
    mother, daughter = await town.resident(), await town.resident()
    care_id = await begin(town, mother, daughter)
    officer = await town.as_staff(Role.OFFICER)
    path = f"/wallets/{mother.wallet.number}/care"
    problem(await officer.get(path), 422, "invalid_request")
    [seen] = done(await officer.get(path, params={"reason": "a call"}))["cares"]
    assert (seen["id"], seen["side"], seen["kind"]) == (care_id, "cared_for", "consent")
    assert not {"name", "carer_name", "cared_for_name"} & set(seen)
    problem(await officer.command(f"/care/{care_id}/end", {}), 422, "invalid_request")
    done(await officer.command(f"/care/{care_id}/end", {"reason": "she asked by letter"}))
    problem(await officer.command(f"/care/{care_id}/end", {"reason": "again"}), 404, "not_found")
    problem(await town.as_resident(daughter).get(f"/wallets/{mother.wallet.id}"), 404, "not_found")
    assert sum("見守りが終わりました" in each.text for each in town.built.outbox.messages()) == 2
    auditor = await town.as_staff(Role.AUDITOR)
    actor = str(town.account_of(Role.OFFICER))
    for action, reason in (("care.looked_at", "a call"), ("care.ended", "she asked by letter")):
        [entry] = done(await auditor.get("/audit", params={"action": action}))["entries"]
        assert (entry["actor_id"], entry["subject_id"]) == (actor, str(mother.wallet.id))
        assert entry["detail"]["reason"] == reason


@pytest.mark.parametrize("kind", CareKind)
@pytest.mark.parametrize("evidence", Evidence)
def test_each_evidence_proves_one_kind(kind: CareKind, evidence: Evidence) -> None:
    if evidence in PROVES[kind]:
        must_prove(kind, evidence)
        assert sum(evidence in each for each in PROVES.values()) == 1
    else:
        with pytest.raises(CareEvidenceUnfit):
            must_prove(kind, evidence)


@pytest.mark.parametrize(
    ("born_on", "of_age_on"),
    [
        (date(2008, 4, 8), date(2026, 4, 8)),
        (date(2008, 2, 29), date(2026, 3, 1)),
        (date(2006, 12, 31), date(2024, 12, 31)),
    ],
)
def test_who_was_born_on_a_leap_day_is_of_age_on_the_first_of_march(born_on: date, of_age_on: date) -> None:
    at = end_of_childhood(born_on).astimezone(TOKYO)
    assert (at.date(), at.hour, at.minute) == (of_age_on, 0, 0)
