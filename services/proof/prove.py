"""Prove the books: recompute everything from the postings and compare with every other table.

An incremental proof asks the same laws of what was written since an instant, given that everything
before was proven; laws that only totals tell, it does not ask (`docs/algorithms/proof.md`).

The auditor shares nothing with the code that posts but the words of the kit: its statements are
its own, in this package, and so is its reader of bank files. It only reads, in one snapshot, and
takes no lock that a payment waits for.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.kit.db import Tx
from services.proof import transfer_file
from services.proof.accounts import ACCOUNTS, MONEY_IN
from services.proof.bank_files import BANK_FILES, CONTENT, FILES
from services.proof.bank_files import LINES as FILE_LINES
from services.proof.books import BOOKS, SEALS
from services.proof.care import CARE
from services.proof.guards import GUARDS
from services.proof.merges import MERGES, MOVES
from services.proof.payments import PAYMENT_JOURNALS, PAYMENTS, SPENT_TODAY
from services.proof.promises import PROMISES
from services.proof.proof import NEVER, Check, Proof, Theme
from services.proof.settlement import CLAIMS, DUES, PAYABLES, SETTLED, STATEMENTS
from services.proof.since import KNOWN_OLD, Since, certainly_old
from services.proof.wallets import LOTS, POINTS, STOCK, WALLETS

SNAPSHOT: Final = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
ROOM: Final = "SELECT set_config('work_mem', '128MB', true), set_config('jit', 'off', true)"
"""Sorting and hashing millions of rows in memory; compiling one statement costs more than it saves."""

BEFORE_FILES: Final[Sequence[Theme]] = (
    BOOKS,
    SEALS,
    PROMISES,
    LOTS,
    WALLETS,
    STOCK,
    POINTS,
    MERGES,
    MOVES,
    PAYMENTS,
    CARE,
    SPENT_TODAY,
    PAYMENT_JOURNALS,
    PAYABLES,
    CLAIMS,
    STATEMENTS,
    SETTLED,
    DUES,
    MONEY_IN,
    ACCOUNTS,
    BANK_FILES,
)


async def prove(tx: Tx, since: datetime | None = None) -> Proof:
    """Every law, over the whole database as it is at one instant; or, given `since`, of what is new since then.

    Must be the first thing in its transaction, which becomes read-only. With millions of rows a
    statement takes seconds: give it a connection with the limits of jobs, not of requests.
    `since` is an instant of the deeds' clock, at or before the beginning of an earlier clean proof.
    """
    await tx.connection.exec_driver_sql(SNAPSHOT)
    return await audit(tx, since)


async def audit(tx: Tx, since: datetime | None = None) -> Proof:
    """The same over what an open transaction sees, its own uncommitted writes included."""
    await tx.connection.exec_driver_sql(ROOM)
    part = None if since is None else await _part(tx, since)
    checks: list[Check] = []
    for theme in BEFORE_FILES:
        checks += await _ask(tx, theme, part)
    checks += await _read_files(tx)
    checks += await _ask(tx, GUARDS, part)
    not_asked = [law for theme in BEFORE_FILES for law in theme.laws if part and theme.scope is NEVER]
    return Proof(tuple(checks), since, tuple(not_asked))


async def _part(tx: Tx, since: datetime) -> Since:
    """What is new; raises ValueError for an instant without an offset."""
    if since.tzinfo is None:
        raise ValueError("an instant carries its offset")
    known = await _rows(tx, KNOWN_OLD, certainly_old(since))
    return Since(since, known[0][0] if known else None)


async def _ask(tx: Tx, theme: Theme, part: Since | None) -> list[Check]:
    if part is None:
        question = theme.question(theme.whole)
    elif theme.scope is NEVER:
        return []
    elif theme.is_much and (await _rows(tx, part.narrow(theme.is_much)))[0][0]:
        question = theme.question(theme.whole)
    else:
        question = theme.question(part.narrow(theme.scope))
    return [Check(*row) for row in await _rows(tx, question)]


async def _rows(tx: Tx, question: str, *arguments: object) -> list[tuple[Any, ...]]:
    answer = await tx.connection.exec_driver_sql(question, arguments or None)
    return [tuple(row) for row in answer]


async def _read_files(tx: Tx) -> list[Check]:
    """What the bytes of the bank files say, against the transfers and statements behind them."""
    files = await _rows(tx, FILES)
    broken: dict[str, list[UUID]] = {"adds_up": [], "names": []}
    payouts_yen = written_yen = 0
    for file_id, day, live, due_yen in files:
        [(content,)] = await _rows(tx, CONTENT, file_id)
        transfers = tuple(transfer_file.Line(*row) for row in await _rows(tx, FILE_LINES, file_id))
        try:
            found = transfer_file.read(bytes(content))
        except transfer_file.NotATransferFile:
            found = transfer_file.TransferFile("", (), 0, 0)
        if not found.adds_up(day):
            broken["adds_up"].append(file_id)
        if found.lines != transfers:
            broken["names"].append(file_id)
        payouts_yen += due_yen if live else 0
        written_yen += found.total_yen if live else 0
    return [
        _counted("bank_files_add_up", len(files), broken["adds_up"]),
        _counted("bank_files_name_their_transfers", len(files), broken["names"]),
        Check("bank_files_yen", payouts_yen, written_yen),
    ]


def _counted(name: str, files: int, broken: Sequence[UUID]) -> Check:
    return Check(name, files, files - len(broken), str(broken[0]) if broken else None)
