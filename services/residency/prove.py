"""Prove where one lives: by the code in the city's letter, or at the counter before an officer.

Law: a try is paid for before it is compared, in a committed transaction of its own. Whatever is wrong, an unknown
name, another birth date, a code of another letter, the answer is one and costs the same work: nobody learns who is
in the register. An account has five tries a day. What strangers try at an entry does not lock its resident out:
beyond twenty wrong codes a day an entry still hears the first try of every account, and no other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from services.identity.may import require_acts_for
from services.kit import audit
from services.kit.clock import civil_date
from services.kit.db import Database, Tx
from services.kit.visible import seen_name
from services.residency import names
from services.residency.letter import letter_fits, read_letter_code
from services.residency.record import record
from services.residency.residency import (
    ENTRY_TRIES,
    TRIES,
    WINDOW,
    Details,
    How,
    Outcome,
    Proof,
    ResidencyDetailsInvalid,
    ResidencyNotMatched,
    ResidencyThrottled,
)
from services.residency.tables import register
from services.residency.tables.register import Entry

_NOBODY = Entry("-", "", "", "", date.min, bytes(32), is_besieged=False)
"""What a code is compared with when no entry has the name, so that the answer costs the same."""


@dataclass(frozen=True)
class LetterGuess:
    """Name, birth date and code as typed by an account for a person that it acts for."""

    account_id: UUID
    person_id: UUID
    name: str = field(repr=False)
    born_on: date = field(repr=False)
    code: str = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class AtTheCounter:
    """An officer has seen who the person is; `evidence` is what was shown, such as a driving licence."""

    person_id: UUID
    officer_id: UUID
    name: str = field(repr=False)
    kana: str = field(repr=False)
    born_on: date = field(repr=False)
    postal_code: str = field(repr=False)
    evidence: str


@dataclass(frozen=True)
class _Tried:
    """The entries that were named, and which of the account's tries this was."""

    entries: Sequence[Entry]
    turn: int


async def prove_by_letter(database: Database, guess: LetterGuess) -> Outcome:
    """Prove by the letter's code, at the price of one try.

    Raises the refusals of `parse_number` (which cost nothing), Missing for a person of somebody else,
    ResidencyThrottled, ResidencyNotMatched and ResidencyOfOther.
    """
    code = read_letter_code(guess.code)
    tried = await database.transact(_take_try, guess)
    fits = [
        letter_fits(guess.key, entry.reference, code, entry.mac or _NOBODY.mac or b"")
        and entry.mac is not None
        and not (entry.is_besieged and tried.turn > 1)
        for entry in tried.entries or (_NOBODY,)
    ]
    found = [entry for entry, fit in zip(tried.entries, fits, strict=False) if fit]
    if len(found) != 1:
        await database.transact(_count_wrong, [entry.reference for entry in tried.entries])
        raise ResidencyNotMatched
    entry = found[0]
    details = Details(entry.name, entry.kana, entry.born_on, entry.postal_code)
    proof = Proof(guess.person_id, guess.account_id, How.REGISTRY, details, reference=entry.reference)
    return await database.transact(record, proof)


async def prove_at_counter(tx: Tx, command: AtTheCounter) -> Outcome:
    """Record what an officer has seen. Raises ResidencyDetailsInvalid and ResidencyOfOther."""
    name, kana = seen_name(command.name, names.MAX_NAME_LENGTH), seen_name(command.kana, names.MAX_NAME_LENGTH)
    postal_code = names.postal_code(command.postal_code)
    if name is None or not names.name_key(name) or names.looks_like_individual_number(name):
        raise ResidencyDetailsInvalid(field="name")
    if kana is None or not names.is_kana(kana):
        raise ResidencyDetailsInvalid(field="kana")
    if not names.FIRST_BIRTH <= command.born_on <= civil_date(tx.now):
        raise ResidencyDetailsInvalid(field="birth_date")
    if postal_code is None:
        raise ResidencyDetailsInvalid(field="postal_code")
    details = Details(name, kana, command.born_on, postal_code)
    outcome = await record(tx, Proof(command.person_id, command.officer_id, How.COUNTER, details))
    said = {"evidence": command.evidence, "proven": outcome.proven}
    await audit.record(tx, command.officer_id, "residency.seen_at_counter", command.person_id, **said)
    return outcome


async def _take_try(tx: Tx, guess: LetterGuess) -> _Tried:
    await require_acts_for(tx, guess.account_id, guess.person_id)
    turn = await register.take_try(tx, guess.account_id, WINDOW, TRIES)
    if turn is None:
        wait = await register.seconds_left(tx, guess.account_id, WINDOW)
        raise ResidencyThrottled(retry_after_seconds=wait)
    return _Tried(await register.entries_named(tx, guess.name, guess.born_on, WINDOW, ENTRY_TRIES), turn)


async def _count_wrong(tx: Tx, references: Sequence[str]) -> None:
    await register.count_wrong_codes(tx, references, WINDOW)
