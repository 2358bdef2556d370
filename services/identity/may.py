"""May this account do that: the questions that every deed asks before it begins.

Law: what is not yours does not exist. Someone else's person is `Missing`, never forbidden,
so that no answer tells whether an id is real.
"""

from uuid import UUID

from services.identity import read
from services.identity.people import Account, AccountKind, AccountStatus, Role
from services.identity.session import SessionEnded
from services.kit.db import Tx
from services.kit.errors import Forbidden, Missing


async def require_acts_for(tx: Tx, account_id: UUID, person_id: UUID) -> None:
    """Raises `Missing` unless the account is active and acts for the person; one statement."""
    if person_id not in await read.persons(tx, account_id):
        raise Missing


async def require_role(tx: Tx, account_id: UUID, *roles: Role) -> Account:
    """The account, if it is active now and has one of the roles now, whatever its token says.

    Raises `Forbidden`: also for an account that was disabled since its token was issued.
    """
    found = (await read.accounts(tx, [account_id])).get(account_id)
    if found is None or found.status is not AccountStatus.ACTIVE or not set(roles) & set(found.roles):
        raise Forbidden
    return found


async def require_session(tx: Tx, account_id: UUID, session_id: UUID, *roles: Role) -> Account:
    """The account, if the session is open and the account active with one of the roles now; one statement.

    Raises `SessionEnded`, and `Forbidden` as `require_role` does.
    """
    found = await read.account_with_session(tx, account_id, session_id)
    if found is None or not found[1]:
        raise SessionEnded
    account = found[0]
    if account.status is not AccountStatus.ACTIVE or not set(roles) & set(account.roles):
        raise Forbidden
    return account


async def require_own_session(tx: Tx, account_id: UUID, session_id: UUID, kind: AccountKind) -> None:
    """For what is one's own, whatever roles are left: the session is open, the account active and of `kind`.

    Raises `SessionEnded`, and `Forbidden` for another kind of account and a closed one.
    """
    found = await read.account_with_session(tx, account_id, session_id)
    if found is None or not found[1]:
        raise SessionEnded
    if found[0].status is not AccountStatus.ACTIVE or found[0].kind is not kind:
        raise Forbidden
