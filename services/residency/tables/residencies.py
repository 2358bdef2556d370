"""Statements on what people proved, and on second proofs of the same."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, and_, func, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.identity.clauses import is_now
from services.kit.db import Tx
from services.kit.sets import insert_rows
from services.kit.turns import take_turn
from services.residency.names import name_key
from services.residency.residency import Claim, ClaimStatus, Details, How, Proof, Residency
from services.residency.tables.schema import ResidencyClaimRow, ResidencyRow, ServiceAttemptRow

_COLUMNS = ("person_id", "how", "name", "kana", "born_on", "postal_code", "reference", "subject", "proven_at")


async def hold_identity(tx: Tx, proof: Proof) -> None:
    """Let one proof of a name and birth date, of a reference, of a pseudonym be recorded at a time."""
    identity = [f"name:{name_key(proof.details.name)}:{proof.details.born_on}"]
    identity += [f"reference:{proof.reference}"] if proof.reference is not None else []
    identity += [f"subject:{proof.subject}"] if proof.subject is not None else []
    for name in sorted(identity):
        await take_turn(tx, f"residency:{name}")


async def find(tx: Tx, person_id: UUID) -> Residency | None:
    found = (await tx.connection.execute(_residencies().where(ResidencyRow.person_id == person_id))).one_or_none()
    return _residency(found) if found else None


async def of_same_identity(tx: Tx, proof: Proof) -> Sequence[Residency]:
    """What other persons have proven that may be the same person, oldest first; not who was found to be that one."""
    same = [and_(ResidencyRow.born_on == proof.details.born_on, ResidencyRow.name_key == name_key(proof.details.name))]
    same += [ResidencyRow.reference == proof.reference] if proof.reference is not None else []
    same += [ResidencyRow.subject == proof.subject] if proof.subject is not None else []
    others = (ResidencyRow.person_id != proof.person_id, not_(is_now(ResidencyRow.person_id, proof.person_id)))
    query = _residencies().where(or_(*same), *others)
    return [_residency(row) for row in await tx.connection.execute(query.order_by(ResidencyRow.proven_at).limit(20))]


async def persons_named(tx: Tx, name: str, born_on: date, limit: int) -> Sequence[UUID]:
    """Who has proven this name and birth date, however the name is spelt."""
    its = (ResidencyRow.born_on == born_on, ResidencyRow.name_key == name_key(name))
    query = select(ResidencyRow.person_id).where(*its).order_by(ResidencyRow.person_id).limit(limit)
    return list((await tx.connection.execute(query)).scalars())


async def names_of(tx: Tx, person_ids: Sequence[UUID]) -> dict[UUID, str]:
    query = select(ResidencyRow.person_id, ResidencyRow.name).where(ResidencyRow.person_id.in_(person_ids))
    return {row[0]: row[1] for row in await tx.connection.execute(query)}


async def put(tx: Tx, proof: Proof) -> None:
    """Record a proof in the place of the person's earlier one."""
    row = vars(proof.details) | {
        "person_id": proof.person_id,
        "how": proof.how.value,
        "name_key": name_key(proof.details.name),
        "reference": proof.reference,
        "subject": proof.subject,
        "proven_at": tx.now,
        "proven_by": proof.proven_by,
    }
    statement = upsert(ResidencyRow).values(row)
    kept = {name: func.coalesce(statement.excluded[name], getattr(ResidencyRow, name)) for name in _KEPT}
    said = {name: statement.excluded[name] for name in row if name not in ("person_id", *_KEPT)}
    await tx.connection.execute(
        statement.on_conflict_do_update(index_elements=[ResidencyRow.person_id], set_=said | kept)
    )


_KEPT = ("kana", "postal_code", "reference", "subject")
"""What a later proof that does not tell it leaves as it was."""


async def give_up(tx: Tx, person_id: UUID) -> None:
    """Mark the proof of somebody who was found to be another: its line and pseudonym are that one's."""
    given_up = {"how": How.MERGED.value, "reference": None, "subject": None}
    await tx.connection.execute(update(ResidencyRow).where(ResidencyRow.person_id == person_id).values(given_up))


async def add_to(tx: Tx, person_id: UUID, reference: str | None, subject: str | None) -> None:
    """A line of the register and a pseudonym that the person has not proven by themselves; None adds nothing."""
    added = {
        "reference": func.coalesce(ResidencyRow.reference, reference),
        "subject": func.coalesce(ResidencyRow.subject, subject),
    }
    await tx.connection.execute(update(ResidencyRow).where(ResidencyRow.person_id == person_id).values(added))


async def open_between(tx: Tx, persons: tuple[UUID, UUID]) -> Sequence[UUID]:
    """Second proofs of the one of two persons against the other that wait for an officer, locked."""
    theirs = (ResidencyClaimRow.person_id.in_(persons), ResidencyClaimRow.held_by.in_(persons))
    query = select(ResidencyClaimRow.id).where(*theirs, ResidencyClaimRow.status == ClaimStatus.OPEN.value)
    return list((await tx.connection.execute(query.order_by(ResidencyClaimRow.id).with_for_update())).scalars())


async def claims_between(tx: Tx, person_id: UUID, held_by: Sequence[UUID]) -> dict[UUID, tuple[UUID, ClaimStatus]]:
    """The last claim of a person against each of the others: its id and where it stands."""
    query = select(ResidencyClaimRow.held_by, ResidencyClaimRow.id, ResidencyClaimRow.status)
    mine = query.where(ResidencyClaimRow.person_id == person_id, ResidencyClaimRow.held_by.in_(held_by))
    rows = await tx.connection.execute(mine.order_by(ResidencyClaimRow.id))
    return {row[0]: (row[1], ClaimStatus(row[2])) for row in rows}


async def insert_claim(tx: Tx, claim_id: UUID, held_by: UUID, proof: Proof) -> None:
    row = {
        "id": claim_id,
        "person_id": proof.person_id,
        "held_by": held_by,
        "proof": msgspec.to_builtins(proof),
        "found_at": tx.now,
        "status": ClaimStatus.OPEN.value,
    }
    await tx.connection.execute(insert_rows(ResidencyClaimRow, [row]))


async def find_claims(
    tx: Tx, status: ClaimStatus | None, after: UUID | None, limit: int, *, only: UUID | None = None
) -> Sequence[Claim]:
    """Claims in the order in which they were found; `only` one of them, locked."""
    query = select(*ResidencyClaimRow.__table__.columns).order_by(ResidencyClaimRow.id).limit(limit)
    if status is not None:
        query = query.where(ResidencyClaimRow.status == status.value)
    if after is not None:
        query = query.where(ResidencyClaimRow.id > after)
    if only is not None:
        query = query.where(ResidencyClaimRow.id == only).with_for_update()
    return [_claim(row) for row in await tx.connection.execute(query)]


async def decide_claim(tx: Tx, claim_id: UUID, status: ClaimStatus, officer_id: UUID) -> None:
    values = {"status": status.value, "decided_by": officer_id, "decided_at": tx.now}
    await tx.connection.execute(update(ResidencyClaimRow).where(ResidencyClaimRow.id == claim_id).values(values))


def _residencies() -> Any:
    return select(*(getattr(ResidencyRow, name) for name in _COLUMNS), ResidencyRow.proven_by)


def _residency(row: Row[Any]) -> Residency:
    details = Details(row.name, row.kana, row.born_on, row.postal_code)
    return Residency(row.person_id, How(row.how), details, row.reference, row.subject, row.proven_at, row.proven_by)


def _claim(row: Row[Any]) -> Claim:
    proof = msgspec.convert(row.proof, Proof)
    decided = (row.decided_by, row.decided_at)
    return Claim(row.id, row.person_id, row.held_by, proof, row.found_at, ClaimStatus(row.status), *decided)


async def insert_attempt(tx: Tx, attempt_id: UUID, account_id: UUID, person_id: UUID, until: datetime) -> None:
    row = {"id": attempt_id, "account_id": account_id, "person_id": person_id, "expires_at": until}
    await tx.connection.execute(insert_rows(ServiceAttemptRow, [row]))


async def has_attempt(tx: Tx, attempt_id: UUID, account_id: UUID, person_id: UUID) -> bool:
    """Whether the attempt is this account's and person's, used and over or not."""
    query = select(ServiceAttemptRow.id).where(
        ServiceAttemptRow.id == attempt_id,
        ServiceAttemptRow.account_id == account_id,
        ServiceAttemptRow.person_id == person_id,
    )
    return (await tx.connection.execute(query)).first() is not None


async def use_attempt(tx: Tx, attempt_id: UUID, account_id: UUID, person_id: UUID) -> bool:
    """Use an attempt up; False unless it is this account's and person's, lives, and was not used."""
    its = (
        ServiceAttemptRow.id == attempt_id,
        ServiceAttemptRow.account_id == account_id,
        ServiceAttemptRow.person_id == person_id,
        ServiceAttemptRow.expires_at > tx.now,
        ServiceAttemptRow.used_at.is_(None),
    )
    statement = update(ServiceAttemptRow).where(*its).values(used_at=tx.now).returning(ServiceAttemptRow.id)
    return (await tx.connection.execute(statement)).first() is not None
