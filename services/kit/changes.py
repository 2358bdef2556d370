"""Proposed changes: put forward, shown, approved by another or withdrawn; every step in the audit log.

What a change does when it is approved is a use case of its kind's package, in the same transaction:
the approval and what it lets happen are one deed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Executable, select, update

from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.kit.four_eyes import (
    ChangeKind,
    ChangeStatus,
    ProposedChange,
    fingerprint_of,
    must_be_another,
    must_be_as_shown,
    must_be_open,
)
from services.kit.sets import insert_rows
from services.kit.tables import ChangeRow


@dataclass(frozen=True)
class Change:
    """What shall change, as its package writes it down: plain values only."""

    kind: ChangeKind
    subject_id: UUID
    content: Mapping[str, Any]
    officer_id: UUID


@dataclass(frozen=True)
class ApproveChange:
    """The officer approves what was shown: `fingerprint` in hex says what that was."""

    change_id: UUID
    fingerprint: str
    officer_id: UUID


@dataclass(frozen=True)
class WithdrawChange:
    """An officer, the proposer too, takes a proposal back and says why."""

    change_id: UUID
    reason: str
    officer_id: UUID


@dataclass(frozen=True)
class ChangePage:
    """Changes in the order of their proposal; `status` None shows all."""

    status: ChangeStatus | None
    after: UUID | None
    limit: int


async def put_forward(tx: Tx, command: Change, *, instead: bool = False) -> ProposedChange:
    """Propose a change; with `instead`, whatever is still open of this kind for the subject is given up."""
    if instead:
        query = select(ChangeRow.id).where(*_open(), ChangeRow.kind == command.kind.value).with_for_update()
        waiting = await tx.connection.execute(query.where(ChangeRow.subject_id == command.subject_id))
        for change_id in waiting.scalars().all():
            await _decide(tx, change_id, ChangeStatus.WITHDRAWN, command.officer_id, reason="replaced")
    content = msgspec.to_builtins(command.content)
    change = ProposedChange(
        tx.new_id(),
        command.kind,
        command.subject_id,
        content,
        fingerprint_of(command.kind, command.subject_id, content),
        command.officer_id,
        tx.now,
    )
    written = {name: getattr(change, name) for name in ("id", "kind", "subject_id", "proposed_by", "proposed_at")}
    row = written | {"content": content, "fingerprint": bytes.fromhex(change.fingerprint), "status": change.status}
    await tx.connection.execute(insert_rows(ChangeRow, [row]))
    said = {"kind": change.kind.value, "fingerprint": change.fingerprint, "change_id": change.id}
    await audit.record(tx, command.officer_id, "change.proposed", command.subject_id, **said)
    return change


async def approve(tx: Tx, command: ApproveChange) -> ProposedChange:
    """Approve; the caller lets it happen in the same transaction.

    Raises Missing, ChangeDecided, SecondOfficerNeeded, ChangeDiffers.
    """
    change = await find(tx, command.change_id, lock=True)
    must_be_open(change)
    must_be_another(change.proposed_by, command.officer_id)
    must_be_as_shown(change, command.fingerprint)
    await _decide(tx, change.id, ChangeStatus.APPROVED, command.officer_id, fingerprint=change.fingerprint)
    return replace(change, status=ChangeStatus.APPROVED, decided_by=command.officer_id, decided_at=tx.now)


async def withdraw(tx: Tx, command: WithdrawChange) -> None:
    """Give a proposal up. Raises Missing and ChangeDecided."""
    must_be_open(await find(tx, command.change_id, lock=True))
    await _decide(tx, command.change_id, ChangeStatus.WITHDRAWN, command.officer_id, reason=command.reason)


async def find(tx: Tx, change_id: UUID, *, lock: bool = False) -> ProposedChange:
    """Raises Missing."""
    query = select(*ChangeRow.__table__.columns).where(ChangeRow.id == change_id)
    found = await _read(tx, query.with_for_update() if lock else query)
    if not found:
        raise Missing
    return found[0]


async def page(tx: Tx, asked: ChangePage) -> Sequence[ProposedChange]:
    """Proposed changes, oldest first."""
    query = select(*ChangeRow.__table__.columns).order_by(ChangeRow.id).limit(asked.limit)
    if asked.status is not None:
        query = query.where(ChangeRow.status == asked.status.value)
    if asked.after is not None:
        query = query.where(ChangeRow.id > asked.after)
    return await _read(tx, query)


def _open() -> list[Any]:
    return [ChangeRow.status == ChangeStatus.OPEN.value]


async def _read(tx: Tx, query: Executable) -> list[ProposedChange]:
    return [
        ProposedChange(
            row.id,
            ChangeKind(row.kind),
            row.subject_id,
            row.content,
            bytes(row.fingerprint).hex(),
            row.proposed_by,
            row.proposed_at,
            row.decided_by,
            row.decided_at,
            ChangeStatus(row.status),
        )
        for row in await tx.connection.execute(query)
    ]


async def _decide(tx: Tx, change_id: UUID, status: ChangeStatus, officer_id: UUID, **said: object) -> None:
    decided = {"status": status.value, "decided_by": officer_id, "decided_at": tx.now}
    await tx.connection.execute(update(ChangeRow).where(ChangeRow.id == change_id).values(decided))
    await audit.record(tx, officer_id, f"change.{status.value}", change_id, **said)
