"""Statements on one-time codes and on tried passwords: what is counted before it is compared."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import case, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.identity.tables.schema import PasswordTriesRow, SignInCodeRow
from services.kit.db import Tx


@dataclass(frozen=True)
class SentCode:
    """A code as it is kept, after one of its tries was taken."""

    phone: str = field(repr=False)
    mac: bytes = field(repr=False)
    tries_left: int


async def lock_phone(tx: Tx, phone: str) -> None:
    """Let one request for a code to this phone count what was sent at a time."""
    key = func.hashtextextended(f"sign_in_code:{phone}", 0)
    await tx.connection.execute(select(func.pg_advisory_xact_lock(key)))


async def codes_sent(tx: Tx, phone: str, since: datetime) -> list[datetime]:
    query = select(SignInCodeRow.sent_at).where(SignInCodeRow.phone == phone, SignInCodeRow.sent_at > since)
    return list((await tx.connection.execute(query)).scalars())


async def insert_code(tx: Tx, attempt_id: UUID, phone: str, mac: bytes, expires_at: datetime, tries: int) -> None:
    row = {
        "id": attempt_id,
        "phone": phone,
        "code_mac": mac,
        "sent_at": tx.now,
        "expires_at": expires_at,
        "tries_left": tries,
    }
    await tx.connection.execute(insert(SignInCodeRow).values(row))


async def take_code_try(tx: Tx, attempt_id: UUID) -> SentCode | None:
    """Take one try of a living code, whoever else is taking one; None when there is none to take."""
    statement = (
        update(SignInCodeRow)
        .where(
            SignInCodeRow.id == attempt_id,
            SignInCodeRow.used_at.is_(None),
            SignInCodeRow.expires_at > tx.now,
            SignInCodeRow.tries_left > 0,
        )
        .values(tries_left=SignInCodeRow.tries_left - 1)
        .returning(SignInCodeRow.phone, SignInCodeRow.code_mac, SignInCodeRow.tries_left)
    )
    row = (await tx.connection.execute(statement)).one_or_none()
    return SentCode(*row) if row else None


async def is_exhausted(tx: Tx, attempt_id: UUID) -> bool:
    """Whether the code would still live if it had a try left."""
    query = select(SignInCodeRow.id).where(
        SignInCodeRow.id == attempt_id,
        SignInCodeRow.used_at.is_(None),
        SignInCodeRow.expires_at > tx.now,
        SignInCodeRow.tries_left == 0,
    )
    return (await tx.connection.execute(query)).first() is not None


async def use_code(tx: Tx, attempt_id: UUID, phone: str) -> bool:
    """Use the code up; False if it was used or is too old by now."""
    statement = (
        update(SignInCodeRow)
        .where(
            SignInCodeRow.id == attempt_id,
            SignInCodeRow.phone == phone,
            SignInCodeRow.used_at.is_(None),
            SignInCodeRow.expires_at > tx.now,
        )
        .values(used_at=tx.now)
        .returning(SignInCodeRow.id)
    )
    return (await tx.connection.execute(statement)).first() is not None


async def take_password_try(tx: Tx, email: str, window: timedelta, tries: int) -> bool:
    """Count one more try for the address; False when the window holds `tries` already.

    One statement on one row: parallel guesses take turns, and none sees an old count.
    """
    over = PasswordTriesRow.window_began_at <= tx.now - window
    row = {"email": email, "window_began_at": tx.now, "tries": 1}
    statement = (
        upsert(PasswordTriesRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=[PasswordTriesRow.email],
            set_={
                "window_began_at": case((over, tx.now), else_=PasswordTriesRow.window_began_at),
                "tries": case((over, 1), else_=PasswordTriesRow.tries + 1),
            },
            where=or_(over, PasswordTriesRow.tries < tries),
        )
        .returning(PasswordTriesRow.tries)
    )
    return (await tx.connection.execute(statement)).first() is not None


async def password_window(tx: Tx, email: str) -> datetime:
    """When the address's window of tries began."""
    query = select(PasswordTriesRow.window_began_at).where(PasswordTriesRow.email == email)
    began: datetime = (await tx.connection.execute(query)).scalar_one()
    return began


async def give_try_back(tx: Tx, email: str) -> None:
    """Take the right password's own try out of the count; wrong ones stay counted."""
    statement = (
        update(PasswordTriesRow)
        .where(PasswordTriesRow.email == email, PasswordTriesRow.tries > 0)
        .values(tries=PasswordTriesRow.tries - 1)
    )
    await tx.connection.execute(statement)
