"""Nobody of the staff decides on what goes to themselves: asked when something is proposed, and when it is approved.

Law: whoever would gain is read from what would happen, in the deed's own transaction: the holders of the wallets of
a grant, both sides of a care, the person of two wallets, and whoever works for a merchant whose account is to change.
"""

from collections.abc import Collection
from uuid import UUID

from infra.http.four_eyes import require_no_interest
from services.identity.fresh_sign_in import require_fresh_sign_in
from services.kit.db import Tx
from services.kit.four_eyes import ChangeKind, ProposedChange
from services.merchants import read as merchants
from services.merchants.propose_payout_account import ProposedPayoutAccount, propose_payout_account
from services.merchants.set_payout_account import SetPayoutAccount
from services.wallets import read as wallets
from services.wallets.begin_care import CareAtCounter, ProposedCare, propose_care, proposed_care
from services.wallets.grant import Grant
from services.wallets.merge_wallets import propose_merge, proposed_merge
from services.wallets.merging import AskMerge, ProposedMerge
from services.wallets.propose_grant import ProposedGrant, propose_grant


async def propose_grant_to_others(tx: Tx, asked: Grant) -> ProposedGrant:
    """Propose a grant. Raises OwnInterest, and what `propose_grant` raises."""
    gaining = await wallets.persons_of_numbers(tx, {line.wallet_number for line in asked.lines})
    await require_no_interest(tx, asked.officer_id, gaining)
    return await propose_grant(tx, asked)


async def propose_account_of_others(tx: Tx, asked: SetPayoutAccount, *, session_id: UUID) -> ProposedPayoutAccount:
    """Propose a merchant's account. Raises SignInNotFresh, OwnInterest, and what `propose_payout_account` raises."""
    await require_fresh_sign_in(tx, asked.actor_id, session_id)
    await require_no_interest(tx, asked.actor_id, await merchants.persons_working_for(tx, asked.merchant_id))
    return await propose_payout_account(tx, asked)


async def propose_care_of_others(tx: Tx, asked: CareAtCounter) -> ProposedCare:
    """Propose care. Raises OwnInterest, and what `propose_care` raises."""
    gaining = await wallets.persons_of_numbers(tx, {asked.carer_number, asked.cared_for_number})
    await require_no_interest(tx, asked.officer_id, gaining)
    return await propose_care(tx, asked)


async def propose_merge_of_others(tx: Tx, asked: AskMerge) -> ProposedMerge:
    """Propose a merge. Raises OwnInterest, and what `propose_merge` raises."""
    gaining = await wallets.persons_of_numbers(tx, {asked.closed_number, asked.into_number})
    await require_no_interest(tx, asked.officer_id, gaining)
    return await propose_merge(tx, asked)


async def gaining_by(tx: Tx, change: ProposedChange) -> Collection[UUID]:
    """The persons who would gain by a change, as far as they are known."""
    if change.kind is ChangeKind.GRANT:
        return await wallets.persons_of_numbers(tx, {number for _, number, _ in change.content["lines"]})
    if change.kind is ChangeKind.PAYOUT_ACCOUNT:
        return await merchants.persons_working_for(tx, change.subject_id)
    if change.kind is ChangeKind.CARE:
        care = proposed_care(change)
        return await wallets.persons_of_numbers(tx, {care.carer_number, care.cared_for_number})
    if change.kind is ChangeKind.MERGE:
        merge = proposed_merge(change)
        return await wallets.persons_of_numbers(tx, {merge.closed_number, merge.into_number})
    return ()
