"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, Select, Text, and_, cast, func, null, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from services.merchants.tables.schema import MemberRow, MerchantRow, StoreRow

store_id: InstrumentedAttribute[UUID] = StoreRow.id
store_code: InstrumentedAttribute[str] = StoreRow.code


def stores_at_till(
    account_id: UUID | BindParameter[Any] | ColumnElement[Any] | None, person_ids: Sequence[ColumnElement[Any]] = ()
) -> Select[Any]:
    """What a payment must know of a store, in one row a store: narrow it down and read it with `store_at_till`.

    Columns: id, code, name, class, merchant, whether store and merchant are active, the
    acting account's role there (NULL without one), and the persons known to work for the
    merchant, in this store or another: nobody pays their own employer. With `person_ids` only
    these are looked for among them.
    """
    role = (
        select(MemberRow.role)
        .where(MemberRow.store_id == StoreRow.id, MemberRow.account_id == account_id, MemberRow.status == "active")
        .correlate_except(MemberRow)
        .scalar_subquery()
    )
    branch = aliased(StoreRow)
    working = select(func.array_agg(MemberRow.person_id)).join(branch, branch.id == MemberRow.store_id)
    working = working.where(branch.merchant_id == StoreRow.merchant_id, MemberRow.status == "active")
    working = working.where(MemberRow.person_id.in_(person_ids) if person_ids else MemberRow.person_id.is_not(None))
    staff = working.correlate_except(MemberRow, branch).scalar_subquery()
    accepting = and_(StoreRow.status == "active", MerchantRow.status == "active")
    return select(
        StoreRow.id,
        StoreRow.code,
        StoreRow.name,
        StoreRow.store_class,
        StoreRow.merchant_id,
        accepting.label("accepting"),
        (role if account_id is not None else cast(null(), Text)).label("member_role"),
        staff.label("staff_person_ids"),
    ).join(MerchantRow, MerchantRow.id == StoreRow.merchant_id)
