"""Statements on sessions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Executable,
    LargeBinary,
    ScalarSelect,
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    select,
    update,
)

from services.identity.people import AccountKind, AccountStatus
from services.identity.session import MOST_OPEN, Carrier, EndedAs, Kept, NewPhone, Session
from services.identity.tables.schema import AccountRow, SessionRow
from services.kit.db import Tx
from services.kit.sets import by_columns, insert_later
from services.kit.statements import Statement
from services.kit.tables import Instant

_NEW = (
    "id",
    "account_id",
    "carrier",
    "client",
    "family_hash",
    "turn_hash",
    "opened_at",
    "refreshed_at",
    "expires_at",
    "latest_at",
    "limited_until",
    "limit_yen",
    "owes_secret",
    "register_id",
)
_ID, _ACCOUNT = bindparam("session_id", type_=Uuid()), bindparam("of_account", type_=Uuid())
_AT = bindparam("at", type_=Instant)


def lives(session_id: Any, account_id: Any, at: Any) -> ColumnElement[bool]:
    """True where the session is the account's and can still be used at an instant; each is a value or an expression."""
    found = exists().where(
        SessionRow.id == session_id,
        SessionRow.account_id == account_id,
        SessionRow.ended_at.is_(None),
        SessionRow.expires_at > at,
    )
    return found.correlate_except(SessionRow)


async def insert_session(
    tx: Tx,
    session: Session,
    account_id: UUID,
    hashes: tuple[bytes, bytes],
    latest_at: datetime,
    new_phone: NewPhone | None = None,
    *,
    owes_secret: bool = False,
    register_id: UUID | None = None,
) -> None:
    """`hashes` are those of the family and of the first turn."""
    row = (session.id, account_id, session.carrier.value, session.client, *hashes)
    times = (session.opened_at, session.refreshed_at, session.expires_at, latest_at)
    limit = (None, None) if new_phone is None else (new_phone.until, new_phone.limit_yen)
    values = (*row, *times, *limit, owes_secret, register_id)
    await _INSERT.rows(tx, by_columns(SessionRow.__tablename__, _NEW, [values]))


_INSERT = Statement(lambda: insert_later(SessionRow, _NEW))


async def new_phone_of(tx: Tx, account_id: UUID, session_id: UUID) -> NewPhone | None:
    """What limits the phone that this session of the account is on; None for a phone that is not new."""
    its = (SessionRow.id == session_id, SessionRow.account_id == account_id, SessionRow.limited_until > tx.now)
    query = select(SessionRow.limited_until, SessionRow.limit_yen).where(*its)
    row = (await tx.connection.execute(query)).one_or_none()
    return None if row is None or row[0] is None or row[1] is None else NewPhone(row[0], row[1])


async def opened_at(tx: Tx, account_id: UUID, session_id: UUID) -> datetime | None:
    """When a session of the account was signed in to, however it stands otherwise."""
    its = (SessionRow.id == session_id, SessionRow.account_id == account_id)
    found: datetime | None = (
        await tx.connection.execute(select(SessionRow.opened_at).where(*its))
    ).scalar_one_or_none()
    return found


async def owes_secret(tx: Tx, account_id: UUID, session_id: UUID) -> bool:
    """Whether a session of the account owes a secret, however it stands otherwise."""
    its = (SessionRow.id == session_id, SessionRow.account_id == account_id, SessionRow.owes_secret)
    return (await tx.connection.execute(select(SessionRow.id).where(*its))).first() is not None


async def take_secret_try(tx: Tx, account_id: UUID, session_id: UUID, most: int) -> int | None:
    """Count a try of a session that owes; which one it was, None when there is none to take."""
    its = (SessionRow.id == session_id, SessionRow.account_id == account_id, SessionRow.owes_secret)
    statement = update(SessionRow).where(*its, SessionRow.secret_tries < most)
    counted = statement.values(secret_tries=SessionRow.secret_tries + 1).returning(SessionRow.secret_tries)
    tries: int | None = (await tx.connection.execute(counted)).scalar_one_or_none()
    return tries


async def settle_secret(tx: Tx, account_id: UUID, session_id: UUID) -> bool:
    """An open session owes nothing any more; False where it did not."""
    its = (SessionRow.id == session_id, SessionRow.account_id == account_id, SessionRow.owes_secret)
    statement = update(SessionRow).where(*its, SessionRow.ended_at.is_(None)).values(owes_secret=False)
    return (await tx.connection.execute(statement.returning(SessionRow.id))).first() is not None


def limit_of(account_id: Any, at: Any) -> ScalarSelect[Any]:
    """The smallest limit among the account's open sessions on new phones; NULL where there is none."""
    return (
        select(func.min(SessionRow.limit_yen))
        .where(
            SessionRow.account_id == account_id,
            SessionRow.limited_until > at,
            SessionRow.ended_at.is_(None),
            SessionRow.expires_at > at,
        )
        .correlate_except(SessionRow)
        .scalar_subquery()
    )


async def lock_session(tx: Tx, session_id: UUID) -> Kept | None:
    """The session, which no other refresh and no ending touches until this transaction ends."""
    rows = await _LOCK.rows(tx, {"session_id": session_id})
    if not rows:
        return None
    (key, account_id, kind, status, carrier, family, turn), (*times, ended_at, register_id) = rows[0][:7], rows[0][7:]
    refreshed_at, expires_at, latest_at = times
    states = (AccountKind(kind), status == AccountStatus.ACTIVE.value, Carrier(carrier))
    ended = ended_at is not None
    return Kept(key, account_id, *states, family, turn, refreshed_at, expires_at, latest_at, ended, register_id)


def _lock() -> Executable:
    columns = (SessionRow.carrier, SessionRow.family_hash, SessionRow.turn_hash, SessionRow.refreshed_at)
    return (
        select(SessionRow.id, SessionRow.account_id, AccountRow.kind, AccountRow.status, *columns)
        .add_columns(SessionRow.expires_at, SessionRow.latest_at, SessionRow.ended_at, SessionRow.register_id)
        .join(AccountRow, AccountRow.id == SessionRow.account_id)
        .where(SessionRow.id == _ID)
        .with_for_update(of=SessionRow)
    )


_LOCK = Statement(_lock)


async def is_known(tx: Tx, account_id: UUID, session_id: UUID, family_hash: bytes) -> bool:
    """Whether the account had this session, which may be over, but not because it was copied."""
    values = {"of_account": account_id, "session_id": session_id, "its_family": family_hash}
    return bool(await _IS_KNOWN.rows(tx, values))


def _is_known() -> Executable:
    its = (SessionRow.id == _ID, SessionRow.account_id == _ACCOUNT)
    family = SessionRow.family_hash == bindparam("its_family", type_=LargeBinary())
    return select(SessionRow.id).where(*its, family, SessionRow.ended_as.is_distinct_from(EndedAs.REFRESH_REUSED.value))


_IS_KNOWN = Statement(_is_known)


async def turn(tx: Tx, session_id: UUID, turn_hash: bytes, expires_at: datetime) -> None:
    """Begin a session's next turn."""
    values = {"session_id": session_id, "next_hash": turn_hash, "until": expires_at, "at": tx.now}
    await _TURN.rows(tx, values)


def _turn() -> Executable:
    values = {
        "turn_hash": bindparam("next_hash", type_=LargeBinary()),
        "expires_at": bindparam("until", type_=Instant),
        "refreshed_at": _AT,
    }
    return update(SessionRow).where(SessionRow.id == _ID).values(values)


_TURN = Statement(_turn)


async def end_session(tx: Tx, account_id: UUID, session_id: UUID, ended_as: EndedAs) -> bool:
    """End one open session of the account; False when it has none of that id."""
    values = {"of_account": account_id, "session_id": session_id, "reason": ended_as.value, "at": tx.now}
    return bool(await _END_ONE.rows(tx, values))


async def end_sessions(tx: Tx, account_id: UUID, ended_as: EndedAs, but: UUID | None = None) -> int:
    """End the account's open sessions, all `but` one; how many there were."""
    values = {"of_account": account_id, "kept_id": but, "reason": ended_as.value, "at": tx.now}
    return len(await _END_ALL.rows(tx, values))


async def make_room(tx: Tx, account_id: UUID, ended_as: EndedAs) -> None:
    """End those open sessions that were refreshed longest ago, so that one more keeps to the limit."""
    await _MAKE_ROOM.rows(tx, {"of_account": account_id, "reason": ended_as.value, "at": tx.now})


_OPEN = (SessionRow.account_id == _ACCOUNT, SessionRow.ended_at.is_(None))
_ENDING = {"ended_at": _AT, "ended_as": bindparam("reason", type_=Text())}


def _end_one() -> Executable:
    return update(SessionRow).where(*_OPEN, SessionRow.id == _ID).values(_ENDING).returning(SessionRow.id)


def _end_all() -> Executable:
    others = SessionRow.id.is_distinct_from(bindparam("kept_id", type_=Uuid()))
    return update(SessionRow).where(*_OPEN, others).values(_ENDING).returning(SessionRow.id)


def _make_room() -> Executable:
    oldest = select(SessionRow.id).where(*_OPEN).order_by(SessionRow.refreshed_at.desc()).offset(MOST_OPEN - 1)
    return update(SessionRow).where(SessionRow.id.in_(oldest)).values(_ENDING)


_END_ONE, _END_ALL, _MAKE_ROOM = Statement(_end_one), Statement(_end_all), Statement(_make_room)


async def open_sessions(tx: Tx, account_id: UUID) -> Sequence[Session]:
    """Those that could still be used, the newest first."""
    rows = await _OPEN_SESSIONS.rows(tx, {"of_account": account_id, "at": tx.now})
    return [Session(row[0], Carrier(row[1]), *row[2:]) for row in rows]


def _open_sessions() -> Executable:
    columns = (SessionRow.opened_at, SessionRow.refreshed_at, SessionRow.expires_at)
    return (
        select(SessionRow.id, SessionRow.carrier, SessionRow.client, *columns)
        .where(*_OPEN, SessionRow.expires_at > _AT)
        .order_by(SessionRow.opened_at.desc(), SessionRow.id)
    )


_OPEN_SESSIONS = Statement(_open_sessions)
