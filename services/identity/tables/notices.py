"""Tables of how often an account's owner was told, and in which language; and every statement on them."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Integer, Text, case, or_, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Mapped, mapped_column

from services.identity.notice import About
from services.kit.db import Base, Tx
from services.kit.tables import Instant


class NoticeCountRow(Base):
    """Notices of one kind to an account since a window began; counted before one is sent."""

    __tablename__ = "notice_count"
    __table_args__ = (CheckConstraint("about IN ('sign_in', 'end')", name="about"),)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    about: Mapped[str] = mapped_column(Text, primary_key=True)
    window_began_at: Mapped[datetime] = mapped_column(Instant)
    sent: Mapped[int] = mapped_column(Integer)


class NoticeLanguageRow(Base):
    """The language of the client on which an account's owner last signed in as somebody who had been there before."""

    __tablename__ = "notice_language"
    __table_args__ = (CheckConstraint("language IN ('ja', 'en', 'ja-simple')", name="language"),)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("account.id"), primary_key=True)
    language: Mapped[str] = mapped_column(Text)


async def take_notice(tx: Tx, account_id: UUID, about: About, window: timedelta, most: int) -> bool:
    """Count one more; False when the window holds `most` already. One statement on one row."""
    over = NoticeCountRow.window_began_at <= tx.now - window
    statement = (
        upsert(NoticeCountRow)
        .values(account_id=account_id, about=about.value, window_began_at=tx.now, sent=1)
        .on_conflict_do_update(
            index_elements=[NoticeCountRow.account_id, NoticeCountRow.about],
            set_={
                "window_began_at": case((over, tx.now), else_=NoticeCountRow.window_began_at),
                "sent": case((over, 1), else_=NoticeCountRow.sent + 1),
            },
            where=or_(over, NoticeCountRow.sent < most),
        )
        .returning(NoticeCountRow.sent)
    )
    return (await tx.connection.execute(statement)).one_or_none() is not None


async def note_language(tx: Tx, account_id: UUID, language: str) -> None:
    """Not a column of the account: its row is shared by everybody who signs in, and altered by none of them."""
    statement = (
        upsert(NoticeLanguageRow)
        .values(account_id=account_id, language=language)
        .on_conflict_do_update(
            index_elements=[NoticeLanguageRow.account_id],
            set_={"language": language},
            where=NoticeLanguageRow.language != language,
        )
    )
    await tx.connection.execute(statement)


async def language_of(tx: Tx, account_id: UUID) -> str | None:
    query = select(NoticeLanguageRow.language).where(NoticeLanguageRow.account_id == account_id)
    found: str | None = (await tx.connection.execute(query)).scalar_one_or_none()
    return found
