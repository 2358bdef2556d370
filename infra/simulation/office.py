"""The city's office: who works there, and how a programme is decided upon by two of them."""

from dataclasses import dataclass

import msgspec

from infra.simulation.door import Answer
from infra.simulation.people import Officer
from infra.simulation.stage import Stage
from services.identity.hashing import hash_new_password
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.staff import OpenCityAccount, open_city_account


@dataclass(frozen=True)
class Office:
    """Four people with different powers; the planner has both, and may still not approve their own."""

    mayor: Officer
    """Approves."""
    planner: Officer
    """Proposes and runs; also has the right to approve what others propose."""
    treasurer: Officer
    """Proposes and runs."""
    auditor: Officer
    """Reads."""


async def open_office(stage: Stage) -> Office:
    """Who decides is installed with the platform, for nobody opens their own second pair of eyes.

    The auditor is appointed through its door.
    """
    mayor = Officer(stage, "mayor@city.example", "星見 市子")
    planner = Officer(stage, "planner@city.example", "計画 進")
    treasurer = Officer(stage, "treasurer@city.example", "会計 守")
    auditor = Officer(stage, "auditor@city.example", "監査 誠")
    await _install(stage, mayor, Role.APPROVER)
    await _install(stage, planner, Role.OFFICER, Role.APPROVER)
    await _install(stage, treasurer, Role.OFFICER)
    (await mayor.ask("/officers", auditor.new_account() | {"roles": ["auditor"]})).must_succeed()
    return Office(mayor, planner, treasurer, auditor)


async def _install(stage: Stage, who: Officer, *roles: Role) -> None:
    """Open an account at the command line of the platform."""
    database = stage.town.context.database
    secret = await hash_new_password(who.email, who.password, CHEAPEST, database.entropy)
    await database.transact(open_city_account, OpenCityAccount(None, who.email, who.name, secret, roles))


async def decide(stage: Stage, office: Office) -> None:
    """Propose the programme, fail to approve it alone, and have a second officer approve it."""
    terms = msgspec.to_builtins(stage.terms)
    asked = {"code": stage.programme, "terms": terms, "reason": "地域経済の支援のため"}
    proposed = (await office.planner.ask("/programmes", asked)).done()
    alone = await _approve(stage, office.planner, proposed["version"], proposed["fingerprint"])
    alone.must_be_refused("second_officer_needed")
    stage.happened("refused: self-approval of terms")
    stage.wait(7_200)
    shown = (await office.mayor.look(f"/programmes/{stage.programme}")).done()
    (await _approve(stage, office.mayor, shown["version"], shown["fingerprint"])).must_succeed()
    stage.happened("programme approved")


async def _approve(stage: Stage, officer: Officer, version: int, fingerprint: str) -> Answer:
    path = f"/programmes/{stage.programme}/versions/{version}/approval"
    return await officer.ask(path, {"fingerprint": fingerprint})
