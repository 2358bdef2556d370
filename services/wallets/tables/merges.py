"""Tables of wallets that were merged and of what moved from lot to lot; and every statement on them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Text, Uuid, func, insert, literal, select, update
from sqlalchemy.orm import Mapped, aliased, mapped_column

from services.kit.db import Base, Tx
from services.kit.sets import any_of, as_rows, insert_rows
from services.kit.tables import Instant
from services.wallets.lots import Lot
from services.wallets.tables.access import in_line_of
from services.wallets.tables.holdings import LOT, lot_of
from services.wallets.tables.schema import BoughtRow, LotRow, PurchaseRow, WalletRow


class WalletMergeRow(Base):
    """A wallet that was closed, into which other its value went, on whose word; written once."""

    __tablename__ = "wallet_merge"
    __table_args__ = (
        CheckConstraint("closed_id <> into_id", name="two_wallets"),
        CheckConstraint("approved_by <> proposed_by", name="second_officer"),
        Index("ix_wallet_merge_into_id", "into_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    closed_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"), unique=True)
    into_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"))
    change_id: Mapped[UUID] = mapped_column(ForeignKey("proposed_change.id"))
    evidence: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    proposed_by: Mapped[UUID] = mapped_column()
    approved_by: Mapped[UUID] = mapped_column()
    merged_at: Mapped[datetime] = mapped_column(Instant)


class LotMoveRow(Base):
    """What one lot gave to the lot in its place, or had back from it; one journal each, written once."""

    __tablename__ = "lot_move"
    __table_args__ = (
        CheckConstraint("from_lot_id <> to_lot_id", name="two_lots"),
        CheckConstraint("paid_yen >= 0 AND premium_yen >= 0 AND paid_yen + premium_yen > 0", name="parts"),
        Index("ix_lot_move_from_lot_id", "from_lot_id"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    from_lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    to_lot_id: Mapped[UUID] = mapped_column(ForeignKey("lot.id"))
    paid_yen: Mapped[int] = mapped_column(BigInteger)
    premium_yen: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime] = mapped_column(Instant)


@dataclass(frozen=True)
class Merge:
    """A merge as it is written down; `change_id` is the proposal that two officers agreed to."""

    id: UUID
    closed_id: UUID
    into_id: UUID
    change_id: UUID
    evidence: str
    reason: str = field(repr=False)
    proposed_by: UUID
    approved_by: UUID


@dataclass(frozen=True)
class Bought:
    """What a wallet, and those that were merged into it, have bought or reserved of a programme, in yen."""

    programme_id: UUID
    yen: int


async def close_wallet(tx: Tx, merge: Merge) -> None:
    """Close a locked wallet for good, and write down why."""
    closed = {"status": "merged", "merged_into_id": merge.into_id}
    await tx.connection.execute(update(WalletRow).where(WalletRow.id == merge.closed_id).values(closed))
    await tx.connection.execute(insert_rows(WalletMergeRow, [vars(merge) | {"merged_at": tx.now}]))


async def find_merge(tx: Tx, merge_id: UUID) -> Merge | None:
    query = select(*(getattr(WalletMergeRow, name) for name in Merge.__dataclass_fields__))
    row = (await tx.connection.execute(query.where(WalletMergeRow.id == merge_id))).one_or_none()
    return Merge(*row) if row else None


async def lots_to_pass_on(tx: Tx, wallet_id: UUID) -> list[Lot]:
    """Lots of a closed wallet that hold something, or that no lot has taken the place of yet."""
    after = aliased(LotRow)
    query = select(*LOT).outerjoin(after, after.moved_from_id == LotRow.id).where(LotRow.wallet_id == wallet_id)
    query = query.where((LotRow.paid_yen + LotRow.premium_yen > 0) | after.id.is_(None)).order_by(LotRow.id)
    return [lot_of(row) for row in await tx.connection.execute(query)]


async def last_in_place_of(tx: Tx, lot_ids: Collection[UUID]) -> dict[UUID, Lot]:
    """For those of the lots whose place another has taken, the last one that has; by the first."""
    first, further = aliased(LotRow), aliased(LotRow)
    line = select(first.moved_from_id.label("root"), first.id).where(first.moved_from_id == any_of(lot_ids))
    chain = line.cte("chain", recursive=True)
    chain = chain.union_all(select(chain.c.root, further.id).join(chain, further.moved_from_id == chain.c.id))
    after = aliased(LotRow)
    query = select(chain.c.root, *LOT).join(LotRow, LotRow.id == chain.c.id)
    query = query.outerjoin(after, after.moved_from_id == LotRow.id).where(after.id.is_(None))
    return {row[0]: lot_of(row[1:]) for row in await tx.connection.execute(query)}


_COPIED = tuple(column for column in LOT if column.key not in ("id", "wallet_id", "paid_yen", "premium_yen"))


async def put_in_place(tx: Tx, wallet_id: UUID, pairs: Sequence[tuple[UUID, UUID]]) -> None:
    """Empty lots of a wallet in the place of others, as (its place, the new id): everything else is as it was."""
    given = as_rows("given", (LotRow.moved_from_id, LotRow.id), [{"moved_from_id": a, "id": b} for a, b in pairs])
    names = ["id", "wallet_id", "paid_yen", "premium_yen", "moved_from_id", *(column.key for column in _COPIED)]
    new = (given.c.id, literal(wallet_id, Uuid()), 0, 0, LotRow.id, *_COPIED)
    query = select(*new).join(given, given.c.moved_from_id == LotRow.id)
    await tx.connection.execute(insert(LotRow).from_select(names, query))


async def lengthen(tx: Tx, until: Mapping[UUID, datetime]) -> None:
    """Give lots at least the time of those whose value they take over."""
    rows = [{"id": lot_id, "expires_at": instant} for lot_id, instant in until.items()]
    change = as_rows("change", (LotRow.id, LotRow.expires_at), rows)
    longer = (LotRow.id == change.c.id, LotRow.expires_at < change.c.expires_at)
    await tx.connection.execute(update(LotRow).where(*longer).values(expires_at=change.c.expires_at))


async def insert_moves(tx: Tx, moves: Sequence[tuple[UUID, UUID, UUID, int, int]]) -> None:
    """(id, from, to, paid yen, premium yen) of what moved, any number in one statement."""
    keys = ("id", "from_lot_id", "to_lot_id", "paid_yen", "premium_yen")
    rows = [dict(zip(keys, each, strict=True)) | {"moved_at": tx.now} for each in moves]
    await tx.connection.execute(insert_rows(LotMoveRow, rows))


async def bought_of(tx: Tx, wallet_id: UUID) -> list[Bought]:
    """What counts against the caps of a wallet's person, by programme."""
    mine = in_line_of(BoughtRow.wallet_id, wallet_id)
    query = select(BoughtRow.programme_id, func.sum(BoughtRow.bought_yen)).where(mine)
    rows = await tx.connection.execute(query.group_by(BoughtRow.programme_id).order_by(BoughtRow.programme_id))
    return [Bought(row[0], int(row[1])) for row in rows]


async def count_open_purchases(tx: Tx, wallet_id: UUID) -> int:
    """Purchases of a wallet that wait for the channel's word."""
    query = select(func.count()).where(PurchaseRow.wallet_id == wallet_id, PurchaseRow.status == "reserved")
    return int((await tx.connection.execute(query)).scalar_one())
