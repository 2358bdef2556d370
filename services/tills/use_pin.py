"""Sign in at a register by PIN, and choose the PIN by an invitation.

Law: a try is paid for before it is compared, in a committed transaction, so that of any number of guesses at once
only as many are compared as the windows allow; hashing happens between two transactions and holds no connection.
A right PIN gives its own try back and leaves the wrong ones counted. Nothing is counted for whoever does not work
at the store: a register's visitor cannot fill our tables.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.identity.at_register import EnterRegister, enter_register
from services.identity.hashing import compare_password, hash_secret
from services.identity.open_session import BY_BEARER, Opening
from services.identity.passwords import RECOMMENDED, PasswordCost, wait_seconds
from services.identity.people import Account
from services.identity.session import OpenedSession
from services.kit import audit
from services.kit.db import Database, Tx
from services.kit.errors import Missing
from services.merchants.read import roles_in
from services.tills.pin import (
    SPANS,
    ClerkPinThrottled,
    ClerkPinWrong,
    PinInvitationRefused,
    invites,
    new_pin,
    pair_of,
    peppered,
    read_pin,
)
from services.tills.register import Register, RegisterRefused
from services.tills.tables import pins, registers
from services.tills.tables.pins import Kept


@dataclass(frozen=True)
class PinTyped:
    """A PIN as typed at a register that has shown what it is."""

    register_id: UUID
    account_id: UUID
    pin: str = field(repr=False)
    key: bytes = field(repr=False)
    cost: PasswordCost = RECOMMENDED
    opening: Opening = BY_BEARER


@dataclass(frozen=True)
class PinChosen:
    """A new PIN, and the code of the invitation to choose it."""

    register_id: UUID
    account_id: UUID
    pin: str = field(repr=False)
    code: str = field(repr=False)
    key: bytes = field(repr=False)
    cost: PasswordCost = RECOMMENDED


@dataclass(frozen=True)
class SignedInAtRegister:
    register: Register
    account: Account
    session: OpenedSession


@dataclass(frozen=True)
class _Chosen:
    asked: PinChosen
    store_id: UUID
    invitation_id: UUID
    pin_hash: str = field(repr=False)


async def sign_in_at_register(database: Database, asked: PinTyped) -> SignedInAtRegister:
    """Whoever's PIN it is, in a session at the register.

    Raises `RegisterRefused`, `ClerkPinInvalid` (which costs nothing), `ClerkPinThrottled`, `ClerkPinWrong`, `Busy`.
    """
    pin = read_pin(asked.pin)
    register, kept = await database.transact(_take_try, (asked.register_id, asked.account_id))
    secret = peppered(asked.key, register.store_id, asked.account_id, pin)
    stored = None if kept is None else kept.pin_hash
    if not await compare_password(stored, secret, asked.cost):
        raise ClerkPinWrong
    return await database.transact(_enter, (asked, stored))


async def choose_pin(database: Database, asked: PinChosen) -> None:
    """Keep the clerk's new PIN, and use the invitation up.

    Raises `RegisterRefused`, `ClerkPinInvalid` and `ClerkPinGuessable` (which cost nothing), `ClerkPinThrottled`,
    `PinInvitationRefused` and `Busy`.
    """
    pin = new_pin(asked.pin)
    register, kept = await database.transact(_take_try, (asked.register_id, asked.account_id))
    invitation_id = None if kept is None else kept.invitation_id
    if invitation_id is None or not invites(asked.key, invitation_id, asked.code):
        raise PinInvitationRefused
    secret = peppered(asked.key, register.store_id, asked.account_id, pin)
    hashed = await hash_secret(secret, asked.cost, database.entropy)
    await database.transact(_keep, _Chosen(asked, register.store_id, invitation_id, hashed))


async def _take_try(tx: Tx, given: tuple[UUID, UUID]) -> tuple[Register, Kept | None]:
    """Count the try, then say what to compare with; nothing to compare with is no refusal yet."""
    register_id, account_id = given
    register = await registers.find_register(tx, register_id)
    if register is None:
        raise RegisterRefused
    kept = await pins.find(tx, register.store_id, account_id)
    if kept is None:
        return register, None
    pair = pair_of(register_id, account_id)
    for span, (most, window) in SPANS.items():
        if not await pins.take_try(tx, pair, span, window, most):
            began = await pins.window_of(tx, pair, span)
            raise ClerkPinThrottled(retry_after_seconds=wait_seconds(began, tx.now, window))
    return register, kept


async def _enter(tx: Tx, given: tuple[PinTyped, str | None]) -> SignedInAtRegister:
    """Let in whom the PIN still fits: it may have been taken away, or the register revoked, while it was hashed."""
    asked, stored = given
    register = await registers.find_register(tx, asked.register_id, hold=True)
    if register is None:
        raise RegisterRefused
    kept = await pins.find(tx, register.store_id, asked.account_id, hold=True)
    works_here = await roles_in(tx, register.store_id, [asked.account_id])
    if kept is None or kept.pin_hash is None or kept.pin_hash != stored or not works_here:
        raise ClerkPinWrong
    await pins.give_tries_back(tx, pair_of(register.id, asked.account_id))
    try:
        entered = await enter_register(tx, EnterRegister(asked.account_id, register.id, asked.opening))
    except Missing as error:
        raise ClerkPinWrong from error
    return SignedInAtRegister(register, *entered)


async def _keep(tx: Tx, chosen: _Chosen) -> None:
    asked = chosen.asked
    if not await roles_in(tx, chosen.store_id, [asked.account_id]):
        raise PinInvitationRefused
    if not await pins.set_pin(tx, chosen.store_id, asked.account_id, chosen.invitation_id, chosen.pin_hash):
        raise PinInvitationRefused
    await pins.give_tries_back(tx, pair_of(asked.register_id, asked.account_id))
    said = {"store_id": chosen.store_id, "register_id": asked.register_id}
    await audit.record(tx, asked.account_id, "pin.chosen", asked.account_id, **said)
