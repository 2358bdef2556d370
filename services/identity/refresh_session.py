"""Refresh a session: its next turn, or its end when a turn that is over comes again.

Law: the end of a copied session is committed before the refusal is told: a refusal alone would roll it
back. Refreshes of one session take turns at its row, so that of two with one token one begins the next
turn and the other repeats it or is found out.

Nearly every refresh is a plain one, and is one statement (`tables.turns`); what that leaves alone is judged here.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from services.identity import read
from services.identity import session as sessions
from services.identity.people import Account, AccountKind, Role
from services.identity.session import Carrier, EndedAs, OpenedSession, RefreshToken, Verdict
from services.identity.tables import sessions as rows
from services.identity.tables import turns
from services.kit import audit
from services.kit.db import Database, Tx


@dataclass(frozen=True)
class RefreshSession:
    """A refresh token that came to the API of one `kind`; the client named its request `name`."""

    kind: AccountKind
    carrier: Carrier
    token: RefreshToken
    name: UUID = field(repr=False)
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Refreshed:
    """A session that goes on, and its account as it is now: its roles may have changed.

    At a register the account has the register's role and no other, as at the sign-in.
    """

    account: Account
    session: OpenedSession


@dataclass(frozen=True)
class _Copied:
    """The account whose session has just ended because somebody has a copy of it."""

    account_id: UUID


Told = Callable[[UUID], Awaitable[None]]


async def refresh_session(database: Database, asked: RefreshSession, told: Told) -> Refreshed:
    """The session's next token, or the same one again for the same request; `told` hears whose session was copied.

    Raises `RefreshRefused`, `SessionEnded`, and `RefreshReused`, which has ended the session.
    """
    plain = await database.transact(_turn_at_once, asked, single=True)
    if plain is not None:
        return plain
    refreshed = await database.transact(_refresh, asked, direct=True)
    if isinstance(refreshed, _Copied):
        await told(refreshed.account_id)
        raise sessions.RefreshReused
    return refreshed


async def _turn_at_once(tx: Tx, asked: RefreshSession) -> Refreshed | None:
    follower = sessions.next_token(asked.secret, asked.token, asked.name)
    until = sessions.idle_until(asked.kind, tx.now)
    turned = await turns.turn_at_once(tx, asked.kind, asked.carrier, asked.token, follower, until)
    if turned is None:
        return None
    account, expires_at = turned
    opened = OpenedSession(asked.token.session_id, asked.carrier, sessions.write_token(follower), expires_at)
    return Refreshed(account, opened)


async def _refresh(tx: Tx, asked: RefreshSession) -> Refreshed | _Copied:
    kept = await rows.lock_session(tx, asked.token.session_id)
    if kept is None or kept.kind is not asked.kind or kept.carrier is not asked.carrier:
        raise sessions.RefreshRefused
    follower = sessions.next_token(asked.secret, asked.token, asked.name)
    match sessions.judge(kept, asked.token, follower, tx.now):
        case Verdict.NOTHING:
            raise sessions.RefreshRefused
        case Verdict.ENDED:
            raise sessions.SessionEnded
        case Verdict.REUSED:
            await rows.end_session(tx, kept.account_id, kept.id, EndedAs.REFRESH_REUSED)
            await audit.record(tx, None, "session.refresh_reused", kept.id, account=kept.account_id)
            return _Copied(kept.account_id)
        case Verdict.REPEATS:
            expires_at = kept.expires_at
        case Verdict.TURNS:
            expires_at = sessions.goes_on(kept, tx.now)
            await rows.turn(tx, kept.id, sessions.hash_of(follower.turn), expires_at)
    account = await read.account(tx, kept.account_id)
    if kept.register_id is not None:
        account = replace(account, roles=(Role.TILL,))
    return Refreshed(account, OpenedSession(kept.id, kept.carrier, sessions.write_token(follower), expires_at))
