"""Propose a programme or a correction of its terms; nothing is in force until a second officer approves."""

import re
from dataclasses import dataclass
from uuid import UUID

from services.campaigns import tables
from services.campaigns.programme import (
    ProgrammeCodeInvalid,
    ProgrammeCodeTaken,
    ProgrammeUnknown,
    Proposal,
    fingerprint,
)
from services.campaigns.terms import Terms, check
from services.kit import audit
from services.kit.db import Tx

CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]", re.ASCII)


@dataclass(frozen=True)
class Propose:
    """Terms for a programme's code, why, and by whom."""

    code: str
    terms: Terms
    reason: str
    officer_id: UUID


@dataclass(frozen=True)
class Proposed:
    programme_id: UUID
    code: str
    version: int
    fingerprint: str


async def create(tx: Tx, command: Propose) -> Proposed:
    """A new programme with its first proposed terms."""
    if not CODE.fullmatch(command.code):
        raise ProgrammeCodeInvalid(given=command.code[:60])
    check(command.terms)
    programme_id = tx.new_id()
    if not await tables.insert_programme(tx, programme_id, command.code):
        raise ProgrammeCodeTaken(programme=command.code)
    return await _propose(tx, command, programme_id, 1)


async def propose(tx: Tx, command: Propose) -> Proposed:
    """A new version of a programme's terms, draft or correction."""
    check(command.terms)
    programme_id = await tables.lock_programme(tx, command.code)
    if programme_id is None:
        raise ProgrammeUnknown(programme=command.code)
    newest = await tables.last_version(tx, programme_id)
    return await _propose(tx, command, programme_id, newest[0].version + 1 if newest else 1)


async def _propose(tx: Tx, command: Propose, programme_id: UUID, version: int) -> Proposed:
    proposal = Proposal(version, command.terms, fingerprint(command.terms), command.reason, command.officer_id)
    await tables.insert_version(tx, programme_id, proposal)
    await audit.record(tx, command.officer_id, "programme.proposed", programme_id, version=version)
    return Proposed(programme_id, command.code, version, proposal.fingerprint)
