"""Statements on the persons behind accounts of the city's staff, and on who stands near to them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, or_, select, union, union_all
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import aliased

from services.identity.tables.schema import AccountRow, ActsForRow, PersonRow, StaffPersonRow
from services.kit.db import Tx


async def put(tx: Tx, account_id: UUID, staff_number: str, person_id: UUID | None) -> None:
    """Who is behind the account from now on; of a person who was found to be another, that one."""
    if person_id is not None:
        who = select(func.coalesce(PersonRow.same_as_id, PersonRow.id)).where(PersonRow.id == person_id)
        person_id = (await tx.connection.execute(who)).scalar_one_or_none()
    row = {"account_id": account_id, "staff_number": staff_number, "person_id": person_id, "named_at": tx.now}
    values = {name: value for name, value in row.items() if name != "account_id"}
    statement = upsert(StaffPersonRow).values(row).on_conflict_do_update(index_elements=["account_id"], set_=values)
    await tx.connection.execute(statement)


async def share_a_hand(tx: Tx, one: UUID, other: UUID) -> bool:
    """Whether somebody is behind both accounts: as their opener, or as one person, at however many removes."""
    mine, theirs = aliased(StaffPersonRow), aliased(StaffPersonRow)
    hands = union_all(
        select(AccountRow.id.label("of"), AccountRow.opened_by.label("hand")).where(AccountRow.opened_by.is_not(None)),
        select(mine.account_id, theirs.account_id).join(theirs, theirs.staff_number == mine.staff_number),
    ).subquery("hands")
    themselves = select(AccountRow.id.label("whose"), AccountRow.id.label("hand")).where(
        AccountRow.id.in_([one, other])
    )
    behind = themselves.cte("behind", recursive=True)
    behind = behind.union(select(behind.c.whose, hands.c.hand).join(hands, hands.c.of == behind.c.hand))
    shared = select(behind.c.hand).group_by(behind.c.hand).having(func.count(behind.c.whose.distinct()) > 1)
    return (await tx.connection.execute(shared.limit(1))).first() is not None


async def persons_near(tx: Tx, account_id: UUID) -> Sequence[UUID]:
    """The person behind an account as a resident, and everybody for whom an account acts that acts for them too."""
    number = select(StaffPersonRow.staff_number).where(StaffPersonRow.account_id == account_id).scalar_subquery()
    their_accounts = or_(StaffPersonRow.account_id == account_id, StaffPersonRow.staff_number == number)
    own = select(StaffPersonRow.person_id).where(their_accounts, StaffPersonRow.person_id.is_not(None))
    ours, others = aliased(ActsForRow), aliased(ActsForRow)
    household = select(others.person_id).join(ours, ours.account_id == others.account_id).where(ours.person_id.in_(own))
    return (await tx.connection.execute(union(own, household))).scalars().all()
