"""Notices to the owner of an account that something of theirs has changed: to the contact that it had before.

Law: they go out after the commit, and a notice that cannot be sent undoes nothing. What others can bring about again
and again is told seldom (`services.identity.notice`). No notice says what a client wrote of itself: that is a
stranger's text where the stranger is told of.
"""

import logging
from uuid import UUID

import locales
from infra.http.context import Context
from services.identity import read
from services.identity.count_notice import CountNotice, count_notice
from services.identity.notice import About
from services.identity.session import OpenedSession
from services.kit.clock import TOKYO

LANGUAGE = "ja"
"""Of notices to whom we do not know better: whoever caused one may not be whom it is for."""

log = logging.getLogger(__name__)


async def tell(here: Context, account_id: UUID, text: str, **words: object) -> None:
    """Send the words `text` to the account's phone, or else its mailbox, in its owner's language."""
    account, language = await here.database.transact(read.addressee, account_id, direct=True)
    said = locales.text(language or LANGUAGE, text, **words)
    if account.phone is not None:
        await here.sms.send(account.phone, said)
    elif account.email is not None:
        await here.mail.send(account.email, said)


async def tell_seldom(here: Context, account_id: UUID, about: About, text: str, **words: object) -> None:
    """The same, unless as much `about` this was told lately."""
    if await here.database.transact(count_notice, CountNotice(account_id, about), direct=True):
        await tell(here, account_id, text, **words)


async def tell_of_sign_in(here: Context, account_id: UUID, session: OpenedSession) -> None:
    """A session on a client that the account did not have before, and when; whoever signs in is let in all the same."""
    if not session.new_client:
        return
    at = here.clock.now().astimezone(TOKYO)
    try:
        await tell_seldom(here, account_id, About.SIGN_IN, "notice.signed_in", at=f"{at:%Y-%m-%d %H:%M}")
    except Exception:  # the tokens are out of reach for good if this answer is lost, and the code is used up
        log.exception("the notice of a sign-in could not be sent")
