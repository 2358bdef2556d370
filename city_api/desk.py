"""The support desk: a wallet's cards and declined payments, and what is stopped for a caller."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

import locales
from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import Desk
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.looks import LOOK_REFUSALS, AskedWhy
from infra.http.notices import tell, tell_seldom
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Reason, ShortText, WholeText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import Looker
from services.identity.notice import About
from services.merchants.shops import Store
from services.payments.decline import Decline
from services.payments.keep_declines import LookAtDeclines, look_at_declines
from services.wallets.stop import LookAtCards, Stop, Stopped, end_sign_ins, freeze_card, look_at_cards

routes = router("support desk")

MOST_DECLINES = 100


class CardLine(Answer):
    """A card of a wallet; nothing of what it pays."""

    number: str
    status: str = Field(description="`active`, `frozen` or `replaced`.")


class CardsAnswer(Answer):
    cards: list[CardLine]


class StopRequest(Body):
    """Why, and how it was known who called."""

    identified_by: Reason
    reason: Reason


class CardFrozenAnswer(Answer):
    cards: int


class SignInsEndedAnswer(Answer):
    sessions_ended: int


class Texts(Answer):
    """One sentence in three languages."""

    ja: str
    en: str
    ja_simple: str = Field(description="In easy Japanese.")


class DeclineLine(Answer):
    """A payment that was refused, and what to tell the caller."""

    id: UUID
    declined_at: datetime
    code: str = Field(
        description="The problem's code, as the store or the payer was told.", examples=["points_missing"]
    )
    mode: str = Field(description="`cpm`, `mpm`, `till` or `card`.")
    amount_yen: int | None
    store_code: str | None
    store_name: str | None
    explanation: Texts = Field(description="What stood against it.")
    way_out: Texts = Field(description="What the caller can do.")


class DeclinesAnswer(Answer):
    """The newest first, of the last 90 days."""

    declines: list[DeclineLine]


@routes.get("/wallets/{number}/cards", responses=refuses(*NUMBER_REFUSALS, *LOOK_REFUSALS))
async def look_at_wallet_cards(number: ShortText, why: AskedWhy, token: Desk, here: Here) -> CardsAnswer:
    """A wallet's cards, the newest last. Who looked, at what, when and why is kept in the audit log."""
    asked = LookAtCards(Looker(token.account_id, here.look_limits), wallet_number(number), why)
    found = await here.database.transact(look_at_cards, asked)
    return CardsAnswer(cards=[CardLine(number=each.number, status=each.status.value) for each in found])


@routes.get("/wallets/{number}/declines", responses=refuses(*NUMBER_REFUSALS, *LOOK_REFUSALS))
async def look_at_wallet_declines(
    number: ShortText,
    why: AskedWhy,
    token: Desk,
    here: Here,
    limit: Annotated[int, Query(ge=1, le=MOST_DECLINES), WholeText] = 20,
) -> DeclinesAnswer:
    """A wallet's last declined payments, each explained. Who looked, when and why is kept in the audit log."""
    await here.payments.declines.write()
    asked = LookAtDeclines(Looker(token.account_id, here.look_limits), wallet_number(number), why, limit)
    found = await here.database.transact(look_at_declines, asked)
    return DeclinesAnswer(declines=[_line(each, found.stores) for each in found.declines])


@routes.post("/wallets/{number}/cards/freeze", responses=refuses(*NUMBER_REFUSALS))
async def freeze_wallet_card(
    number: ShortText, body: StopRequest, token: Desk, here: Here, command: Command
) -> CardFrozenAnswer:
    """Freeze a wallet's card; the balance stays, and the owner is told. An officer hands over a new one."""
    asked = Stop(token.account_id, wallet_number(number), body.identified_by, body.reason)
    done = await command.perform(token.account_id, "city.desk.freeze", freeze_card, asked, Stopped)
    for account_id in () if command.replayed else done.account_ids:
        await tell(here, account_id, "notice.card_frozen")
    return CardFrozenAnswer(cards=done.count)


@routes.post("/wallets/{number}/sign-ins/end", responses=refuses(*NUMBER_REFUSALS))
async def end_wallet_sign_ins(
    number: ShortText, body: StopRequest, token: Desk, here: Here, command: Command
) -> SignInsEndedAnswer:
    """Sign everybody out who acts for a wallet's person; the owner is told, and signs in anew."""
    asked = Stop(token.account_id, wallet_number(number), body.identified_by, body.reason)
    done = await command.perform(token.account_id, "city.desk.sign_ins", end_sign_ins, asked, Stopped)
    for account_id in () if command.replayed else done.account_ids:
        await tell_seldom(here, account_id, About.END, "notice.sign_ins_ended")
    return SignInsEndedAnswer(sessions_ended=done.count)


def _line(decline: Decline, stores: Mapping[UUID, Store]) -> DeclineLine:
    store = None if decline.store_id is None else stores.get(decline.store_id)
    return DeclineLine(
        id=decline.id,
        declined_at=decline.declined_at,
        code=decline.code,
        mode=decline.mode.value,
        amount_yen=decline.amount_yen,
        store_code=None if store is None else store.code,
        store_name=None if store is None else store.details.name,
        explanation=_texts(f"error.{decline.code}", decline.params),
        way_out=_texts(f"decline.{decline.code}", decline.params),
    )


def _texts(name: str, words: Mapping[str, object]) -> Texts:
    said = {language: locales.text(language, name, **words) for language in ("ja", "en", "ja-simple")}
    return Texts(ja=said["ja"], en=said["en"], ja_simple=said["ja-simple"])
