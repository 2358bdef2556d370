"""Say which person is behind an account of the city's staff: proposed by an officer, approved by another.

Law: accounts with one staff number are one person wherever a second person is asked for. A resident's person can be
named as well: then nobody of the staff decides on what goes to themselves or their household. Whoever opened an
account says its number at once, which binds the two no more than they are bound already.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity import read
from services.identity.people import AccountKind
from services.identity.staff_number import staff_number
from services.identity.tables import staff_persons
from services.kit import audit, changes
from services.kit.changes import Change
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import ChangeKind, ProposedChange


@dataclass(frozen=True)
class NamePerson:
    """Whose account it is: a staff number as typed, and the person as a resident where one is known."""

    officer_id: UUID
    account_id: UUID
    staff_number: str
    person_id: UUID | None = None


@dataclass(frozen=True)
class ProposedPerson:
    change_id: UUID
    fingerprint: str


@dataclass(frozen=True)
class StaffPerson:
    """Who is behind an account, as it is proposed or counts."""

    staff_number: str
    person_id: UUID | None


async def propose_person(tx: Tx, command: NamePerson) -> ProposedPerson:
    """Propose; a newer proposal takes the place of one that waits.

    Raises `Missing` for what is no account of the city's, and `StaffNumberMalformed`.
    """
    number = staff_number(command.staff_number)
    if (await read.account(tx, command.account_id)).kind is not AccountKind.CITY:
        raise Missing
    content = {"staff_number": number, "person_id": None if command.person_id is None else str(command.person_id)}
    asked = Change(ChangeKind.STAFF_PERSON, command.account_id, content, command.officer_id)
    change = await changes.put_forward(tx, asked, instead=True)
    return ProposedPerson(change.id, change.fingerprint)


async def carry_out_person(tx: Tx, change: ProposedChange) -> UUID:
    """Let the approved proposal count; the account's id."""
    said = proposed_person(change)
    await staff_persons.put(tx, change.subject_id, said.staff_number, said.person_id)
    await audit.record(tx, change.proposed_by, "account.person_named", change.subject_id, change_id=change.id)
    return change.subject_id


def proposed_person(change: ProposedChange) -> StaffPerson:
    """Who is named in a proposal."""
    person_id = change.content["person_id"]
    return StaffPerson(change.content["staff_number"], None if person_id is None else UUID(person_id))
