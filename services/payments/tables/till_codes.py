"""Statements that read registers' codes: polled by registers while a customer pays, and by phones that are asked."""

from uuid import UUID

from sqlalchemy import Executable, Integer, Text, Uuid, bindparam, literal_column, select

from services.kit.db import Tx
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.merchants import clauses
from services.merchants.at_till import StoreAtTill, store_at_till
from services.payments.payment import TillCode
from services.payments.tables.reading import TILL_CODE
from services.payments.tables.schema import CodeUseRow, TillCodeRow

MOST_ASKED = 10


async def find_till_code(tx: Tx, store_id: UUID, till_code_id: UUID) -> tuple[TillCode, UUID | None] | None:
    """A store's register's code, and the payment that used it."""
    rows = await _OF_STORE.rows(tx, {"store_id": store_id, "till_code_id": till_code_id})
    return (TillCode(*rows[0][:-1]), rows[0][-1]) if rows else None


def _of_store() -> Executable:
    query = select(*TILL_CODE, CodeUseRow.payment_id).outerjoin(CodeUseRow, CodeUseRow.code_id == TillCodeRow.id)
    its_store = TillCodeRow.store_id == bindparam("store_id", type_=Uuid())
    return query.where(TillCodeRow.id == bindparam("till_code_id", type_=Uuid()), its_store)


async def till_codes_asked_of(tx: Tx, wallet_id: UUID) -> list[TillCode]:
    """Codes that a wallet is asked to pay now, newest first, at most `MOST_ASKED`."""
    return [TillCode(*row) for row in await _ASKED_OF.rows(tx, {"wallet_id": wallet_id, "at": tx.now})]


def _asked_of() -> Executable:
    paid = select(CodeUseRow.code_id).where(CodeUseRow.code_id == TillCodeRow.id).exists()
    its_wallet = TillCodeRow.wallet_id == bindparam("wallet_id", type_=Uuid())
    query = select(*TILL_CODE).where(its_wallet, TillCodeRow.expires_at > bindparam("at", type_=Instant), ~paid)
    return query.order_by(TillCodeRow.id.desc()).limit(literal_column(str(MOST_ASKED), Integer))


async def store_by_till_code(tx: Tx, number: str) -> tuple[StoreAtTill, TillCode, bool] | None:
    """The store of a register's code, the code, and whether it has paid already."""
    rows = await _WITH_STORE.rows(tx, {"number": number})
    if not rows:
        return None
    row = rows[0]
    return store_at_till(row[:8]), TillCode(*row[8:-1]), row[-1]


def _with_store() -> Executable:
    used = select(CodeUseRow.code_id).where(CodeUseRow.code_id == TillCodeRow.id).exists()
    query = clauses.stores_at_till(None).join(TillCodeRow, TillCodeRow.store_id == clauses.store_id)
    return query.where(TillCodeRow.number == bindparam("number", type_=Text())).add_columns(*TILL_CODE, used)


_OF_STORE = Statement(_of_store)
_ASKED_OF = Statement(_asked_of)
_WITH_STORE = Statement(_with_store)
