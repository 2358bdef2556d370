"""Care for other people's wallets: offered by a code, taken by typing it, ended by either side."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Header
from pydantic import Field

import locales
from infra.http.apps import router
from infra.http.auth import Resident
from infra.http.care_notices import tell_all, tell_of_beginning, tell_of_lapsed
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Day, Name, Secret
from infra.http.typed import NUMBER_REFUSALS
from services.identity.owed_secret import SecretOwed
from services.kit.clock import last_day_before
from services.kit.numbers import display_number
from services.wallets.begin_care import (
    GiveCareCode,
    GivenCareCode,
    TakeCareCode,
    count_care_try,
    give_care_code,
    take_care_code,
)
from services.wallets.care import (
    WORDS,
    Care,
    CareCodeRefused,
    CareEndInvalid,
    CareExists,
    CareLimitReached,
    CareOfOneself,
    CareThrottled,
    CareWordsOutdated,
    care_code,
    care_code_mac,
    read_care_code,
)
from services.wallets.end_care import EndCare, EndedCare, end_care
from services.wallets.read import care_around
from wallet_api.owed_secrets import must_be_settled

routes = router("care")


class CareWordsAnswer(Answer):
    """What is consented to; show it whole before a code is asked for."""

    version: str
    text: str


class CareCodeRequest(Body):
    """The consent of the wallet's holder."""

    words: str = Field(max_length=20, description="The version of the words that were shown.")
    carer_name: Name = Field(description="What the holder calls who shall care for them.")
    last_day: Day | None = Field(default=None, description="Null: until somebody ends it.")


class CareCodeAnswer(Answer):
    """To be told to one person, who types it on their own phone within minutes."""

    code: str = Field(repr=False)
    expires_at: datetime


class TakeCareRequest(Body):
    code: Secret = Field(repr=False, description="As it was told, in any width, case and grouping.")
    cared_for_name: Name = Field(description="What the carer calls the person.")


class CareAnswer(Answer):
    """One care, from one of its sides."""

    id: UUID
    side: Literal["carer", "cared_for"] = Field(description="Who one is in it.")
    kind: str = Field(description="`consent`, `parent` or `guardian`.")
    name: str = Field(description="What one calls the other.")
    wallet_id: UUID = Field(description="The cared-for person's wallet.")
    began_at: datetime
    last_day: date | None = Field(description="In Japan; a parent's is the day before the 18th birthday.")


class CaresAnswer(Answer):
    cares: Sequence[CareAnswer]


class CareEndRequest(Body):
    """Nothing to say: nobody has to give a reason."""


class CareEndedAnswer(Answer):
    care_id: UUID
    ended_as: str = Field(description="`carer` or `cared_for`.")


@routes.get("/care/words")
async def read_care_words(
    _token: Resident, accept_language: Annotated[str, Header(alias="accept-language", max_length=200)] = ""
) -> CareWordsAnswer:
    """What a carer may do and may not, in plain words, and the version that a consent names."""
    return CareWordsAnswer(version=WORDS, text=locales.text(locales.choose(accept_language), "care.words"))


@routes.post(
    "/wallets/{wallet_id}/care-codes", status_code=201, responses=refuses(CareWordsOutdated, CareEndInvalid, SecretOwed)
)
async def make_care_code(
    wallet_id: UUID, body: CareCodeRequest, token: Resident, here: Here, command: Command
) -> CareCodeAnswer:
    """Consent to be cared for: a code for ten minutes and one person, in place of an earlier one."""
    await must_be_settled(here, token)  # what a thief signs in on lets nobody else pay, either
    # It follows from the request's own name, so that it is kept nowhere and can be answered again all the same.
    code = care_code(here.code_key, token.account_id, wallet_id, command.key)
    mac = care_code_mac(here.code_key, code)
    asked = GiveCareCode(wallet_id, token.account_id, body.words, body.carer_name, body.last_day, mac)
    given = await command.perform(token.account_id, "wallet.care.code", give_care_code, asked, GivenCareCode)
    return CareCodeAnswer(code=display_number(code), expires_at=given.expires_at)


@routes.post(
    "/care",
    status_code=201,
    responses=refuses(*NUMBER_REFUSALS, CareCodeRefused, CareThrottled, CareOfOneself, CareExists, CareLimitReached),
)
async def take_care(body: TakeCareRequest, token: Resident, here: Here, command: Command) -> CareAnswer:
    """Type the code that somebody told: from now on one cares for them. Both hear of it."""
    code = read_care_code(body.code)
    await count_care_try(here.database, token.account_id)
    await tell_of_lapsed(here)
    mac = care_code_mac(here.code_key, code)
    asked = TakeCareCode(token.account_id, body.cared_for_name, mac, here.most_cared_for)
    begun = await command.perform(token.account_id, "wallet.care.take", take_care_code, asked, Care)
    if not command.replayed:
        await tell_of_beginning(here, begun.id)
    return _answer(begun, begun.carer_id)


@routes.get("/care")
async def list_care(token: Resident, here: Here) -> CaresAnswer:
    """Whom one cares for, and who cares for oneself."""
    person_id, found = await here.database.transact(care_around, token.account_id)
    return CaresAnswer(cares=[_answer(each, person_id) for each in found])


@routes.post("/care/{care_id}/end")
async def stop_care(
    care_id: UUID, _body: CareEndRequest, token: Resident, here: Here, command: Command
) -> CareEndedAnswer:
    """End it, from either side: the carer's next request finds nothing, and no code of theirs pays any more."""
    asked = EndCare(care_id, token.account_id)
    done = await command.perform(token.account_id, "wallet.care.end", end_care, asked, EndedCare)
    if not command.replayed:
        await tell_all(here, done.account_ids, "notice.care_ended")
    return CareEndedAnswer(care_id=done.care_id, ended_as=done.ended_as.value)


def _answer(care: Care, person_id: UUID) -> CareAnswer:
    is_carer = care.carer_id == person_id
    return CareAnswer(
        id=care.id,
        side="carer" if is_carer else "cared_for",
        kind=care.kind.value,
        name=care.names.cared_for if is_carer else care.names.carer,
        wallet_id=care.wallet_id,
        began_at=care.began_at,
        last_day=None if care.ends_at is None else last_day_before(care.ends_at),
    )
