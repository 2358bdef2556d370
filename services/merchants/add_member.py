"""Let an account work for a store.

The account is opened or found in the same transaction by `identity.staff`, which merchants
do not import: the two are neighbours, and whoever stands above both puts them together.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import CONSTRAINT_BROKEN, Tx, broken_constraint
from services.kit.errors import Missing
from services.merchants.appoint import require_may_appoint
from services.merchants.name_member import known_person
from services.merchants.shops import Member, MemberExists, MemberRole, MemberStatus
from services.merchants.tables import stores


@dataclass(frozen=True)
class AddMember:
    """`as_officer` says that the city's office acts, which may appoint anybody.

    `person_id` is the resident that the account's holder is known to be: that person is not
    paid by this store's points. None leaves what another store has said of the account.
    """

    actor_id: UUID
    as_officer: bool
    store_id: UUID
    account_id: UUID
    role: MemberRole
    person_id: UUID | None = None


async def add_member(tx: Tx, command: AddMember) -> Member:
    """A new member, or one who worked here before, in the given role.

    Raises `Missing` (unknown store, account or person, or not the actor's store),
    `Forbidden` (a manager appoints clerks only), `MemberExists`, `MemberKnown` (as another person).
    """
    await require_may_appoint(tx, command.actor_id, command.store_id, command.role, as_officer=command.as_officer)
    known = await known_person(tx, command.account_id, command.person_id, as_officer=command.as_officer)
    person_id = command.person_id or known
    member = Member(command.store_id, command.account_id, command.role, MemberStatus.ACTIVE, person_id, tx.now)
    try:
        if not await stores.upsert_member(tx, member):
            raise MemberExists
        if person_id is not None and person_id != known:
            await stores.set_person_of_account(tx, command.account_id, person_id)
    except CONSTRAINT_BROKEN as error:
        if (broken_constraint(error) or "").startswith("fk_store_member_"):
            raise Missing from error
        raise
    role = command.role.value
    await audit.record(tx, command.actor_id, "member.added", command.account_id, store_id=command.store_id, role=role)
    return member
