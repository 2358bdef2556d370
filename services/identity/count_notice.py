"""Count a notice before it is sent, and remember in which language its reader reads.

Law: of any number of notices at once no more are sent than are allowed. The language is that of a client which its
account had before: whoever comes with a new one, and is told of, does not choose in which words.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity.notice import MOST_TOLD, WINDOW, About
from services.identity.tables import notices
from services.kit.db import Tx


@dataclass(frozen=True)
class CountNotice:
    account_id: UUID
    about: About


async def count_notice(tx: Tx, command: CountNotice) -> bool:
    """Whether one more may be sent; it is counted then."""
    return await notices.take_notice(tx, command.account_id, command.about, WINDOW, MOST_TOLD)
