"""Take a role of the city from an account: its routes are closed at the next request, whatever the token says.

Law: nobody is left without a role by their own hand, or an office could lose its last approver by one slip.
Whoever has no role left stays signed in: they may still look at their sessions and end them.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity import read
from services.identity.people import Role, account_reason
from services.identity.tables import accounts
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Kind, Missing, Refusal


class OwnLastRole(Refusal):
    """It is the only role of whoever takes it: somebody else must."""

    code = "own_last_role"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class TakeRole:
    """Whose role goes, by whom, and why."""

    actor_id: UUID
    account_id: UUID
    role: Role
    reason: str


@dataclass(frozen=True)
class RolesLeft:
    """What the account may still do."""

    roles: tuple[Role, ...]


async def take_role(tx: Tx, command: TakeRole) -> RolesLeft:
    """Raises `Missing` for an account without the role, `OwnLastRole`, `AccountReasonMissing`."""
    reason = account_reason(command.reason)
    await accounts.lock_account(tx, command.account_id)
    if not await accounts.take_role(tx, command.account_id, command.role):
        raise Missing
    left = (await read.account(tx, command.account_id)).roles
    if command.account_id == command.actor_id and not left:
        raise OwnLastRole
    detail = {"role": command.role.value, "left": [role.value for role in left], "reason": reason}
    await audit.record(tx, command.actor_id, "account.role_taken", command.account_id, **detail)
    return RolesLeft(left)
