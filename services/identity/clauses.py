"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, ScalarSelect, exists
from sqlalchemy.orm import InstrumentedAttribute

from services.identity.tables import at_register, sessions
from services.identity.tables.schema import AccountRow, ActsForRow, PersonRow

AccountId = UUID | InstrumentedAttribute[UUID] | BindParameter[Any] | ColumnElement[Any]
"""A value, a column of the borrower's statement, or a place that is filled at execution."""

Instant = datetime | BindParameter[Any] | ColumnElement[Any]


def acts_for(account_id: AccountId, person_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """True where the account is active and acts for that person, at the instant of the statement."""
    return exists().where(
        ActsForRow.account_id == account_id,
        ActsForRow.person_id == person_id,
        AccountRow.id == ActsForRow.account_id,
        AccountRow.status == "active",
    )


def is_self(account_id: AccountId, person_id: InstrumentedAttribute[UUID]) -> ColumnElement[bool]:
    """True where the account is active and is that person's own: whom they care for is no part of it."""
    own = (ActsForRow.account_id == account_id, ActsForRow.person_id == person_id, ActsForRow.relation == "self")
    return exists().where(*own, AccountRow.id == ActsForRow.account_id, AccountRow.status == "active")


def is_now(person_id: InstrumentedAttribute[UUID], kept_id: AccountId) -> ColumnElement[bool]:
    """True where somebody was found to be the person `kept_id`, at however many removes."""
    return exists().where(PersonRow.id == person_id, PersonRow.same_as_id == kept_id)


def is_open(account_id: AccountId) -> ColumnElement[bool]:
    """True where the account is active, at the instant of the statement."""
    found = exists().where(AccountRow.id == account_id, AccountRow.status == "active")
    return found.correlate_except(AccountRow)


def session_is_open(session_id: AccountId, account_id: AccountId, at: Instant) -> ColumnElement[bool]:
    """True where the session is the account's and can still be used at `at`, at the instant of the statement.

    Whether the account is active is another question (`is_open`, `acts_for`).
    """
    return sessions.lives(session_id, account_id, at)


def new_phone_limit(account_id: AccountId, at: Instant) -> ScalarSelect[Any]:
    """What an account pays at once at most while one of its open sessions is on a new phone; NULL: no such limit."""
    return sessions.limit_of(account_id, at)


def stands_at(session_id: UUID, account_id: UUID, register_id: AccountId, at: datetime) -> ColumnElement[bool]:
    """True where the account's session is at that register and can still be used at `at`."""
    return at_register.stands_at(session_id, account_id, register_id, at)
