"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import InstrumentedAttribute

from services.identity.tables.schema import AccountRow, ActsForRow


def acts_for(
    account_id: UUID | InstrumentedAttribute[UUID], person_id: InstrumentedAttribute[UUID]
) -> ColumnElement[bool]:
    """True where the account is active and acts for that person, at the instant of the statement."""
    return exists().where(
        ActsForRow.account_id == account_id,
        ActsForRow.person_id == person_id,
        AccountRow.id == ActsForRow.account_id,
        AccountRow.status == "active",
    )


def is_open(account_id: UUID) -> ColumnElement[bool]:
    """True where the account is active, at the instant of the statement."""
    return exists().where(AccountRow.id == account_id, AccountRow.status == "active")
