"""Two persons in our tables were one: whoever acted for the one acts for the other from now on, after signing in anew.

Law: no row goes away. The person that is given up says who they are; an account that acted for both acts for the one.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity.end_session import end_sessions_of
from services.identity.session import EndedAs
from services.identity.tables import accounts
from services.kit import audit
from services.kit.db import Tx


@dataclass(frozen=True)
class TakeOver:
    """`given_up_id` is the same person as `kept_id`; `officer_id` has approved it."""

    officer_id: UUID
    given_up_id: UUID
    kept_id: UUID


async def take_over_accounts(tx: Tx, command: TakeOver) -> tuple[UUID, ...]:
    """The accounts that act for another person now; all their sessions have ended."""
    moved = tuple(await accounts.act_for_instead(tx, command.given_up_id, command.kept_id))
    await accounts.give_person_up(tx, command.given_up_id, command.kept_id)
    for account_id in moved:
        await end_sessions_of(tx, command.officer_id, account_id, EndedAs.BY_OFFICE)
    said = {"kept": command.kept_id, "accounts": len(moved)}
    await audit.record(tx, command.officer_id, "person.given_up", command.given_up_id, **said)
    return moved
