"""Say which resident the holder of an account is who works for a store: that person pays none of its merchant's stores.

Law: an account's holder is one person, wherever they work. Who appoints somebody says it once, while nobody knows;
that it is another person only the office says, with its reason, so that nobody names a stranger in place of the
wallet that may not pay here. Names are compared by nobody: many people have the same one.
"""

from dataclasses import dataclass
from uuid import UUID

from services.kit import audit
from services.kit.db import CONSTRAINT_BROKEN, Tx, broken_constraint
from services.kit.errors import Missing
from services.merchants.appoint import require_may_appoint
from services.merchants.shops import MemberKnown, MemberRole, status_reason
from services.merchants.tables import stores


@dataclass(frozen=True)
class NameMember:
    """`as_officer` says that the city's office acts, which may also say that it is another person than was known."""

    actor_id: UUID
    as_officer: bool
    store_id: UUID
    account_id: UUID
    person_id: UUID
    reason: str


async def name_member(tx: Tx, command: NameMember) -> None:
    """From now on this person's wallet pays no store of the merchants that the account works for.

    Raises `Missing` (no such member or person, or not the actor's store), `Forbidden` (a manager names clerks and
    themselves), `MemberKnown`, `MerchantReasonMissing`.
    """
    reason = status_reason(command.reason)
    actor_id, store_id, account_id = command.actor_id, command.store_id, command.account_id
    await require_may_appoint(tx, actor_id, store_id, MemberRole.CLERK, as_officer=command.as_officer)
    role = (await stores.active_roles(tx, store_id, [account_id])).get(account_id)
    if role is None:
        raise Missing
    if account_id != actor_id:
        await require_may_appoint(tx, actor_id, store_id, role, as_officer=command.as_officer)
    known = await known_person(tx, account_id, command.person_id, as_officer=command.as_officer)
    try:
        await stores.set_person_of_account(tx, account_id, command.person_id)
    except CONSTRAINT_BROKEN as error:
        if broken_constraint(error) == "fk_store_member_person_id":
            raise Missing from error
        raise
    said = {"store_id": store_id, "was_known": known is not None, "reason": reason}
    await audit.record(tx, actor_id, "member.person_named", account_id, **said)


async def known_person(tx: Tx, account_id: UUID, named: UUID | None, *, as_officer: bool) -> UUID | None:
    """Who the account's holder was known to be until now, its rows held. Raises `MemberKnown` for another."""
    known = await stores.lock_person_of_account(tx, account_id)
    if not as_officer and known is not None and named not in {None, known}:
        raise MemberKnown
    return known
