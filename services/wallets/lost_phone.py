"""Block a lost phone without having it: by the printed code, or by the call centre, which has asked who calls.

Law: what blocks can do nothing else, and the balance stays where it is: it is the person's, not the phone's. All
phones of the wallet are blocked, and those by which its person pays for others whom they care for; all sign-ins of
those who act for it end. Whoever they are signs in again, on a phone that is new then. Each look of the call centre
and each block is recorded, with its reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.identity import read
from services.identity.bulk_reading import RECOMMENDED as LOOK_LIMITS
from services.identity.bulk_reading import Looker, LookLimits
from services.identity.end_session import end_sessions_of
from services.identity.hashing import compare_password
from services.identity.look_at import look_at
from services.identity.passwords import RECOMMENDED, PasswordCost, wait_seconds
from services.identity.session import EndedAs
from services.kit import audit
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.wallets.block_code import (
    TRIES,
    WINDOW,
    BlockCode,
    BlockCodeRefused,
    BlockCodeThrottled,
    read_block_code,
)
from services.wallets.tables import access, block_codes
from services.wallets.wallet import Device


@dataclass(frozen=True)
class KeepBlockCode:
    """A new code of a wallet, which an account that acts for it has been shown."""

    wallet_id: UUID
    account_id: UUID
    locator: str
    secret_hash: str = field(repr=False)


@dataclass(frozen=True)
class LostPhone:
    """A printed code as typed; `cost` is what its hash costs."""

    typed: str = field(repr=False)
    cost: PasswordCost = RECOMMENDED


@dataclass(frozen=True)
class LookAtPhones:
    """Somebody of the call centre looks at a wallet's phones, and says why."""

    officer_id: UUID
    number: str
    reason: str
    limits: LookLimits = LOOK_LIMITS


@dataclass(frozen=True)
class BlockPhones:
    """Somebody of the call centre blocks a wallet's phones; `identified_by` says how they knew who called."""

    officer_id: UUID
    number: str
    identified_by: str
    reason: str


@dataclass(frozen=True)
class Blocked:
    """What was blocked, and whose accounts are told."""

    phones: int
    sessions: int
    account_ids: tuple[UUID, ...]


async def keep_block_code(tx: Tx, command: KeepBlockCode) -> UUID:
    """Keep a new code in place of the earlier one. Raises `Missing`."""
    wallet = await access.lock_wallet(tx, command.wallet_id, command.account_id)
    if wallet is None or not await block_codes.keep(tx, wallet.id, command.locator, command.secret_hash):
        raise Missing
    await audit.record(tx, command.account_id, "wallet.block_code_made", wallet.id)
    return wallet.id


async def block_by_code(database: Database, asked: LostPhone) -> Blocked:
    """Block by the printed code, at the price of one try of it.

    Raises `BlockCodeRefused`, `BlockCodeThrottled` and `Busy`.
    """
    code = read_block_code(asked.typed)
    kept = await database.transact(_take_try, code)
    if not await compare_password(None if kept is None else kept.secret_hash, code.secret, asked.cost) or kept is None:
        raise BlockCodeRefused
    return await database.transact(_block_by_code, (code.locator, kept.wallet_id))


async def look_at_phones(tx: Tx, asked: LookAtPhones) -> Sequence[Device]:
    """The phones of a wallet, by its number. Raises `Missing` and `TooManyLooks`."""
    wallet = await access.find_wallet(tx, number=asked.number)
    if wallet is None:
        raise Missing
    looker, its = Looker(asked.officer_id, asked.limits), [wallet.id]
    await look_at(tx, looker, "wallet.phones_looked_at", [wallet.person_id], about=its, reason=asked.reason)
    return await access.find_devices(tx, wallet.id)


async def block_phones(tx: Tx, command: BlockPhones) -> Blocked:
    """Block all phones of a wallet, by its number. Raises `Missing`."""
    found = await access.find_wallet(tx, number=command.number)
    if found is None:
        raise Missing
    said = {"reason": command.reason, "identified_by": command.identified_by}
    return await _block(tx, command.officer_id, found.id, said)


async def _take_try(tx: Tx, code: BlockCode) -> block_codes.Kept | None:
    kept = await block_codes.take_try(tx, code.locator, WINDOW, TRIES)
    began = None if kept is not None else await block_codes.window_of(tx, code.locator)
    if began is not None:
        raise BlockCodeThrottled(retry_after_seconds=wait_seconds(began, tx.now, WINDOW))
    return kept


async def _block_by_code(tx: Tx, given: tuple[str, UUID]) -> Blocked:
    locator, wallet_id = given
    if not await block_codes.use(tx, locator):
        raise BlockCodeRefused
    return await _block(tx, None, wallet_id, {"by": "printed code"})


async def _block(tx: Tx, actor_id: UUID | None, wallet_id: UUID, said: dict[str, str]) -> Blocked:
    wallet = await access.find_wallet(tx, wallet_id=wallet_id)
    if wallet is None:
        raise Missing
    account_ids = await read.acting_for(tx, wallet.person_id)
    # The same phone may have had keys of the wallets whose people its owner cares for.
    wallet_ids = {wallet.id, *await access.wallets_with_phones_of(tx, account_ids)}
    await access.lock_wallets(tx, wallet_ids)
    phones = await access.block_devices(tx, wallet.id)
    phones += await access.block_devices_of(tx, account_ids)
    ended = [await end_sessions_of(tx, actor_id, each, EndedAs.PHONE_LOST) for each in account_ids]
    await audit.record(tx, actor_id, "wallet.phones_blocked", wallet.id, phones=phones, **said)
    return Blocked(phones, sum(ended), account_ids)
