"""Who is behind an account of the city's staff: an officer proposes it, another lets it count."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.name_person import NamePerson, ProposedPerson, propose_person
from services.identity.staff_number import StaffNumberMalformed
from services.kit.db import Tx
from services.wallets import read as wallets

routes = router("staff-persons")


class PersonRequest(Body):
    """Accounts with one staff number are one person: none of them approves what another proposed."""

    staff_number: ShortText = Field(description="As the personnel office gives it; spaces and zeros before it aside.")
    wallet_number: ShortText | None = Field(
        default=None,
        description="The person's own wallet, if they have one: nothing that goes to it, to its household or to a "
        "store where they work is proposed or approved by them.",
    )


class PersonProposed(Answer):
    """What waits for the second yes: an approver says it with `POST /changes/{change_id}/approval`."""

    change_id: UUID
    fingerprint: str


@dataclass(frozen=True)
class _Asked:
    officer_id: UUID
    account_id: UUID
    staff_number: str
    wallet_number: str | None


@routes.post(
    "/accounts/{account_id}/person", status_code=201, responses=refuses(StaffNumberMalformed, *NUMBER_REFUSALS)
)
async def name_person(account_id: UUID, body: PersonRequest, token: Officer, command: Command) -> PersonProposed:
    """Propose who is behind an account of the city's staff."""
    number = None if body.wallet_number is None else wallet_number(body.wallet_number)
    asked = _Asked(token.account_id, account_id, body.staff_number, number)
    return PersonProposed.of(
        await command.perform(token.account_id, "city.person.propose", _propose, asked, ProposedPerson)
    )


async def _propose(tx: Tx, asked: _Asked) -> ProposedPerson:
    person_id = None
    if asked.wallet_number is not None:
        person_id = await wallets.person_of_number(tx, asked.wallet_number)
    return await propose_person(tx, NamePerson(asked.officer_id, asked.account_id, asked.staff_number, person_id))
