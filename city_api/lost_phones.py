"""The call centre: look at a wallet's phones and block them, once it is known who calls. Every look is recorded."""

from typing import Annotated

from fastapi import Query

from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import CallCentre
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.notices import tell_seldom
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import TooManyLooks
from services.identity.notice import About
from services.wallets.lost_phone import Blocked, BlockPhones, LookAtPhones, block_phones, look_at_phones

routes = router("lost phones")


class PhoneLine(Answer):
    """A phone of a wallet; nothing of what it pays."""

    name: str
    status: str


class PhonesAnswer(Answer):
    phones: list[PhoneLine]


class BlockPhonesRequest(Body):
    """Why, and how the caller was identified."""

    identified_by: Reason
    reason: Reason


class PhonesBlockedAnswer(Answer):
    phones: int
    sessions_ended: int


@routes.get("/wallets/{number}/phones", responses=refuses(*NUMBER_REFUSALS, TooManyLooks))
async def look_at_wallet_phones(
    number: ShortText,
    reason: Annotated[Reason, Query(description="Why one looks: who calls, and how they were identified.")],
    token: CallCentre,
    here: Here,
) -> PhonesAnswer:
    """A wallet's phones. Who looked, at what, when and why is kept in the audit log."""
    asked = LookAtPhones(token.account_id, wallet_number(number), reason, here.look_limits)
    found = await here.database.transact(look_at_phones, asked)
    return PhonesAnswer(phones=[PhoneLine.of(each) for each in found])


@routes.post("/wallets/{number}/phones/block", responses=refuses(*NUMBER_REFUSALS))
async def block_wallet_phones(
    number: ShortText, body: BlockPhonesRequest, token: CallCentre, here: Here, command: Command
) -> PhonesBlockedAnswer:
    """Block all phones of a wallet and end its sign-ins; the balance stays, and the owner is told."""
    asked = BlockPhones(token.account_id, wallet_number(number), body.identified_by, body.reason)
    done = await command.perform(token.account_id, "city.phones.block", block_phones, asked, Blocked)
    for account_id in () if command.replayed else done.account_ids:
        await tell_seldom(here, account_id, About.END, "notice.phones_blocked")
    return PhonesBlockedAnswer(phones=done.phones, sessions_ended=done.sessions)
