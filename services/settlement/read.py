"""Read settlement: closes and statements, bank files line by line, totals for reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.campaigns import read as campaigns
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants import read as merchants
from services.merchants.bank_account import masked
from services.merchants.shops import MemberRole
from services.settlement.bank_file import BankFile
from services.settlement.books import ClosedBooks
from services.settlement.paper import StatementPaper, StatementRecord, paper_of
from services.settlement.tables import closes, files, statements
from services.settlement.totals import Totals
from services.settlement.transfer import Transfer
from services.settlement.zengin import read_transfer_file

MAX_LISTED = 501
"""A page of 500, and whether there is more."""
MAX_PAPERS = 20_000

MAY_SEE = frozenset({MemberRole.OWNER, MemberRole.MANAGER})
"""Who reads in a store what it is paid; a clerk takes payments and sees the day's sums only."""


@dataclass(frozen=True)
class FileLine:
    """One transfer of a bank file as an officer checks it; the account's number is never shown whole."""

    line: int
    bank_code: str
    branch_code: str
    kind: int
    masked_number: str
    holder_kana: str
    amount_yen: int
    store_codes: tuple[str, ...]
    statement_numbers: tuple[str, ...]


@dataclass(frozen=True)
class BankFileRecord:
    file: BankFile
    lines: tuple[FileLine, ...]


async def closes_of(tx: Tx, programme_code: str) -> tuple[ClosedBooks, ...]:
    """A programme's closes, newest first. Raises `ProgrammeUnknown`."""
    programme = await campaigns.published(tx, programme_code)
    return tuple(await closes.find_closes(tx, programme_id=programme.id))


async def closed_books(tx: Tx, close_id: UUID) -> ClosedBooks:
    """Raises `Missing`."""
    found = await closes.find_closes(tx, close_id=close_id)
    if not found:
        raise Missing
    return found[0]


async def statements_of_close(
    tx: Tx, close_id: UUID, *, after_store: str | None = None, limit: int = MAX_LISTED
) -> tuple[StatementRecord, ...]:
    """The statements of a close by store code, from the one after `after_store`, at most 500."""
    found = statements.find_statements(tx, close_id=close_id, after_store=after_store, limit=min(limit, MAX_LISTED))
    return tuple(await found)


async def papers_of_close(tx: Tx, close_id: UUID) -> tuple[StatementPaper, ...]:
    """All statements of a close, by store code, to be written out. Raises `Missing`."""
    books = await closed_books(tx, close_id)
    programme = await campaigns.published_by_id(tx, books.programme_id)
    records = await statements.find_statements(tx, close_id=close_id, limit=MAX_PAPERS)
    return tuple(paper_of(record, programme.terms) for record in records)


async def statement_paper(tx: Tx, statement_id: UUID) -> StatementPaper:
    """One statement to be written out, for officers. Raises `Missing`."""
    found = await statements.find_statements(tx, statement_id=statement_id, limit=1)
    if not found:
        raise Missing
    programme = await campaigns.published_by_id(tx, found[0].statement.programme_id)
    return paper_of(found[0], programme.terms)


async def statements_of_store(
    tx: Tx, account_id: UUID, store_id: UUID, *, after: UUID | None = None, limit: int = 100
) -> tuple[StatementRecord, ...]:
    """A store's statements of all programmes, newest first, for its owner or a manager. Raises `Missing`."""
    await _must_see(tx, account_id, store_id)
    most = min(limit, MAX_LISTED)
    return tuple(await statements.find_statements(tx, store_id=store_id, after=after, limit=most))


async def paper_of_store(tx: Tx, account_id: UUID, store_id: UUID, statement_id: UUID) -> StatementPaper:
    """One of a store's statements to be written out, for its owner or a manager. Raises `Missing`."""
    await _must_see(tx, account_id, store_id)
    paper = await statement_paper(tx, statement_id)
    if paper.record.statement.store_id != store_id:
        raise Missing
    return paper


async def bank_files(
    tx: Tx, *, paying_account: str | None = None, after: UUID | None = None, limit: int = 100
) -> tuple[BankFile, ...]:
    """Bank files of all or of one paying account (`bank_file.paying_key`), newest first, at most 500."""
    most = min(limit, MAX_LISTED)
    return tuple(await files.find_files(tx, paying_account=paying_account, after=after, limit=most))


async def bank_file(tx: Tx, file_id: UUID) -> BankFile:
    """Raises `Missing`."""
    found = await files.find_files(tx, file_id=file_id, limit=1)
    if not found:
        raise Missing
    return found[0]


async def bank_file_record(tx: Tx, file_id: UUID) -> BankFileRecord:
    """A file line by line as its bytes say it to the bank. Raises `Missing`."""
    file = await bank_file(tx, file_id)
    (batch,) = read_transfer_file(await files.read_content(tx, file.id), file.transfer_date)
    by_line: dict[int, list[files.PaidStatement]] = {}
    for each in await files.statements_of(tx, file.id):
        by_line.setdefault(each.line, []).append(each)
    lines = (_line(number, transfer, by_line[number]) for number, transfer in enumerate(batch.transfers, start=1))
    return BankFileRecord(file, tuple(lines))


async def totals(tx: Tx, programme_id: UUID) -> Totals:
    """What a programme's statements come to, and how far their payouts have gone."""
    return await statements.sum_programme(tx, programme_id)


async def _must_see(tx: Tx, account_id: UUID, store_id: UUID) -> None:
    its_stores = await merchants.stores_of_account(tx, account_id)
    if not any(each.store.id == store_id and each.role in MAY_SEE for each in its_stores):
        raise Missing


def _line(number: int, written: Transfer, behind: Sequence[files.PaidStatement]) -> FileLine:
    return FileLine(
        line=number,
        bank_code=written.bank_code,
        branch_code=written.branch_code,
        kind=int(written.kind),
        masked_number=masked(written.number),
        holder_kana=written.payee_kana,
        amount_yen=written.amount_yen,
        store_codes=tuple(dict.fromkeys(each.store_code for each in behind)),
        statement_numbers=tuple(each.statement_number for each in behind),
    )
