"""Tables of printed cards, what they spent today and the wrong PINs tried; and every statement on them."""

from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Text,
    case,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from services.kit.db import Base, Tx
from services.kit.sets import insert_rows
from services.kit.tables import Instant
from services.wallets.card import Card, CardStatus, OwnLimits


class CardRow(Base):
    """A printed card of a wallet; one that works at most."""

    __tablename__ = "card"
    __table_args__ = (
        CheckConstraint("status IN ('active', 'frozen', 'replaced')", name="status"),
        CheckConstraint("without_pin_yen >= 0 AND payment_yen > 0 AND day_yen > 0", name="own_limits"),
        Index("ix_card_wallet", "wallet_id"),
        Index("ix_card_working", "wallet_id", unique=True, postgresql_where="status <> 'replaced'"),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    wallet_id: Mapped[UUID] = mapped_column(ForeignKey("wallet.id"))
    status: Mapped[str] = mapped_column(Text)
    pin_mac: Mapped[bytes] = mapped_column(LargeBinary)
    without_pin_yen: Mapped[int | None] = mapped_column(BigInteger)
    payment_yen: Mapped[int | None] = mapped_column(BigInteger)
    day_yen: Mapped[int | None] = mapped_column(BigInteger)
    issued_at: Mapped[datetime] = mapped_column(Instant)
    issued_by: Mapped[UUID] = mapped_column()


class CardSpentRow(Base):
    """What a card paid on a civil day; cancels are not taken off."""

    __tablename__ = "card_spent"
    __table_args__ = (CheckConstraint("spent_yen > 0", name="spent"),)
    card_id: Mapped[UUID] = mapped_column(ForeignKey("card.id"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    spent_yen: Mapped[int] = mapped_column(BigInteger)


class CardTriesRow(Base):
    """PINs tried since a window began: of a card at tills, by a clerk's device; on the web of a card, of an address."""

    __tablename__ = "card_tries"
    __table_args__ = (CheckConstraint("place IN ('card', 'till', 'web', 'address')", name="place"),)
    place: Mapped[str] = mapped_column(Text, primary_key=True)
    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(Integer)


_OWN = (CardRow.without_pin_yen, CardRow.payment_yen, CardRow.day_yen)
_CARD = (CardRow.id, CardRow.number, CardRow.wallet_id, CardRow.status, CardRow.pin_mac, *_OWN)


async def find_card(tx: Tx, number: str, *, hold: bool = False) -> Card | None:
    """The card of a number; with `hold` nobody freezes or replaces it until this transaction ends."""
    query = select(*_CARD).where(CardRow.number == number)
    row = (await tx.connection.execute(query.with_for_update(read=True) if hold else query)).one_or_none()
    return _card(row) if row else None


async def cards_of(tx: Tx, wallet_id: UUID) -> Sequence[Card]:
    query = select(*_CARD).where(CardRow.wallet_id == wallet_id).order_by(CardRow.id)
    return [_card(row) for row in await tx.connection.execute(query)]


async def insert_card(tx: Tx, card: Card, officer_id: UUID) -> None:
    row = vars(card) | vars(card.own) | {"status": card.status.value, "issued_at": tx.now, "issued_by": officer_id}
    del row["own"]
    await tx.connection.execute(insert_rows(CardRow, [row]))


async def own_limits_of(tx: Tx, wallet_id: UUID) -> OwnLimits:
    """What the holder of the wallet's present card wants; nothing where there is none."""
    query = select(*_OWN).where(CardRow.wallet_id == wallet_id, CardRow.status != CardStatus.REPLACED.value)
    row = (await tx.connection.execute(query)).one_or_none()
    return OwnLimits(*row) if row else OwnLimits()


async def set_own_limits(tx: Tx, card_id: UUID, own: OwnLimits) -> bool:
    """False for a card that was replaced."""
    its = (CardRow.id == card_id, CardRow.status != CardStatus.REPLACED.value)
    statement = update(CardRow).where(*its).values(vars(own)).returning(CardRow.id)
    return (await tx.connection.execute(statement)).first() is not None


async def set_pin(tx: Tx, card_id: UUID, old_mac: bytes, new_mac: bytes) -> bool:
    """False for a card that was replaced, or whose PIN is another by now."""
    its = (CardRow.id == card_id, CardRow.status != CardStatus.REPLACED.value, CardRow.pin_mac == old_mac)
    statement = update(CardRow).where(*its).values(pin_mac=new_mac).returning(CardRow.id)
    return (await tx.connection.execute(statement)).first() is not None


async def replace_cards(tx: Tx, wallet_id: UUID) -> None:
    """No earlier card of the wallet works any more."""
    statement = update(CardRow).where(CardRow.wallet_id == wallet_id).values(status=CardStatus.REPLACED.value)
    await tx.connection.execute(statement)


async def set_status(tx: Tx, number: str, status: CardStatus) -> Card | None:
    """Freeze a card or let it work again; None for one that does not exist or was replaced."""
    its = (CardRow.number == number, CardRow.status != CardStatus.REPLACED.value)
    statement = update(CardRow).where(*its).values(status=status.value).returning(*_CARD)
    row = (await tx.connection.execute(statement)).one_or_none()
    return _card(row) if row else None


async def count_spent(tx: Tx, card_id: UUID, day: date, amount_yen: int, most_yen: int) -> bool:
    """Add to what the card paid on the day; False, and nothing is added, when that would be too much.

    One statement on one row: payments at once take turns, and none sees an old sum.
    """
    row = {"card_id": card_id, "day": day, "spent_yen": amount_yen}
    total = CardSpentRow.spent_yen + amount_yen
    statement = (
        upsert(CardSpentRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=[CardSpentRow.card_id, CardSpentRow.day],
            set_={"spent_yen": total},
            where=total <= most_yen,
        )
        .returning(CardSpentRow.spent_yen)
    )
    return (await tx.connection.execute(statement)).one_or_none() is not None


async def take_try(tx: Tx, place: str, subject_id: UUID, window: timedelta, most: int) -> bool:
    """Count one more try; False when the window holds `most` already. One statement on one row."""
    over = CardTriesRow.window_began_at <= tx.now - window
    statement = (
        upsert(CardTriesRow)
        .values(place=place, subject_id=subject_id, window_began_at=tx.now, tries=1)
        .on_conflict_do_update(
            index_elements=[CardTriesRow.place, CardTriesRow.subject_id],
            set_={
                "window_began_at": case((over, tx.now), else_=CardTriesRow.window_began_at),
                "tries": case((over, 1), else_=CardTriesRow.tries + 1),
            },
            where=or_(over, CardTriesRow.tries < most),
        )
        .returning(CardTriesRow.tries)
    )
    return (await tx.connection.execute(statement)).one_or_none() is not None


async def give_try_back(tx: Tx, place: str, subject_id: UUID) -> None:
    """Take a right PIN's own try out of the count; wrong ones stay counted."""
    its = (CardTriesRow.place == place, CardTriesRow.subject_id == subject_id, CardTriesRow.tries > 0)
    await tx.connection.execute(update(CardTriesRow).where(*its).values(tries=CardTriesRow.tries - 1))


async def seconds_left(tx: Tx, place: str, subject_id: UUID, window: timedelta) -> int:
    """Whole seconds until the window of tries is over."""
    its = (CardTriesRow.place == place, CardTriesRow.subject_id == subject_id)
    began = (await tx.connection.execute(select(CardTriesRow.window_began_at).where(*its))).scalar_one()
    return max(1, -((tx.now - began - window) // timedelta(seconds=1)))


async def hold_cards(tx: Tx, wallet_ids: Collection[UUID]) -> None:
    """Nobody pays by these wallets' cards, nor changes one, until this transaction ends."""
    query = select(CardRow.id).where(CardRow.wallet_id.in_(wallet_ids)).order_by(CardRow.id)
    await tx.connection.execute(query.with_for_update())


async def own_card_of(tx: Tx, wallet_id: UUID) -> UUID | None:
    """The wallet's present card, frozen or not; None where every one was replaced."""
    query = select(CardRow.id).where(CardRow.wallet_id == wallet_id, CardRow.status != CardStatus.REPLACED.value)
    return (await tx.connection.execute(query)).scalar_one_or_none()


async def hand_on(tx: Tx, wallet_id: UUID, to_wallet_id: UUID) -> bool:
    """Let a wallet's present card be another's, which has none; False where there is none to hand on."""
    its = (CardRow.wallet_id == wallet_id, CardRow.status != CardStatus.REPLACED.value)
    statement = update(CardRow).where(*its).values(wallet_id=to_wallet_id).returning(CardRow.id)
    return (await tx.connection.execute(statement)).first() is not None


async def freeze_working(tx: Tx, wallet_id: UUID) -> UUID | None:
    """Freeze the wallet's card that works, frozen already or not; None where it has none."""
    its = (CardRow.wallet_id == wallet_id, CardRow.status != CardStatus.REPLACED.value)
    statement = update(CardRow).where(*its).values(status=CardStatus.FROZEN.value).returning(CardRow.id)
    return (await tx.connection.execute(statement)).scalar_one_or_none()


def _card(row: Row[*tuple[Any, ...]]) -> Card:
    own = OwnLimits(row.without_pin_yen, row.payment_yen, row.day_yen)
    return Card(row.id, row.number, row.wallet_id, CardStatus(row.status), bytes(row.pin_mac), own)
