"""Care as the office arranges it: for a child, somebody without a phone, or by a court's word; and its end."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from city_api.interests import propose_care_of_others
from city_api.wallets import wallet_number
from infra.http.apps import router
from infra.http.auth import CityStaff, Officer
from infra.http.care_notices import tell_all
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Day, Name, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import Looker, TooManyLooks
from services.kit.clock import last_day_before
from services.kit.four_eyes import OwnInterest, ProposedChange
from services.wallets.begin_care import CareAtCounter, ProposedCare, proposed_care
from services.wallets.care import (
    Care,
    CareBirthDateUnknown,
    CareEndInvalid,
    CareEvidenceUnfit,
    CareExists,
    CareKind,
    CareLimitReached,
    CareOfAdult,
    CareOfOneself,
    Evidence,
    Names,
)
from services.wallets.end_care import EndCareByOffice, EndedCare, LookAtCare, end_care_by_office, look_at_care
from services.wallets.wallet import WalletMerged

routes = router("care")


class CareRequest(Body):
    """Two wallets by their numbers, what was shown, and why no code could be typed."""

    carer: ShortText = Field(description="The carer's wallet.")
    cared_for: ShortText = Field(description="The wallet that is cared for.")
    kind: Literal["consent", "parent", "guardian"] = Field(description="`guardian`: a court appointed them (成年後見).")
    evidence: Literal[
        "spoken_consent", "power_of_attorney", "family_register", "resident_record", "guardian_certificate"
    ]
    carer_name: Name = Field(description="What the cared-for person calls the carer.")
    cared_for_name: Name = Field(description="What the carer calls the person.")
    last_day: Day | None = Field(default=None, description="A parent's care ends with childhood in any case.")
    reason: Reason


class ProposedCareAnswer(Answer):
    """It begins when another officer approves the change."""

    change_id: UUID
    fingerprint: str


class CareAnswer(Answer):
    """A care that counts now, without names."""

    id: UUID
    side: Literal["carer", "cared_for"] = Field(description="Who the person of the wallet in the address is in it.")
    kind: str
    wallet_id: UUID = Field(description="The cared-for person's wallet.")
    began_at: datetime
    last_day: date | None


class CaresAnswer(Answer):
    cares: Sequence[CareAnswer]


class CareContentAnswer(Answer):
    """Care as it would begin."""

    carer_number: str
    cared_for_number: str
    kind: str
    evidence: str
    carer_name: str
    cared_for_name: str
    last_day: date | None
    reason: str


class CareEndRequest(Body):
    reason: Reason


class CareEndedAnswer(Answer):
    care_id: UUID


@routes.post(
    "/care",
    status_code=201,
    responses=refuses(
        *NUMBER_REFUSALS,
        CareEvidenceUnfit,
        CareEndInvalid,
        CareBirthDateUnknown,
        CareOfAdult,
        CareOfOneself,
        CareExists,
        CareLimitReached,
        WalletMerged,
        OwnInterest,
    ),
)
async def propose_wallet_care(body: CareRequest, token: Officer, here: Here, command: Command) -> ProposedCareAnswer:
    """Put before a second officer that one person may care for another's wallet."""
    asked = CareAtCounter(
        token.account_id,
        wallet_number(body.carer),
        wallet_number(body.cared_for),
        CareKind(body.kind),
        Evidence(body.evidence),
        Names(body.carer_name, body.cared_for_name),
        body.last_day,
        body.reason,
        here.most_cared_for,
    )
    made = await command.perform(token.account_id, "city.care.propose", propose_care_of_others, asked, ProposedCare)
    return ProposedCareAnswer.of(made)


@routes.get("/wallets/{number}/care", responses=refuses(*NUMBER_REFUSALS, TooManyLooks))
async def look_at_wallet_care(
    number: ShortText,
    reason: Annotated[Reason, Query(description="Why one looks: who asks, and what for.")],
    token: CityStaff,
    here: Here,
) -> CaresAnswer:
    """Who cares for whom around a wallet. Who looked, when and why is kept in the audit log."""
    asked = LookAtCare(Looker(token.account_id, here.look_limits), wallet_number(number), reason)
    person_id, found = await here.database.transact(look_at_care, asked)
    return CaresAnswer(cares=[_answer(each, person_id) for each in found])


@routes.post("/care/{care_id}/end")
async def stop_wallet_care(
    care_id: UUID, body: CareEndRequest, token: Officer, here: Here, command: Command
) -> CareEndedAnswer:
    """End a care at once, for one who cannot do it themselves; both sides hear of it."""
    asked = EndCareByOffice(care_id, token.account_id, body.reason)
    done = await command.perform(token.account_id, "city.care.end", end_care_by_office, asked, EndedCare)
    if not command.replayed:
        await tell_all(here, done.account_ids, "notice.care_ended")
    return CareEndedAnswer(care_id=done.care_id)


def care_answer(change: ProposedChange) -> CareContentAnswer:
    """A proposed care as it would begin."""
    care = proposed_care(change)
    return CareContentAnswer(
        carer_number=care.carer_number,
        cared_for_number=care.cared_for_number,
        kind=care.kind.value,
        evidence=care.evidence.value,
        carer_name=care.names.carer,
        cared_for_name=care.names.cared_for,
        last_day=care.last_day,
        reason=care.reason,
    )


def _answer(care: Care, person_id: UUID) -> CareAnswer:
    return CareAnswer(
        id=care.id,
        side="carer" if care.carer_id == person_id else "cared_for",
        kind=care.kind.value,
        wallet_id=care.wallet_id,
        began_at=care.began_at,
        last_day=None if care.ends_at is None else last_day_before(care.ends_at),
    )
