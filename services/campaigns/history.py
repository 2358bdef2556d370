"""A programme's versions as officers read them: who proposed what and why, and who approved it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.campaigns import tables
from services.campaigns.programme import ProgrammeUnknown
from services.campaigns.terms import Terms
from services.kit.db import Tx


@dataclass(frozen=True)
class Version:
    """Terms as they were proposed; `approved_by` is None while they wait for a second officer."""

    code: str
    version: int
    in_force: bool
    """Whether new purchases are made under this version."""
    fingerprint: str
    reason: str
    proposed_by: UUID
    proposed_at: datetime
    approved_by: UUID | None
    approved_at: datetime | None
    terms: Terms

    @property
    def approved(self) -> bool:
        return self.approved_by is not None


async def versions_of(tx: Tx, code: str) -> tuple[Version, ...]:
    """Every version of a programme, the newest first. Raises `ProgrammeUnknown`."""
    rows = await tables.list_versions(tx, code)
    if not rows:
        raise ProgrammeUnknown(programme=code[:60])
    return tuple(Version(**row) for row in rows)
