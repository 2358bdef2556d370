"""Notices to the owner of an account that something of theirs has changed: to the contact that it had before.

Law: they go out after the commit, and a notice that cannot be sent undoes nothing.
"""

from uuid import UUID

import locales
from infra.http.context import Context
from services.identity import read

LANGUAGE = "ja"
"""Of notices: whoever caused one may not be whom it is for."""


async def tell(here: Context, account_id: UUID, text: str, **words: object) -> None:
    """Send the words `text` to the account's phone, or else its mailbox."""
    account = await here.database.transact(read.account, account_id, direct=True)
    said = locales.text(LANGUAGE, text, **words)
    if account.phone is not None:
        await here.sms.send(account.phone, said)
    elif account.email is not None:
        await here.mail.send(account.email, said)
