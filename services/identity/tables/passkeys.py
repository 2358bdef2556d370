"""Statements on passkeys and on the challenges that they sign."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.dialects.postgresql import insert

from services.identity.passkeys import NewPasskey, Passkey
from services.identity.tables.schema import PasskeyChallengeRow, PasskeyRow
from services.kit.db import Tx


@dataclass(frozen=True)
class KeptPasskey:
    """A passkey that still counts."""

    id: UUID
    account_id: UUID
    public_key: bytes = field(repr=False)
    sign_count: int


async def insert_challenge(
    tx: Tx, challenge_id: UUID, purpose: str, bound_to: UUID | None, challenge: bytes, expires_at: datetime
) -> None:
    row = {"id": challenge_id, "purpose": purpose, "bound_to": bound_to, "challenge": challenge}
    await tx.connection.execute(insert(PasskeyChallengeRow).values(row | {"expires_at": expires_at}))


async def take_challenge(tx: Tx, challenge_id: UUID, purpose: str, bound_to: UUID | None) -> bytes | None:
    """Use a challenge up; None for one of something else, one that is too old, and one that was used."""
    alive = (PasskeyChallengeRow.used_at.is_(None), PasskeyChallengeRow.expires_at > tx.now)
    its = (
        PasskeyChallengeRow.id == challenge_id,
        PasskeyChallengeRow.purpose == purpose,
        PasskeyChallengeRow.bound_to.is_not_distinct_from(bound_to),
    )
    statement = update(PasskeyChallengeRow).where(*alive, *its).values(used_at=tx.now)
    challenge: bytes | None = (
        await tx.connection.execute(statement.returning(PasskeyChallengeRow.challenge))
    ).scalar_one_or_none()
    return challenge


async def insert_passkey(tx: Tx, account_id: UUID, name: str, new: NewPasskey) -> Passkey | None:
    """None when the key is registered already, with whatever account."""
    row = {
        "id": tx.new_id(),
        "account_id": account_id,
        "credential_id": new.credential_id,
        "public_key": new.public_key,
        "sign_count": new.sign_count,
        "name": name,
        "added_at": tx.now,
    }
    statement = insert(PasskeyRow).values(row).on_conflict_do_nothing().returning(PasskeyRow.id)
    made = (await tx.connection.execute(statement)).scalar_one_or_none()
    return None if made is None else Passkey(made, name, tx.now, None)


async def passkeys_of(tx: Tx, account_id: UUID) -> Sequence[Passkey]:
    """Those that still count, the oldest first."""
    columns = (PasskeyRow.id, PasskeyRow.name, PasskeyRow.added_at, PasskeyRow.used_at)
    query = select(*columns).where(*_counts(account_id)).order_by(PasskeyRow.id)
    return [Passkey(*row) for row in await tx.connection.execute(query)]


async def credential_ids_of(tx: Tx, account_id: UUID) -> Sequence[bytes]:
    query = select(PasskeyRow.credential_id).where(*_counts(account_id)).order_by(PasskeyRow.id)
    return list((await tx.connection.execute(query)).scalars())


async def find_passkey(tx: Tx, credential_id: bytes, *, locked: bool = False) -> KeptPasskey | None:
    """The passkey with this id if it still counts; `locked` until this transaction ends."""
    columns = (PasskeyRow.id, PasskeyRow.account_id, PasskeyRow.public_key, PasskeyRow.sign_count)
    query = select(*columns).where(PasskeyRow.credential_id == credential_id, PasskeyRow.ended_at.is_(None))
    row = (await tx.connection.execute(query.with_for_update() if locked else query)).one_or_none()
    return KeptPasskey(*row) if row else None


async def count_use(tx: Tx, passkey_id: UUID, sign_count: int) -> None:
    values = {"sign_count": sign_count, "used_at": tx.now}
    await tx.connection.execute(update(PasskeyRow).where(PasskeyRow.id == passkey_id).values(values))


async def end_passkey(tx: Tx, account_id: UUID, passkey_id: UUID, ended_as: str) -> str | None:
    """The name of the passkey that ended; None when the account has none of that id."""
    its = (*_counts(account_id), PasskeyRow.id == passkey_id)
    statement = update(PasskeyRow).where(*its).values(ended_at=tx.now, ended_as=ended_as).returning(PasskeyRow.name)
    name: str | None = (await tx.connection.execute(statement)).scalar_one_or_none()
    return name


async def end_passkeys(tx: Tx, account_id: UUID, ended_as: str) -> int:
    """End all of an account's; how many there were."""
    statement = update(PasskeyRow).where(*_counts(account_id)).values(ended_at=tx.now, ended_as=ended_as)
    return len((await tx.connection.execute(statement.returning(PasskeyRow.id))).all())


def _counts(account_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return PasskeyRow.account_id == account_id, PasskeyRow.ended_at.is_(None)
