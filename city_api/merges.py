"""Two wallets of one person become one: an officer proposes it, another sees what it comes to and approves."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from pydantic import Field

from city_api.interests import propose_merge_of_others
from city_api.wallets import PurseAnswer, wallet_number
from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import Looker
from services.identity.look_at import look_at
from services.kit.db import Tx
from services.kit.four_eyes import OwnInterest, ProposedChange
from services.wallets import read
from services.wallets.merge_wallets import MergeView, look_at_merge
from services.wallets.merging import (
    AskMerge,
    MergeIntoUnproven,
    MergeOfOne,
    MergePersonsDiffer,
    ProposedMerge,
    Shown,
)
from services.wallets.wallet import WalletMerged, WalletSuspended

routes = router("merges")


class MergeRequest(Body):
    """Two wallets by their numbers, and of what it was seen that they are one person's."""

    closed: ShortText = Field(description="The wallet that is closed, and gives all that it holds.")
    into: ShortText = Field(description="The wallet that stays.")
    evidence: Literal["identity_document", "card_and_phone", "register"]
    reason: Reason


class ProposedMergeAnswer(Answer):
    """It happens when another officer approves the change, which shows what it comes to."""

    change_id: UUID
    fingerprint: str


class MergeSideAnswer(Answer):
    """One of the two wallets as it is now."""

    number: str
    status: str = Field(description="`active`, `suspended` or `merged`.")
    total_points: int
    purses: Sequence[PurseAnswer]


class CapAnswer(Answer):
    """What both wallets have bought of a programme. Nothing above the cap is taken away; there is nothing to buy."""

    programme: str
    closed_yen: int
    into_yen: int
    cap_yen: int
    left_yen: int = Field(description="What the person may still buy after the merge.")
    above_yen: int = Field(description="By how much both together are above one person's cap.")


class MergeContentAnswer(Answer):
    """A merge as it would happen now."""

    closed: MergeSideAnswer
    into: MergeSideAnswer
    evidence: str
    reason: str
    caps: Sequence[CapAnswer]
    phones: int = Field(description="Phones of the closed wallet, which are blocked.")
    card_moves: bool | None = Field(description="False: the closed wallet's card ends. Null: it has none.")
    cares: int = Field(description="Care around the closed wallet's person, which ends.")
    sign_ins: int = Field(description="Accounts that act for the other wallet's person then, after signing in anew.")
    open_purchases: int = Field(description="Purchases under way; what is paid in time goes to the other wallet.")


@routes.post(
    "/merges",
    status_code=201,
    responses=refuses(
        *NUMBER_REFUSALS,
        MergeOfOne,
        MergePersonsDiffer,
        MergeIntoUnproven,
        WalletMerged,
        WalletSuspended,
        OwnInterest,
    ),
)
async def propose_wallet_merge(body: MergeRequest, token: Officer, command: Command) -> ProposedMergeAnswer:
    """Put before a second officer that two wallets are one person's, and become one."""
    asked = AskMerge(
        token.account_id, wallet_number(body.closed), wallet_number(body.into), Shown(body.evidence), body.reason
    )
    made = await command.perform(token.account_id, "city.merge.propose", propose_merge_of_others, asked, ProposedMerge)
    return ProposedMergeAnswer.of(made)


async def view_of(tx: Tx, change: ProposedChange, looker: Looker) -> MergeView:
    """What a merge would come to; the look at both wallets is recorded. Raises TooManyLooks."""
    found = await look_at_merge(tx, change)
    both = (found.closed.wallet, found.into.wallet)
    people, its = [each.person_id for each in both], [each.id for each in both]
    await look_at(tx, looker, "wallet.looked_at", people, about=its, reason=found.reason, change=change.id)
    return found


def merge_answer(found: MergeView) -> MergeContentAnswer:
    return MergeContentAnswer(
        closed=_side(found.closed),
        into=_side(found.into),
        evidence=found.evidence.value,
        reason=found.reason,
        caps=[CapAnswer.of(each) for each in found.caps],
        phones=found.phones,
        card_moves=found.card_moves,
        cares=found.cares,
        sign_ins=found.sign_ins,
        open_purchases=found.open_purchases,
    )


def _side(found: read.Balance) -> MergeSideAnswer:
    purses = [PurseAnswer.of(each) for each in found.purses]
    wallet = found.wallet
    return MergeSideAnswer(number=wallet.number, status=wallet.status, total_points=found.total_points, purses=purses)
