"""Statements on second factors, recovery codes, and attempts that wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.tables.schema import RecoveryCodeRow, SecondFactorRow, SignInAttemptRow
from services.kit.db import Tx


@dataclass(frozen=True)
class Waiting:
    """An attempt that lives, what it may be compared with, and the secret that is being enrolled with it."""

    account_id: UUID
    pending: bytes | None = field(repr=False)
    sealed: bytes | None = field(repr=False)
    last_step: int


async def begin(tx: Tx, attempt_id: UUID, account_id: UUID, expires_at: datetime) -> None:
    row = {"id": attempt_id, "account_id": account_id, "began_at": tx.now, "expires_at": expires_at}
    await tx.connection.execute(insert(SignInAttemptRow).values(row))


async def find_attempt(tx: Tx, attempt_id: UUID) -> Waiting | None:
    """The attempt if it lives, with its account's factor as it is now."""
    query = (
        select(
            SignInAttemptRow.account_id,
            SignInAttemptRow.sealed_secret,
            SecondFactorRow.sealed_secret,
            SecondFactorRow.last_step,
        )
        .outerjoin(SecondFactorRow, SecondFactorRow.account_id == SignInAttemptRow.account_id)
        .where(*_alive(tx, attempt_id))
    )
    row = (await tx.connection.execute(query)).one_or_none()
    if row is None:
        return None
    # The steps of a factor that was taken away say nothing of the one that is being enrolled.
    return Waiting(row[0], row[1], row[2], 0 if row[2] is None else row[3])


async def set_pending(tx: Tx, attempt_id: UUID, sealed: bytes) -> bool:
    """Keep the secret that is being enrolled, in place of an earlier one; False when the attempt is over."""
    statement = update(SignInAttemptRow).where(*_alive(tx, attempt_id)).values(sealed_secret=sealed)
    return (await tx.connection.execute(statement.returning(SignInAttemptRow.id))).first() is not None


async def use_attempt(tx: Tx, attempt_id: UUID, pending: bytes | None) -> bool:
    """Use the attempt up, with the secret that was compared; False when it is over, or has another by now."""
    same = SignInAttemptRow.sealed_secret.is_not_distinct_from(pending)
    statement = update(SignInAttemptRow).where(*_alive(tx, attempt_id), same).values(ended_at=tx.now)
    return (await tx.connection.execute(statement.returning(SignInAttemptRow.id))).first() is not None


async def end_attempts(tx: Tx, account_id: UUID) -> None:
    """No attempt of the account comes to anything: its password or its state has changed."""
    theirs = (SignInAttemptRow.account_id == account_id, SignInAttemptRow.ended_at.is_(None))
    await tx.connection.execute(update(SignInAttemptRow).where(*theirs).values(ended_at=tx.now))


async def is_enrolled(tx: Tx, account_id: UUID) -> bool:
    held = (SecondFactorRow.account_id == account_id, SecondFactorRow.sealed_secret.is_not(None))
    return (await tx.connection.execute(select(SecondFactorRow.account_id).where(*held))).first() is not None


async def enrol(tx: Tx, account_id: UUID, sealed: bytes, step: int) -> bool:
    """Give the account its factor; False when it has one already."""
    values = {"sealed_secret": sealed, "last_step": step, "enrolled_at": tx.now}
    statement = (
        insert(SecondFactorRow)
        .values({"account_id": account_id, **values})
        .on_conflict_do_update(
            index_elements=["account_id"], set_=values, where=SecondFactorRow.sealed_secret.is_(None)
        )
        .returning(SecondFactorRow.account_id)
    )
    return (await tx.connection.execute(statement)).first() is not None


async def use_step(tx: Tx, account_id: UUID, sealed: bytes, step: int) -> bool:
    """Use a step of time up, and every one before it; False when it was used, or the secret has changed."""
    its = (SecondFactorRow.account_id == account_id, SecondFactorRow.sealed_secret == sealed)
    statement = update(SecondFactorRow).where(*its, SecondFactorRow.last_step < step).values(last_step=step)
    return (await tx.connection.execute(statement.returning(SecondFactorRow.account_id))).first() is not None


async def remove(tx: Tx, account_id: UUID) -> bool:
    """Take the factor away; False where there is none. Its recovery codes go with it."""
    held = (SecondFactorRow.account_id == account_id, SecondFactorRow.sealed_secret.is_not(None))
    statement = update(SecondFactorRow).where(*held).values(sealed_secret=None)
    await end_recovery_codes(tx, account_id)
    return (await tx.connection.execute(statement.returning(SecondFactorRow.account_id))).first() is not None


async def insert_recovery_codes(tx: Tx, account_id: UUID, macs: Sequence[bytes]) -> None:
    """New codes in place of all earlier ones."""
    await end_recovery_codes(tx, account_id)
    rows = [{"id": tx.new_id(), "account_id": account_id, "mac": mac, "made_at": tx.now} for mac in macs]
    await tx.connection.execute(insert(RecoveryCodeRow).values(rows))


async def end_recovery_codes(tx: Tx, account_id: UUID) -> None:
    theirs = (RecoveryCodeRow.account_id == account_id, RecoveryCodeRow.ended_at.is_(None))
    await tx.connection.execute(update(RecoveryCodeRow).where(*theirs).values(ended_at=tx.now))


async def recovery_macs(tx: Tx, account_id: UUID) -> list[bytes]:
    """What the account's unused codes are kept as."""
    query = select(RecoveryCodeRow.mac).where(
        RecoveryCodeRow.account_id == account_id, RecoveryCodeRow.ended_at.is_(None)
    )
    return list((await tx.connection.execute(query)).scalars())


async def use_recovery_code(tx: Tx, account_id: UUID, mac: bytes) -> bool:
    """Use one code up; False when it was used meanwhile."""
    its = (RecoveryCodeRow.account_id == account_id, RecoveryCodeRow.mac == mac, RecoveryCodeRow.ended_at.is_(None))
    statement = update(RecoveryCodeRow).where(*its).values(ended_at=tx.now)
    return (await tx.connection.execute(statement.returning(RecoveryCodeRow.id))).first() is not None


def _alive(tx: Tx, attempt_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (
        SignInAttemptRow.id == attempt_id,
        SignInAttemptRow.ended_at.is_(None),
        SignInAttemptRow.expires_at > tx.now,
    )
