"""Show the secret that a sign-in owes: the code of the city's letter, or the printed code that blocks phones.

Law: a secret is one person's, works once and is used up in the transaction that settles what is owed. Who is asked
for one has one: a person without an unused secret is let in by the one-time code, as before.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.identity import owed_secret
from services.identity.hashing import compare_password
from services.identity.owed_secret import SecretRefused
from services.identity.passwords import RECOMMENDED, PasswordCost
from services.kit.db import Database, Tx
from services.kit.errors import Refusal
from services.residency import letter_secret
from services.residency.letter import letter_fits, read_letter_code
from services.residency.letter_secret import UnusedLetter
from services.wallets.block_code import BlockCode, read_block_code
from services.wallets.tables import block_codes


@dataclass(frozen=True)
class ShowSecret:
    """What was typed in a session of the account, for the person whose account it is."""

    account_id: UUID
    session_id: UUID
    person_id: UUID
    typed: str = field(repr=False)
    key: bytes = field(repr=False)
    cost: PasswordCost = RECOMMENDED


@dataclass(frozen=True)
class _Tried:
    """What a counted try is compared with."""

    letter: UnusedLetter | None
    printed: block_codes.Kept | None
    tries_left: int


@dataclass(frozen=True)
class _Shown:
    asked: ShowSecret
    letter: UnusedLetter | None
    locator: str | None


async def has_secret(tx: Tx, person_id: UUID) -> bool:
    """Whether the person could show a secret: an unused letter's code, or a printed code of their wallet."""
    if await letter_secret.unused_letter(tx, person_id) is not None:
        return True
    return await block_codes.has_living(tx, person_id)


async def show_secret(database: Database, asked: ShowSecret) -> None:
    """Settle what the session owes, at the price of one try; where nothing is owed, nothing happens.

    Raises SecretRefused and SecretExhausted.
    """
    printed = _printed(asked.typed)
    tried = await database.transact(_take_try, (asked, printed))
    if tried is None:
        return
    code = _letter_code(asked.typed)
    letter = tried.letter
    by_letter = letter is not None and code is not None and letter_fits(asked.key, letter.reference, code, letter.mac)
    kept, typed = tried.printed, "" if printed is None else printed.secret
    by_print = await compare_password(None if kept is None else kept.secret_hash, typed, asked.cost)
    if not by_letter and not by_print:
        raise SecretRefused(tries_left=tried.tries_left)
    locator = printed.locator if by_print and printed is not None else None
    if not await database.transact(_settle, _Shown(asked, letter if by_letter else None, locator)):
        raise SecretRefused(tries_left=tried.tries_left)


async def _take_try(tx: Tx, given: tuple[ShowSecret, BlockCode | None]) -> _Tried | None:
    asked, printed = given
    left = await owed_secret.take_try(tx, asked.account_id, asked.session_id)
    if left is None:
        return None
    kept = None if printed is None else await block_codes.find_living(tx, printed.locator, asked.person_id)
    return _Tried(await letter_secret.unused_letter(tx, asked.person_id), kept, left)


async def _settle(tx: Tx, shown: _Shown) -> bool:
    """Use the secret up and settle what is owed, both or neither."""
    asked = shown.asked
    if not await owed_secret.settle(tx, asked.account_id, asked.session_id):
        return False
    if shown.letter is not None:
        if not await letter_secret.use_letter(tx, shown.letter, asked.account_id):
            raise SecretRefused(tries_left=0)
    elif shown.locator is None or not await block_codes.use(tx, shown.locator):
        raise SecretRefused(tries_left=0)
    return True


def _letter_code(typed: str) -> str | None:
    try:
        return read_letter_code(typed)
    except Refusal:
        return None


def _printed(typed: str) -> BlockCode | None:
    try:
        return read_block_code(typed)
    except Refusal:
        return None
