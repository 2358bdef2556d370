"""Care ends at once: by either side, by an officer, who says why, or because its last day is over.

Law: the end is written under the lock of the cared-for person's wallet, under which payments read whether care still
counts. So a payment stands before the end or is refused by it, and codes that were shown already pay nothing more;
the phones that the carer had registered for this wallet are blocked. A last day counts by itself, whether its end is
written down or not; whoever writes it down, once, has both sides told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.identity import read as identity
from services.identity.bulk_reading import Looker
from services.identity.look_at import look_at
from services.kit import audit
from services.kit.db import Tx
from services.kit.errors import Missing
from services.wallets.care import Care, Side
from services.wallets.tables import access
from services.wallets.tables import care as rows


@dataclass(frozen=True)
class EndCare:
    """One of the two wants no more of it."""

    care_id: UUID
    account_id: UUID


@dataclass(frozen=True)
class EndCareByOffice:
    care_id: UUID
    officer_id: UUID
    reason: str


@dataclass(frozen=True)
class LookAtCare:
    """Somebody of the office looks at who cares for whom around a wallet, and says why."""

    looker: Looker
    number: str
    reason: str


@dataclass(frozen=True)
class Lapsed:
    care_id: UUID
    wallet_id: UUID


@dataclass(frozen=True)
class EndedCare:
    """What ended, and whose accounts are told; somebody without a phone has none."""

    care_id: UUID
    ended_as: Side
    account_ids: tuple[UUID, ...]


async def end_care(tx: Tx, command: EndCare) -> EndedCare:
    """Raises Missing for what has ended, and for the care of others."""
    person_id = await identity.own_person(tx, command.account_id)
    care = await rows.find_care(tx, command.care_id)
    if care is None or person_id not in (care.carer_id, care.cared_for_id):
        raise Missing
    side = Side.CARER if person_id == care.carer_id else Side.CARED_FOR
    return await _end(tx, care, side, command.account_id)


async def end_care_by_office(tx: Tx, command: EndCareByOffice) -> EndedCare:
    """Raises Missing for what has ended."""
    care = await rows.find_care(tx, command.care_id)
    if care is None:
        raise Missing
    return await _end(tx, care, Side.OFFICE, command.officer_id, reason=command.reason)


async def lapsed_care(tx: Tx, limit: int) -> Sequence[Lapsed]:
    """Care whose last day is over, a childhood's among them, and whose end nobody has written down yet."""
    return [Lapsed(*each) for each in await rows.find_lapsed(tx, limit)]


async def end_lapsed_care(tx: Tx, lapsed: Lapsed) -> EndedCare | None:
    """Write its end down, once: of any number of processes one has both sides told, and the others None."""
    await access.lock_wallets(tx, [lapsed.wallet_id])
    care = await rows.end_lapsed(tx, lapsed.care_id)
    return None if care is None else await _ended(tx, care, Side.TIME, None)


async def look_at_care(tx: Tx, asked: LookAtCare) -> tuple[UUID, Sequence[Care]]:
    """A wallet's person, and the care that counts with them on either side. Raises Missing and TooManyLooks."""
    wallet = await access.find_wallet(tx, number=asked.number)
    if wallet is None:
        raise Missing
    people, its = [wallet.person_id], [wallet.id]
    await look_at(tx, asked.looker, "care.looked_at", people, about=its, reason=asked.reason)
    return wallet.person_id, await rows.cares_of(tx, {wallet.person_id})


async def parties(tx: Tx, care_id: UUID) -> tuple[UUID, ...]:
    """The accounts of both sides of a care that counts; none for one that has ended."""
    care = await rows.find_care(tx, care_id)
    return () if care is None else await _accounts(tx, care)


async def _accounts(tx: Tx, care: Care) -> tuple[UUID, ...]:
    return (*await identity.acting_for(tx, care.carer_id), *await identity.acting_for(tx, care.cared_for_id))


async def _end(tx: Tx, care: Care, side: Side, actor_id: UUID, **said: object) -> EndedCare:
    await access.lock_wallets(tx, [care.wallet_id])
    if not await rows.end_care(tx, care.id, side):
        raise Missing
    return await _ended(tx, care, side, actor_id, **said)


async def _ended(tx: Tx, care: Care, side: Side, actor_id: UUID | None, **said: object) -> EndedCare:
    """What follows from an end that is written down."""
    carers = await identity.acting_for(tx, care.carer_id)
    phones = await access.block_devices(tx, care.wallet_id, of_accounts=carers)
    await audit.record(
        tx, actor_id, "care.ended", care.wallet_id, care=care.id, ended_as=side.value, phones=phones, **said
    )
    return EndedCare(care.id, side, await _accounts(tx, care))
