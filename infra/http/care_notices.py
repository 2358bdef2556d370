"""Both sides of a care hear of its beginning and its end, at the contacts that they have; see `notices`."""

from collections.abc import Iterable
from uuid import UUID

from infra.http.context import Context
from infra.http.notices import tell
from services.wallets.end_care import parties


async def tell_of_beginning(here: Context, care_id: UUID) -> None:
    """For a care that has begun and still counts; somebody without a phone was told at the counter."""
    await tell_all(here, await here.database.transact(parties, care_id), "notice.care_began")


async def tell_all(here: Context, account_ids: Iterable[UUID], text: str) -> None:
    for account_id in account_ids:
        await tell(here, account_id, text)
