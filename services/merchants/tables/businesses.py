"""Statements on merchants and on where their money goes."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import distinct_on

from services.kit.db import Tx
from services.merchants.bank_account import AccountKind, BankAccount
from services.merchants.payout_account import PayoutAccount
from services.merchants.shops import Merchant, Status
from services.merchants.tables.schema import MerchantRow, PayoutAccountRow

MERCHANT = tuple(getattr(MerchantRow, name) for name in Merchant.__dataclass_fields__)
PAYOUT_ACCOUNT = tuple(PayoutAccountRow.__table__.columns)


async def insert_merchant(tx: Tx, merchant: Merchant) -> None:
    row = {
        "id": merchant.id,
        "number": merchant.number,
        "name": merchant.name,
        "invoice_number": merchant.invoice_number,
        "status": merchant.status.value,
        "registered_at": merchant.registered_at,
    }
    await tx.connection.execute(insert(MerchantRow).values(row))


async def find_merchant(tx: Tx, merchant_id: UUID) -> Merchant | None:
    row = (await tx.connection.execute(select(*MERCHANT).where(MerchantRow.id == merchant_id))).one_or_none()
    return _merchant(row) if row else None


async def list_merchants(tx: Tx, after: UUID | None, limit: int) -> list[Merchant]:
    """Merchants in the order of their registration, from the one after `after`."""
    query = select(*MERCHANT).order_by(MerchantRow.id).limit(limit)
    if after is not None:
        query = query.where(MerchantRow.id > after)
    return [_merchant(row) for row in await tx.connection.execute(query)]


async def update_merchant_status(tx: Tx, merchant_id: UUID, status: Status) -> bool:
    """False when there is no such merchant."""
    statement = update(MerchantRow).where(MerchantRow.id == merchant_id).values(status=status.value)
    return (await tx.connection.execute(statement.returning(MerchantRow.id))).first() is not None


async def insert_payout_account(tx: Tx, payout: PayoutAccount) -> None:
    account = payout.account
    row = {
        "id": payout.id,
        "merchant_id": payout.merchant_id,
        "bank_code": account.bank_code,
        "bank_kana": account.bank_kana,
        "branch_code": account.branch_code,
        "branch_kana": account.branch_kana,
        "kind": str(account.kind.value),
        "number": account.number,
        "holder_kana": account.holder_kana,
        "override_reason": account.override_reason,
        "set_by": payout.set_by,
        "valid_from": payout.valid_from,
    }
    await tx.connection.execute(insert(PayoutAccountRow).values(row))


async def find_payout_accounts(tx: Tx, merchant_ids: Collection[UUID], at: datetime) -> list[PayoutAccount]:
    """The latest account of each merchant that was set by `at`, inclusive."""
    wanted = func.any(literal(list(merchant_ids), ARRAY(Uuid())))
    query = (
        select(*PAYOUT_ACCOUNT)
        .ext(distinct_on(PayoutAccountRow.merchant_id))
        .where(PayoutAccountRow.merchant_id == wanted, PayoutAccountRow.valid_from <= at)
        .order_by(PayoutAccountRow.merchant_id, PayoutAccountRow.valid_from.desc(), PayoutAccountRow.id.desc())
    )
    return [_payout_account(row) for row in await tx.connection.execute(query)]


def _merchant(row: Any) -> Merchant:
    return Merchant(row.id, row.number, row.name, row.invoice_number, Status(row.status), row.registered_at)


def _payout_account(row: Any) -> PayoutAccount:
    account = BankAccount(
        bank_code=row.bank_code,
        bank_kana=row.bank_kana,
        branch_code=row.branch_code,
        branch_kana=row.branch_kana,
        kind=AccountKind(int(row.kind)),
        number=row.number,
        holder_kana=row.holder_kana,
        override_reason=row.override_reason,
    )
    return PayoutAccount(row.id, row.merchant_id, account, row.set_by, row.valid_from)
