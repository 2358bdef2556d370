"""The table of declined payments, and every statement on it. Written behind the payments, many at a time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Executable,
    Index,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    insert,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, aliased, mapped_column

from services.kit.db import Base, Tx
from services.kit.sets import values_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.merchants import clauses
from services.payments.decline import KEPT_FOR, MOST_A_DAY, Decline, Declined
from services.payments.payment import Mode
from services.payments.tables.schema import TillCodeRow
from services.wallets.clauses import is_phone_of, wallet_id

MOST_SHOWN = 100
DAY = timedelta(days=1)


class DeclineRow(Base):
    """A payment that was refused; added only, and forgotten by `forget_declines` alone."""

    __tablename__ = "decline"
    __table_args__ = (
        CheckConstraint("mode IN ('cpm', 'mpm', 'till', 'card')", name="mode"),
        Index("ix_decline_wallet", "wallet_id", "declined_at"),
        Index("ix_decline_declined_at", "declined_at"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    wallet_id: Mapped[UUID] = mapped_column()
    code: Mapped[str] = mapped_column(Text)
    params: Mapped[Any] = mapped_column(JSONB)
    mode: Mapped[str] = mapped_column(Text)
    amount_yen: Mapped[int | None] = mapped_column(BigInteger)
    store_id: Mapped[UUID | None] = mapped_column()
    declined_at: Mapped[datetime] = mapped_column(Instant)


_GIVEN = {
    "id": Uuid(),
    "wallet_id": Uuid(),
    "code": Text(),
    "params": Text(),
    "mode": Text(),
    "amount_yen": BigInteger(),
    "declined_at": Instant,
    "store_id": Uuid(),
    "store_code": Text(),
    "till_number": Text(),
    "device_id": Uuid(),
}
_DECLINE = tuple(getattr(DeclineRow, name) for name in Decline.__dataclass_fields__)


async def insert_declines(tx: Tx, given: Sequence[Declined]) -> int:
    """Keep those whose wallet exists, whose phone is the wallet's, and that are not too many; how many."""
    rows = [
        vars(each)
        | {"id": new, "params": msgspec.json.encode(each.params, enc_hook=str).decode(), "mode": each.mode.value}
        for each, new in zip(given, tx.new_ids(len(given)), strict=True)
    ]
    values = {f"given_{name}": [row[name] for row in rows] for name in _GIVEN}
    return len(await _INSERT.rows(tx, values))


def _insert() -> Executable:
    given = values_later("given", **_GIVEN)
    earlier = aliased(DeclineRow)
    last_day = (earlier.wallet_id == given.c.wallet_id, earlier.declined_at > given.c.declined_at - DAY)
    some = select(earlier.id).where(*last_day).limit(MOST_A_DAY).correlate(given).subquery()
    at_store = select(clauses.store_id).where(clauses.store_code == given.c.store_code).scalar_subquery()
    at_till = select(TillCodeRow.store_id).where(TillCodeRow.number == given.c.till_number).scalar_subquery()
    of_till = select(TillCodeRow.amount_yen).where(TillCodeRow.number == given.c.till_number).scalar_subquery()
    kept = select(
        given.c.id,
        given.c.wallet_id,
        given.c.code,
        cast(given.c.params, JSONB),
        given.c.mode,
        func.coalesce(given.c.amount_yen, of_till),
        func.coalesce(given.c.store_id, at_store, at_till),
        given.c.declined_at,
    ).where(
        select(wallet_id).where(wallet_id == given.c.wallet_id).exists(),
        or_(given.c.device_id.is_(None), is_phone_of(given.c.device_id, given.c.wallet_id)),
        select(func.count()).select_from(some).scalar_subquery() < MOST_A_DAY,
    )
    names = ["id", "wallet_id", "code", "params", "mode", "amount_yen", "store_id", "declined_at"]
    return insert(DeclineRow).from_select(names, kept).returning(DeclineRow.id)


_INSERT = Statement(_insert)


async def find_declines(tx: Tx, wallet_id: UUID, limit: int) -> Sequence[Decline]:
    """A wallet's last declines that are not to be forgotten yet, the newest first."""
    its = (DeclineRow.wallet_id == wallet_id, DeclineRow.declined_at > tx.now - KEPT_FOR)
    query = select(*_DECLINE).where(*its).order_by(DeclineRow.declined_at.desc(), DeclineRow.id.desc()).limit(limit)
    found = [dict(row._mapping) for row in await tx.connection.execute(query)]
    return [Decline(**(each | {"mode": Mode(each["mode"])})) for each in found]


async def forget_declines(tx: Tx) -> int:
    """Remove what is older than it is kept; the database's own clock bounds what the program may say."""
    asked = select(func.forget_declines(bindparam("at", tx.now, type_=Instant)))
    return int((await tx.connection.execute(asked)).scalar_one())
