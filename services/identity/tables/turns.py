"""One statement for a refresh in which nothing is unusual: the next turn begins, and its account is read.

Law: it does what the plain path (`services.identity.refresh_session`) would do, or nothing: it refuses nothing and
ends nothing. Of two that come with one token the second waits for the session's row, sees the turn of the first
there, and is left to the plain path, which tells a repetition from a copy.
"""

from datetime import datetime

from sqlalchemy import Executable, LargeBinary, Text, Uuid, bindparam, func, update

from services.identity.people import Account, AccountKind, AccountStatus
from services.identity.session import Carrier, RefreshToken, hash_of
from services.identity.tables.accounts import account_columns, account_of
from services.identity.tables.schema import AccountRow, SessionRow
from services.kit.db import Tx
from services.kit.statements import Statement
from services.kit.tables import Instant


async def turn_at_once(
    tx: Tx, kind: AccountKind, carrier: Carrier, token: RefreshToken, follower: RefreshToken, until: datetime
) -> tuple[Account, datetime] | None:
    """The account, and when its session expires now: at `until`, or when it is over in any case; None for what is
    not plain. A session at a register is not: refreshing does not prolong it."""
    values = {
        "session_id": token.session_id,
        "its_kind": kind.value,
        "its_carrier": carrier.value,
        "its_family": hash_of(token.family),
        "its_turn": hash_of(token.turn),
        "next_hash": hash_of(follower.turn),
        "until": until,
        "at": tx.now,
    }
    rows = await _TURN_AT_ONCE.rows(tx, values)
    return (account_of(rows[0][:-1]), rows[0][-1]) if rows else None


def _turn_at_once() -> Executable:
    at = bindparam("at", type_=Instant)
    its_account = (
        AccountRow.id == SessionRow.account_id,
        AccountRow.kind == bindparam("its_kind", type_=Text()),
        AccountRow.status == AccountStatus.ACTIVE.value,
    )
    its_turn = (
        SessionRow.id == bindparam("session_id", type_=Uuid()),
        SessionRow.carrier == bindparam("its_carrier", type_=Text()),
        SessionRow.family_hash == bindparam("its_family", type_=LargeBinary()),
        SessionRow.turn_hash == bindparam("its_turn", type_=LargeBinary()),
        SessionRow.ended_at.is_(None),
        SessionRow.expires_at > at,
        SessionRow.register_id.is_(None),
    )
    values = {
        "turn_hash": bindparam("next_hash", type_=LargeBinary()),
        "expires_at": func.least(bindparam("until", type_=Instant), SessionRow.latest_at),
        "refreshed_at": at,
    }
    turned = update(SessionRow).where(*its_turn, *its_account).values(values)
    return turned.returning(*account_columns(), SessionRow.expires_at)


_TURN_AT_ONCE = Statement(_turn_at_once)
