"""Statements on letters whose code has served as a secret."""

from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import insert as upsert

from services.kit.db import Tx
from services.residency.tables.schema import LetterUseRow, RegistryLetterRow, ResidencyRow


async def find_unused(tx: Tx, person_id: UUID) -> tuple[str, int, bytes] | None:
    """Reference, issue and MAC of the last letter to the entry by which the person proved."""
    its_use = and_(LetterUseRow.reference == RegistryLetterRow.reference, LetterUseRow.issue == RegistryLetterRow.issue)
    query = (
        select(RegistryLetterRow.reference, RegistryLetterRow.issue, RegistryLetterRow.mac)
        .join(ResidencyRow, ResidencyRow.reference == RegistryLetterRow.reference)
        .outerjoin(LetterUseRow, its_use)
        .where(ResidencyRow.person_id == person_id, LetterUseRow.reference.is_(None))
    )
    row = (await tx.connection.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], bytes(row[2]))


async def insert(tx: Tx, reference: str, issue: int, account_id: UUID) -> bool:
    """False when that letter was used already."""
    row = {"reference": reference, "issue": issue, "account_id": account_id, "used_at": tx.now}
    statement = upsert(LetterUseRow).values(row).on_conflict_do_nothing().returning(LetterUseRow.issue)
    return (await tx.connection.execute(statement)).first() is not None
