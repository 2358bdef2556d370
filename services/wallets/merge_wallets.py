"""Merge one wallet into another of the same person: proposed by an officer, carried out by another's approval.

Law: all of it happens in the approval's transaction, under the locks of both wallets, or none of it. The value moves
by journals (`move_lots`). The closed wallet's phones are blocked and its printed code ends; its card goes along if the
other wallet has none that works, and ends if it has. Care ends on both its sides. Whoever signed in for the closed
wallet acts for the other one, after signing in anew. Whatever still comes to the closed wallet goes on.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from services.campaigns import read as campaigns
from services.identity import read as identity
from services.identity.take_over import TakeOver, take_over_accounts
from services.kit import audit, changes
from services.kit.audit import NewEntry
from services.kit.changes import Change
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import ChangeKind, ProposedChange
from services.merchants.take_over import take_over_members
from services.residency.take_over import cannot_be_one, is_proven, take_over_proof
from services.wallets import read
from services.wallets.care import Side
from services.wallets.closed import must_not_be_merged
from services.wallets.merging import (
    AskMerge,
    CapTogether,
    MergeIntoUnproven,
    MergeOfOne,
    MergePersonsDiffer,
    ProposedMerge,
    Shown,
)
from services.wallets.move_lots import pass_on
from services.wallets.tables import access, block_codes, cards, care, merges
from services.wallets.tables.merges import Merge
from services.wallets.wallet import MERGED, Wallet, must_be_active


@dataclass(frozen=True)
class MergeView:
    """What a merge would come to now, for whoever proposes and approves it; `card_moves` None: there is no card."""

    closed: read.Balance
    into: read.Balance
    evidence: Shown
    reason: str = field(repr=False)
    caps: tuple[CapTogether, ...]
    phones: int
    card_moves: bool | None
    cares: int
    sign_ins: int
    open_purchases: int


async def propose_merge(tx: Tx, command: AskMerge) -> ProposedMerge:
    """Put a merge before a second officer. Raises every refusal that it would meet now, and Missing."""
    closed, into = await _named(tx, command.closed_number), await _named(tx, command.into_number)
    await _check(tx, closed, into)
    content = {
        "closed_number": closed.number,
        "into_number": into.number,
        "evidence": command.evidence.value,
        "reason": command.reason,
    }
    change = await changes.put_forward(tx, Change(ChangeKind.MERGE, closed.id, content, command.officer_id))
    return ProposedMerge(change.id, change.fingerprint)


def proposed_merge(change: ProposedChange) -> AskMerge:
    """The merge in a proposal; it was validated when it was proposed, and is not altered since."""
    said = change.content
    shown = Shown(said["evidence"])
    return AskMerge(change.proposed_by, said["closed_number"], said["into_number"], shown, said["reason"])


async def look_at_merge(tx: Tx, change: ProposedChange) -> MergeView:
    """What a merge would come to now; whoever asks records the look."""
    asked = proposed_merge(change)
    closed, into = await _named(tx, asked.closed_number), await _named(tx, asked.into_number)
    phones = [each for each in await access.find_devices(tx, closed.id) if each.status == "active"]
    moves = await cards.own_card_of(tx, into.id) is None
    return MergeView(
        closed=await read.balance(tx, closed),
        into=await read.balance(tx, into),
        evidence=asked.evidence,
        reason=asked.reason,
        caps=await _caps(tx, closed, into),
        phones=len(phones),
        card_moves=moves if await cards.own_card_of(tx, closed.id) is not None else None,
        cares=len(await care.cares_of(tx, {closed.person_id})),
        sign_ins=len(await identity.acting_for(tx, closed.person_id)),
        open_purchases=await merges.count_open_purchases(tx, closed.id),
    )


async def carry_out_merge(tx: Tx, change: ProposedChange) -> UUID:
    """Merge what was approved in this transaction; the merge's id.

    Raises what `propose_merge` raises, as things are now that both wallets are locked.
    """
    asked = proposed_merge(change)
    if change.decided_by is None:
        raise AssertionError("what is carried out was approved by somebody")
    closed, into = await _held(tx, asked)
    await _check(tx, closed, into)
    merge = Merge(
        tx.new_id(),
        closed.id,
        into.id,
        change.id,
        asked.evidence.value,
        asked.reason,
        change.proposed_by,
        change.decided_by,
    )
    await merges.close_wallet(tx, merge)
    moved_yen = await pass_on(tx, (closed, into))
    ended = await _end_ways(tx, closed, into)
    persons = TakeOver(change.decided_by, closed.person_id, into.person_id)
    await take_over_proof(tx, persons)
    await take_over_members(tx, closed.person_id, into.person_id)
    moved = await take_over_accounts(tx, persons)
    said = {"change": str(change.id), "moved_yen": moved_yen, "accounts": len(moved)} | ended
    entries = ((closed.id, {"into": str(into.id)}), (into.id, {"closed": str(closed.id)}))
    await audit.record_all(
        tx, [NewEntry(change.decided_by, "wallet.merged", subject, said | other) for subject, other in entries]
    )
    return merge.id


async def told_of_merge(tx: Tx, merge_id: UUID) -> tuple[UUID, ...]:
    """The accounts of whoever is told: those of both wallets are the living one's now. Raises Missing."""
    merge = await merges.find_merge(tx, merge_id)
    if merge is None:
        raise Missing
    into = await read.wallet_by_id(tx, merge.into_id)
    return await identity.acting_for(tx, into.person_id)


async def _named(tx: Tx, number: str) -> Wallet:
    wallet = await access.find_wallet(tx, number=number)
    if wallet is None:
        raise Missing
    return wallet


async def _held(tx: Tx, asked: AskMerge) -> tuple[Wallet, Wallet]:
    """Both wallets as they are under their locks, with those of the people in care around the closed one.

    Cards come first, as at a till: a payment by one that waits finds the wallet that it belongs to by then.
    """
    closed, into = await _named(tx, asked.closed_number), await _named(tx, asked.into_number)
    await cards.hold_cards(tx, [closed.id, into.id])
    locked: Collection[UUID] = ()
    wanted = {closed.id, into.id, *await _cared_for(tx, closed)}
    while not wanted <= set(locked):
        locked = await access.lock_wallets(tx, wanted)
        wanted |= set(await _cared_for(tx, closed))
    return await _named(tx, asked.closed_number), await _named(tx, asked.into_number)


async def _cared_for(tx: Tx, wallet: Wallet) -> list[UUID]:
    return [each.wallet_id for each in await care.cares_of(tx, {wallet.person_id})]


async def _check(tx: Tx, closed: Wallet, into: Wallet) -> None:
    if closed.id == into.id:
        raise MergeOfOne
    for wallet in (closed, into):
        await must_not_be_merged(tx, wallet)
        must_be_active(wallet)
    if await cannot_be_one(tx, closed.person_id, into.person_id):
        raise MergePersonsDiffer
    if await is_proven(tx, closed.person_id) and not await is_proven(tx, into.person_id):
        raise MergeIntoUnproven


async def _end_ways(tx: Tx, closed: Wallet, into: Wallet) -> dict[str, object]:
    """The ways to a closed wallet; what became of them, for the log."""
    phones = await access.block_devices(tx, closed.id)
    await block_codes.end_codes(tx, closed.id)
    card_moved = await cards.own_card_of(tx, into.id) is None and await cards.hand_on(tx, closed.id, into.id)
    await cards.replace_cards(tx, closed.id)
    cares = await care.cares_of(tx, {closed.person_id})
    for each in cares:
        await care.end_care(tx, each.id, Side.OFFICE)
        carers = await identity.acting_for(tx, each.carer_id)
        await access.block_devices(tx, each.wallet_id, of_accounts=carers)
    return {"phones": phones, "card_moved": card_moved, "cares": len(cares)}


async def _caps(tx: Tx, closed: Wallet, into: Wallet) -> tuple[CapTogether, ...]:
    ours = {each.programme_id: each.yen for each in await merges.bought_of(tx, into.id)}
    theirs = {each.programme_id: each.yen for each in await merges.bought_of(tx, closed.id)}
    if closed.status == MERGED:  # a look back: what the closed one had bought counts with the other's by now
        ours = {key: yen - theirs.get(key, 0) for key, yen in ours.items()}
    found = []
    for programme_id in sorted(ours | theirs):
        programme = await campaigns.published_by_id(tx, programme_id)
        sums = (theirs.get(programme_id, 0), ours.get(programme_id, 0))
        found.append(CapTogether(programme.code, *sums, programme.terms.cap_yen))
    return tuple(found)
