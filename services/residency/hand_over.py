"""The city hands its register over: an officer brings the list, another makes it the register.

Law: a list counts as a whole and from its approval on; what it leaves out is no longer in the register. What people
have proven stays proven: a register says who lives here, and not since when.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.kit import audit, changes
from services.kit.changes import Change
from services.kit.clock import civil_date
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import ChangeDiffers, ChangeKind, ProposedChange
from services.residency.lists import Registered, read_districts, read_register
from services.residency.tables import register
from services.residency.tables.register import StoredList


@dataclass(frozen=True)
class HandOver:
    """A register that was read (`read_register`), and the SHA-256 of what was read."""

    officer_id: UUID
    sha256: str
    residents: tuple[Registered, ...] = field(repr=False)


@dataclass(frozen=True)
class LoadDistricts:
    """A list of districts as it was sent; by an officer, or at the command line."""

    officer_id: UUID | None
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class ListDifferences:
    """What a list would do to the register as it is now, in entries."""

    lines: int
    added: int
    changed: int
    left_out: int


@dataclass(frozen=True)
class ProposedList:
    """`change_id` and `fingerprint` are what an approval names."""

    change_id: UUID
    fingerprint: str
    differences: ListDifferences


@dataclass(frozen=True)
class DistrictsLoaded:
    postal_codes: int
    districts: int


def register_list(officer_id: UUID, content: bytes, now: datetime) -> HandOver:
    """Read a list as the officer sent it: seconds of work for a big city, so not in a transaction.

    Raises ResidentListInvalid.
    """
    residents = read_register(content, civil_date(now))
    return HandOver(officer_id, hashlib.sha256(content).hexdigest(), residents)


async def propose_register(tx: Tx, command: HandOver) -> ProposedList:
    """Store a list and propose it as the register."""
    stored = StoredList(tx.new_id(), bytes.fromhex(command.sha256), len(command.residents))
    await register.insert_list(tx, stored, command.officer_id, command.residents)
    differences = await list_differences(tx, stored.id)
    content = {"sha256": stored.sha256.hex(), "lines": stored.lines}
    change = await changes.put_forward(tx, Change(ChangeKind.REGISTER, stored.id, content, command.officer_id))
    return ProposedList(change.id, change.fingerprint, differences)


async def list_differences(tx: Tx, list_id: UUID) -> ListDifferences:
    """What the list would do now. Raises Missing."""
    stored = await register.find_list(tx, list_id)
    if stored is None:
        raise Missing
    return ListDifferences(stored.lines, *await register.differences(tx, list_id))


async def carry_out_register(tx: Tx, change: ProposedChange) -> UUID:
    """Make the list that was approved in this transaction the register. Raises ChangeDiffers."""
    stored = await register.find_list(tx, change.subject_id)
    if stored is None or change.content != {"sha256": stored.sha256.hex(), "lines": stored.lines}:
        raise ChangeDiffers
    await register.approve_list(tx, stored.id)
    return stored.id


async def load_districts(tx: Tx, command: LoadDistricts) -> DistrictsLoaded:
    """Put postal codes into districts by a list; an officer's, or None at the command line.

    Raises ResidentListInvalid.
    """
    districts = read_districts(command.content)
    await register.set_districts(tx, districts)
    loaded = DistrictsLoaded(len(districts), len({each.district for each in districts}))
    sha256 = hashlib.sha256(command.content).hexdigest()
    await audit.record(tx, command.officer_id, "districts.loaded", None, **vars(loaded), sha256=sha256)
    return loaded
