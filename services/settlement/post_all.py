"""Post the journals of a whole close or bank file, in statements as large as the ledger takes."""

from collections.abc import Sequence

from services.kit.db import Tx
from services.ledger.journal import Journal
from services.ledger.post import MAX_JOURNALS, post


async def post_all(tx: Tx, journals: Sequence[Journal]) -> None:
    """One statement up to 20,000 journals; more only for more stores than a city has."""
    for start in range(0, len(journals), MAX_JOURNALS):
        await post(tx, journals[start : start + MAX_JOURNALS])
