"""Care begins: by a code that the cared-for person hands over, or at the counter, where two officers vouch for it.

Law: nobody's wallet opens to another without a consent that is written down with it, once and for good: the account
that gave the code, or what was shown at the counter, to whom, and who approved it. Both wallets are locked while it
begins, so that limits hold whoever else begins with either person. A code is looked up only after the try was counted,
and whatever is wrong with one is answered alike.
"""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from uuid import UUID

import msgspec

from services.identity import read as identity
from services.identity.passwords import wait_seconds
from services.kit import audit, changes
from services.kit.changes import Change
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.kit.four_eyes import ChangeKind, ProposedChange
from services.residency import read as residency
from services.wallets import care as cares
from services.wallets.care import Care, CareKind, Consent, Evidence, Names
from services.wallets.closed import must_not_be_merged
from services.wallets.tables import access
from services.wallets.tables import care as rows
from services.wallets.wallet import MERGED, Wallet


@dataclass(frozen=True)
class GiveCareCode:
    """A person lets somebody care for them, whom they call `carer_name`, up to and including `last_day`."""

    wallet_id: UUID
    account_id: UUID
    words: str
    carer_name: str = field(repr=False)
    last_day: date | None
    code_mac: bytes = field(repr=False)


@dataclass(frozen=True)
class GivenCareCode:
    expires_at: datetime


@dataclass(frozen=True)
class TakeCareCode:
    """An account typed a code (here its MAC) of somebody whom they call `cared_for_name`."""

    account_id: UUID
    cared_for_name: str = field(repr=False)
    code_mac: bytes = field(repr=False)
    most_cared_for: int = cares.MOST_CARED_FOR


@dataclass(frozen=True)
class CareAtCounter:
    """An officer has seen what proves that one may care for the other; wallets by their numbers."""

    officer_id: UUID
    carer_number: str
    cared_for_number: str
    kind: CareKind
    evidence: Evidence
    names: Names
    last_day: date | None
    reason: str
    most_cared_for: int = cares.MOST_CARED_FOR


@dataclass(frozen=True)
class ProposedCare:
    change_id: UUID
    fingerprint: str


async def give_care_code(tx: Tx, command: GiveCareCode) -> GivenCareCode:
    """Keep a code in place of the person's earlier one; only the wallet's own holder gives one.

    Raises CareWordsOutdated, CareEndInvalid, and Missing for somebody else's wallet.
    """
    cares.must_be_current(command.words)
    ends_at = cares.end_after(command.last_day, tx.now)
    wallet = await access.lock_wallet(tx, command.wallet_id, command.account_id)
    if wallet is None:
        raise Missing
    given = rows.GivenCode(wallet.person_id, command.account_id, command.words, command.carer_name, ends_at)
    expires_at = tx.now + cares.CODE_LIFE
    if not await rows.give_code(tx, tx.new_id(), command.code_mac, given, expires_at):
        raise Missing
    await audit.record(tx, command.account_id, "care.code_given", wallet.id, words=command.words)
    return GivenCareCode(expires_at)


async def count_care_try(database: Database, account_id: UUID) -> None:
    """Pay for a try, in a transaction of its own, before a code is looked up. Raises CareThrottled."""
    await database.transact(_take_try, account_id)


async def take_care_code(tx: Tx, command: TakeCareCode) -> Care:
    """Begin to care for whoever gave the code. Raises CareCodeRefused, and what `_begin` raises."""
    carer_id = await identity.own_person(tx, command.account_id)
    given = await rows.use_code(tx, command.code_mac)
    if given is None:
        raise cares.CareCodeRefused
    names = Names(given.carer_name, command.cared_for_name)
    asked = Care(tx.new_id(), CareKind.CONSENT, carer_id, given.cared_for_id, tx.new_id(), names, tx.now, given.ends_at)
    begun = await _begin(tx, asked, Consent(given.given_by, given.words), command.most_cared_for)
    said = {"care": begun.id, "kind": begun.kind.value, "given_by": given.given_by, "words": given.words}
    await audit.record(tx, command.account_id, "care.began", begun.wallet_id, **said)
    return begun


async def propose_care(tx: Tx, command: CareAtCounter) -> ProposedCare:
    """Put care before a second officer. Raises every refusal that its beginning would meet now, and Missing."""
    cares.must_prove(command.kind, command.evidence)
    asked = await _at_counter(tx, command)
    await _check(tx, asked, command.most_cared_for)
    content = {key: value for key, value in asdict(command).items() if key != "officer_id"}
    change = await changes.put_forward(tx, Change(ChangeKind.CARE, asked.wallet_id, content, command.officer_id))
    return ProposedCare(change.id, change.fingerprint)


async def carry_out_care(tx: Tx, change: ProposedChange) -> UUID:
    """Begin what was approved in this transaction, in the name of who proposed it; the care's id."""
    command = proposed_care(change)
    asked = await _at_counter(tx, command)
    consent = Consent(None, cares.WORDS, command.evidence, change.proposed_by, change.id)
    begun = await _begin(tx, asked, consent, command.most_cared_for)
    said = {"care": begun.id, "kind": begun.kind.value, "evidence": command.evidence.value, "reason": command.reason}
    await audit.record(tx, change.proposed_by, "care.began", begun.wallet_id, **said, change=change.id)
    return begun.id


def proposed_care(change: ProposedChange) -> CareAtCounter:
    """The care in a proposal; it was validated when it was proposed, and is not altered since."""
    return msgspec.convert({**change.content, "officer_id": str(change.proposed_by)}, CareAtCounter)


async def _take_try(tx: Tx, account_id: UUID) -> None:
    if not await rows.take_try(tx, account_id, cares.WINDOW, cares.TRIES):
        began = await rows.window_of(tx, account_id)
        raise cares.CareThrottled(retry_after_seconds=wait_seconds(began, tx.now, cares.WINDOW))


async def _at_counter(tx: Tx, command: CareAtCounter) -> Care:
    carer = await _numbered(tx, command.carer_number)
    cared_for = await _numbered(tx, command.cared_for_number)
    ends_at = cares.end_after(command.last_day, tx.now)
    if command.kind is CareKind.PARENT:
        proven = await residency.residency(tx, cared_for.person_id)
        if proven is None:
            raise cares.CareBirthDateUnknown
        ends_at = cares.end_with_childhood(proven.details.born_on, ends_at, tx.now)
    sides = (carer.person_id, cared_for.person_id, cared_for.id)
    return Care(tx.new_id(), command.kind, *sides, command.names, tx.now, ends_at)


async def _numbered(tx: Tx, number: str) -> Wallet:
    wallet = await access.find_wallet(tx, number=number)
    if wallet is None:
        raise Missing
    await must_not_be_merged(tx, wallet)
    return wallet


async def _begin(tx: Tx, asked: Care, consent: Consent, most_cared_for: int) -> Care:
    """Raises CareOfOneself, CareExists, CareLimitReached, and Missing where either has no wallet."""
    persons = {asked.carer_id, asked.cared_for_id}
    wallets = await access.wallets_of_persons(tx, persons)
    if set(wallets) != persons:
        raise Missing
    await access.lock_wallets(tx, [each.id for each in wallets.values()])
    # Whoever typed a code learns nothing of the wallet that its giver's was merged into meanwhile.
    if any(each.status == MERGED for each in (await access.wallets_of_persons(tx, persons)).values()):
        raise Missing
    await rows.close_lapsed(tx, persons)
    await _check(tx, asked, most_cared_for)
    care = replace(asked, wallet_id=wallets[asked.cared_for_id].id)
    await rows.insert_care(tx, care, consent)
    return care


async def _check(tx: Tx, asked: Care, most_cared_for: int) -> None:
    if asked.carer_id == asked.cared_for_id:
        raise cares.CareOfOneself
    known = await rows.cares_of(tx, {asked.carer_id, asked.cared_for_id})
    if any((each.carer_id, each.cared_for_id) == (asked.carer_id, asked.cared_for_id) for each in known):
        raise cares.CareExists
    for held, most in (
        (sum(each.carer_id == asked.carer_id for each in known), most_cared_for),
        (sum(each.cared_for_id == asked.cared_for_id for each in known), cares.MOST_CARERS),
    ):
        if held >= most:
            raise cares.CareLimitReached(most=most)
