"""Both sides of a care hear of its beginning and its end, at the contacts that they have; see `notices`.

Law: each end is told once, whoever or whatever brought it about. One that nobody said, because a last day or an
eighteenth birthday came, is written down by whoever finds it first, and told by them: a server looks every minute, and
so does whatever may begin care anew between the same two.
"""

import asyncio
import logging
from collections.abc import Iterable
from uuid import UUID

from infra.http.context import Context
from infra.http.notices import tell
from services.wallets.end_care import end_lapsed_care, lapsed_care, parties

LOOKED_EVERY_S = 60
MOST_AT_ONCE = 100

log = logging.getLogger(__name__)


async def tell_of_beginning(here: Context, care_id: UUID) -> None:
    """For a care that has begun and still counts; somebody without a phone was told at the counter."""
    await tell_all(here, await here.database.transact(parties, care_id), "notice.care_began")


async def tell_of_lapsed(here: Context) -> int:
    """For care whose last day is over; how many there were, at most MOST_AT_ONCE."""
    told = 0
    for lapsed in await here.database.transact(lapsed_care, MOST_AT_ONCE):
        ended = await here.database.transact(end_lapsed_care, lapsed)
        if ended is not None:
            told += 1
            await tell_all(here, ended.account_ids, "notice.care_over")
    return told


async def keep_telling_of_lapsed(here: Context) -> None:
    """Until cancelled. What fails is logged and looked for again."""
    while True:
        try:
            await tell_of_lapsed(here)
        except Exception:
            log.exception("whose care is over could not be told; it will be tried again")
        await asyncio.sleep(LOOKED_EVERY_S)


async def tell_all(here: Context, account_ids: Iterable[UUID], text: str) -> None:
    for account_id in account_ids:
        await tell(here, account_id, text)
