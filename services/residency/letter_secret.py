"""The code of the letter by which a person proved, as a secret of theirs: for one new phone, once."""

from dataclasses import dataclass, field
from uuid import UUID

from services.kit.db import Tx
from services.residency.tables import letter_uses


@dataclass(frozen=True)
class UnusedLetter:
    """The last letter to an entry of the register, whose code has opened nothing yet."""

    reference: str
    issue: int
    mac: bytes = field(repr=False)


async def unused_letter(tx: Tx, person_id: UUID) -> UnusedLetter | None:
    """The letter of a person who proved by one; None where it was used up, or there never was one."""
    found = await letter_uses.find_unused(tx, person_id)
    return None if found is None else UnusedLetter(*found)


async def use_letter(tx: Tx, letter: UnusedLetter, account_id: UUID) -> bool:
    """Use it up; False when it was used meanwhile."""
    return await letter_uses.insert(tx, letter.reference, letter.issue, account_id)
