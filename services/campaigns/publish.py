"""Approve proposed terms: a second officer's yes to exactly what was proposed puts them in force."""

from dataclasses import dataclass
from uuid import UUID

from services.campaigns import tables
from services.campaigns.programme import NothingToApprove, ProgrammeUnknown
from services.campaigns.terms import Settlement, Terms, TermsInvalid, check
from services.kit import audit
from services.kit.clock import start_of
from services.kit.db import Tx
from services.kit.four_eyes import must_be_another


@dataclass(frozen=True)
class Approve:
    """The officer approves `version` as it was shown: `fingerprint` in hex says what that was."""

    code: str
    version: int
    fingerprint: str
    officer_id: UUID


@dataclass(frozen=True)
class Approved:
    programme_id: UUID
    code: str
    version: int


async def approve(tx: Tx, command: Approve) -> Approved:
    """Publish a version. Points sold before keep the version that they were sold under."""
    programme_id = await tables.lock_programme(tx, command.code)
    if programme_id is None:
        raise ProgrammeUnknown(programme=command.code)
    newest = await tables.last_version(tx, programme_id)
    if newest is None or newest[1]:
        raise NothingToApprove(version=command.version)
    proposal = newest[0]
    if (proposal.version, proposal.fingerprint) != (command.version, command.fingerprint.lower()):
        raise NothingToApprove(version=command.version)
    must_be_another(proposal.proposed_by, command.officer_id)
    check(proposal.terms)
    await _must_keep_fees(tx, programme_id, proposal.terms)
    stock = await tables.read_stock(tx, programme_id)
    if stock is not None and (
        proposal.terms.stock_units < stock.reserved_units + stock.sold_units
        or proposal.terms.grant_budget_points < stock.granted_points
    ):
        raise TermsInvalid(rule="stock_below_what_is_gone")
    await tables.set_stock(tx, programme_id, proposal.terms.stock_units, proposal.terms.grant_budget_points)
    await tables.insert_approval(tx, programme_id, proposal, command.officer_id)
    await audit.record(tx, command.officer_id, "programme.approved", programme_id, version=proposal.version)
    return Approved(programme_id, command.code, proposal.version)


async def _must_keep_fees(tx: Tx, programme_id: UUID, terms: Terms) -> None:
    """Stores sold under the fees they were told: from the first day of use a refund must meet its sale's rate."""
    known = await tables.find_published(tx, programme_id=programme_id)
    if known is None or tx.now < start_of(known.terms.use.first):
        return
    before, after = known.terms.settlement, terms.settlement
    if _fees(before) != _fees(after):
        raise TermsInvalid(rule="fees_fixed_in_use")


def _fees(settlement: Settlement) -> tuple[int, int, int]:
    return settlement.fee_bp_large, settlement.fee_bp_small, settlement.fee_tax_bp
