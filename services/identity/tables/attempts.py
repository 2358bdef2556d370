"""Statements on one-time codes and on tried passwords: what is counted before it is compared."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Executable, Integer, Text, Uuid, bindparam, case, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.identity.tables.schema import PasswordSpreadRow, PasswordTriesRow, SignInCodeRow
from services.kit.db import Tx
from services.kit.sets import by_columns, insert_later
from services.kit.statements import Statement
from services.kit.tables import Instant
from services.kit.turns import take_turn

_CODE = ("id", "phone", "code_mac", "sent_at", "expires_at", "tries_left")


@dataclass(frozen=True)
class SentCode:
    """A code as it is kept, after one of its tries was taken."""

    phone: str = field(repr=False)
    mac: bytes = field(repr=False)
    tries_left: int


async def lock_phone(tx: Tx, phone: str) -> None:
    """Let one request for a code to this phone count what was sent at a time."""
    await take_turn(tx, f"sign_in_code:{phone}")


async def codes_sent(tx: Tx, phone: str, since: datetime) -> list[datetime]:
    return [row[0] for row in await _CODES_SENT.rows(tx, {"of_phone": phone, "since": since})]


def _codes_sent() -> Executable:
    since = SignInCodeRow.sent_at > bindparam("since", type_=Instant)
    return select(SignInCodeRow.sent_at).where(SignInCodeRow.phone == bindparam("of_phone", type_=Text()), since)


_CODES_SENT = Statement(_codes_sent)


async def insert_code(tx: Tx, attempt_id: UUID, phone: str, mac: bytes, expires_at: datetime, tries: int) -> None:
    row = (attempt_id, phone, mac, tx.now, expires_at, tries)
    await _INSERT_CODE.rows(tx, by_columns(SignInCodeRow.__tablename__, _CODE, [row]))


_INSERT_CODE = Statement(lambda: insert_later(SignInCodeRow, _CODE))


async def take_code_try(tx: Tx, attempt_id: UUID) -> SentCode | None:
    """Take one try of a living code, whoever else is taking one; None when there is none to take."""
    rows = await _TAKE_CODE_TRY.rows(tx, {"attempt_id": attempt_id, "at": tx.now})
    return SentCode(*rows[0]) if rows else None


def _take_code_try() -> Executable:
    return (
        update(SignInCodeRow)
        .where(
            SignInCodeRow.id == bindparam("attempt_id", type_=Uuid()),
            SignInCodeRow.used_at.is_(None),
            SignInCodeRow.expires_at > bindparam("at", type_=Instant),
            SignInCodeRow.tries_left > 0,
        )
        .values(tries_left=SignInCodeRow.tries_left - 1)
        .returning(SignInCodeRow.phone, SignInCodeRow.code_mac, SignInCodeRow.tries_left)
    )


_TAKE_CODE_TRY = Statement(_take_code_try)


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
    return bool(await _USE_CODE.rows(tx, {"attempt_id": attempt_id, "of_phone": phone, "at": tx.now}))


def _use_code() -> Executable:
    at = bindparam("at", type_=Instant)
    return (
        update(SignInCodeRow)
        .where(
            SignInCodeRow.id == bindparam("attempt_id", type_=Uuid()),
            SignInCodeRow.phone == bindparam("of_phone", type_=Text()),
            SignInCodeRow.used_at.is_(None),
            SignInCodeRow.expires_at > at,
        )
        .values(used_at=at)
        .returning(SignInCodeRow.id)
    )


_USE_CODE = Statement(_use_code)


async def take_password_try(tx: Tx, email: str, window: timedelta, tries: int) -> bool:
    """Count one more try for the address; False when the window holds `tries` already.

    One statement on one row: parallel guesses take turns, and none sees an old count.
    """
    values = {"address": email, "at": tx.now, "since": tx.now - window, "most": tries}
    return bool(await _TAKE_PASSWORD_TRY.rows(tx, values))


def _take_password_try() -> Executable:
    at = bindparam("at", type_=Instant)
    over = PasswordTriesRow.window_began_at <= bindparam("since", type_=Instant)
    row = {"email": bindparam("address", type_=Text()), "window_began_at": at, "tries": 1}
    return (
        upsert(PasswordTriesRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=[PasswordTriesRow.email],
            set_={
                "window_began_at": case((over, at), else_=PasswordTriesRow.window_began_at),
                "tries": case((over, 1), else_=PasswordTriesRow.tries + 1),
            },
            where=or_(over, PasswordTriesRow.tries < bindparam("most", type_=Integer())),
        )
        .returning(PasswordTriesRow.tries)
    )


_TAKE_PASSWORD_TRY = Statement(_take_password_try)


async def password_window(tx: Tx, email: str) -> datetime:
    """When the address's window of tries began."""
    query = select(PasswordTriesRow.window_began_at).where(PasswordTriesRow.email == email)
    began: datetime = (await tx.connection.execute(query)).scalar_one()
    return began


async def give_try_back(tx: Tx, email: str) -> None:
    """Take the right password's own try out of the count; wrong ones stay counted."""
    await _GIVE_TRY_BACK.rows(tx, {"address": email})


def _give_try_back() -> Executable:
    counted = (PasswordTriesRow.email == bindparam("address", type_=Text()), PasswordTriesRow.tries > 0)
    return update(PasswordTriesRow).where(*counted).values(tries=PasswordTriesRow.tries - 1)


_GIVE_TRY_BACK = Statement(_give_try_back)


async def take_spread_try(tx: Tx, bucket: int, window: timedelta, tries: int) -> bool:
    """Count one more try of a bucket's passwords; False when the window holds `tries` already."""
    values = {"in_bucket": bucket, "at": tx.now, "since": tx.now - window, "most": tries}
    return bool(await _TAKE_SPREAD_TRY.rows(tx, values))


def _take_spread_try() -> Executable:
    at = bindparam("at", type_=Instant)
    over = PasswordSpreadRow.window_began_at <= bindparam("since", type_=Instant)
    row = {"bucket": bindparam("in_bucket", type_=Integer()), "window_began_at": at, "tries": 1}
    return (
        upsert(PasswordSpreadRow)
        .values(row)
        .on_conflict_do_update(
            index_elements=[PasswordSpreadRow.bucket],
            set_={
                "window_began_at": case((over, at), else_=PasswordSpreadRow.window_began_at),
                "tries": case((over, 1), else_=PasswordSpreadRow.tries + 1),
            },
            where=or_(over, PasswordSpreadRow.tries < bindparam("most", type_=Integer())),
        )
        .returning(PasswordSpreadRow.tries)
    )


_TAKE_SPREAD_TRY = Statement(_take_spread_try)


async def spread_window(tx: Tx, bucket: int) -> datetime:
    """When the bucket's window of tries began."""
    query = select(PasswordSpreadRow.window_began_at).where(PasswordSpreadRow.bucket == bucket)
    began: datetime = (await tx.connection.execute(query)).scalar_one()
    return began


async def give_spread_back(tx: Tx, bucket: int) -> None:
    """Take a right password's own try out of its bucket's count."""
    await _GIVE_SPREAD_BACK.rows(tx, {"in_bucket": bucket})


def _give_spread_back() -> Executable:
    counted = (PasswordSpreadRow.bucket == bindparam("in_bucket", type_=Integer()), PasswordSpreadRow.tries > 0)
    return update(PasswordSpreadRow).where(*counted).values(tries=PasswordSpreadRow.tries - 1)


_GIVE_SPREAD_BACK = Statement(_give_spread_back)
