"""Letters to residents: whoever holds one and knows whom it is for lives there.

An entry's next letter makes its earlier ones worthless. The printer's file is made again whenever it is asked for,
because codes follow from our key; that somebody asked is kept in the audit log.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from services.kit import audit
from services.kit.db import Tx
from services.kit.numbers import display_number
from services.residency.letter import letter_code, letter_mac
from services.residency.lists import Problem, list_refusal
from services.residency.tables import register

MOST_LETTERS = 20_000
"""Letters of one deed."""


@dataclass(frozen=True)
class WriteLetters:
    """Letters to entries of the register: to those named (again, where they had one), or to all that had none."""

    officer_id: UUID
    key: bytes = field(repr=False)
    references: tuple[str, ...] = ()


@dataclass(frozen=True)
class LettersWritten:
    """`references` are those written to, in their order; ask again while there are `MOST_LETTERS`."""

    references: tuple[str, ...]


@dataclass(frozen=True)
class PrintLetters:
    officer_id: UUID
    reason: str
    references: tuple[str, ...]
    key: bytes = field(repr=False)


async def write_letters(tx: Tx, command: WriteLetters) -> LettersWritten:
    """Give each entry a new code. Raises ResidentListInvalid, whose lines are places in `references`."""
    asked = command.references or tuple(await register.entries_without_letter(tx, MOST_LETTERS))
    issued = await register.issues(tx, asked)
    _all_known(asked, issued)
    letters = []
    for reference, had in sorted(issued.items()):
        code = letter_code(command.key, reference, had + 1)
        letters.append((reference, had + 1, letter_mac(command.key, reference, code)))
    if letters:
        await register.set_letters(tx, letters, command.officer_id)
    again = sum(issue > 1 for _, issue, _ in letters)
    await audit.record(tx, command.officer_id, "letters.written", None, letters=len(letters), again=again)
    return LettersWritten(tuple(reference for reference, _, _ in letters))


async def print_letters(tx: Tx, command: PrintLetters) -> str:
    """The printer's file: CSV of `reference,code`, of entries that have a letter. Raises ResidentListInvalid."""
    issued = await register.issues(tx, command.references)
    _all_known(command.references, {reference: issue for reference, issue in issued.items() if issue})
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\r\n")
    lines.writerow(("reference", "code"))
    for reference in sorted(issued):
        lines.writerow((reference, display_number(letter_code(command.key, reference, issued[reference]))))
    said = {"letters": len(issued), "reason": command.reason}
    await audit.record(tx, command.officer_id, "letters.printed", None, **said)
    return text.getvalue()


def _all_known(asked: Sequence[str], known: dict[str, int]) -> None:
    unknown = [place for place, reference in enumerate(asked, 1) if reference not in known]
    if unknown:
        raise list_refusal([Problem(place, 1, "reference_unknown") for place in unknown])
