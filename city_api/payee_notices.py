"""A merchant's owners hear that their money shall go to another account, when that is proposed and when it is so.

Law: they hear of it at the contact that they have, whoever asked for it; see `infra.http.notices`.
"""

from uuid import UUID

from infra.http.context import Context
from infra.http.notices import tell
from services.kit import changes
from services.kit.db import Tx
from services.merchants import read


async def tell_of_proposed_account(here: Context, merchant_id: UUID) -> None:
    await _tell_owners(here, merchant_id, "notice.payout_account_proposed")


async def tell_of_new_account(here: Context, change_id: UUID) -> None:
    """Of the change that was carried out."""
    await _tell_owners(here, await here.database.transact(_merchant_of, change_id), "notice.payout_account_changed")


async def _tell_owners(here: Context, merchant_id: UUID, text: str) -> None:
    name, owners = await here.database.transact(_owners, merchant_id)
    for account_id in owners:
        await tell(here, account_id, text, merchant=name)


async def _merchant_of(tx: Tx, change_id: UUID) -> UUID:
    return (await changes.find(tx, change_id)).subject_id


async def _owners(tx: Tx, merchant_id: UUID) -> tuple[str, tuple[UUID, ...]]:
    found = await read.merchant(tx, merchant_id)
    return found.merchant.name, await read.owners_of(tx, merchant_id)
