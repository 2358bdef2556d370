"""The bank file of a bulk credit transfer (総合振込): written for the bank, and read back.

Law: the file names every transfer once, its trailer counts and sums exactly what it
names, its date is a bank business day, and reading a written file gives what was written.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from services.kit.errors import Refusal
from services.merchants.bank_account import AccountKind
from services.settlement.calendar import BankCalendar
from services.settlement.transfer import NO_CODE, Batch, Sender, Transfer, check_transfers
from services.settlement.zengin_layout import (
    AMOUNT_OFFSET,
    DATA_WITH_CODES,
    DATA_WITH_EDI,
    EDI_MARK_OFFSET,
    END,
    HEADER,
    RECORD_BYTES,
    TRAILER,
    Layout,
    TransferFieldInvalid,
    TransferFileBroken,
    read_record,
    write_record,
)

CRLF: Final = b"\r\n"
LF: Final = b"\n"
NO_LINE_ENDING: Final = b""
END_OF_FILE_MARK: Final = b"\x1a"


class TransferDayClosed(Refusal):
    """Banks are closed on `date`; they work next on `next`."""

    code = "transfer_day_closed"


class TransferFileSumWrong(Refusal):
    """A trailer says `stated` where its transfers make `found`; `field` is count or total_yen."""

    code = "transfer_file_sum_wrong"


class TransferDateUnresolved(Refusal):
    """No day within a year of `sent_on` has the month and day `mmdd`."""

    code = "transfer_date_unresolved"


def write_transfer_file(
    sender: Sender,
    transfer_date: date,
    transfers: Sequence[Transfer],
    *,
    calendar: BankCalendar,
    line_ending: bytes = CRLF,
    duplicates_confirmed: bool = False,
    allow_wo: bool = False,
) -> bytes:
    """The bytes of a bank file with one header, its transfers in order, a trailer and an end.

    Same arguments, same bytes. Names longer than their field are cut, never between a kana
    and its mark; EDI information that does not fit is refused. Raises `TransferDayClosed`,
    `CalendarNotCertain`, what `check_transfers` raises, and what `write_record` raises for a
    field.
    """
    if line_ending not in (CRLF, LF, NO_LINE_ENDING):
        raise ValueError("records end with CRLF, LF or nothing")
    if not calendar.is_business_day(transfer_date):
        following = calendar.next_business_day(transfer_date)
        raise TransferDayClosed(date=transfer_date.isoformat(), next=following.isoformat())
    check_transfers(transfers, duplicates_confirmed=duplicates_confirmed)
    total = sum(transfer.amount_yen for transfer in transfers)
    records = [
        write_record(HEADER, _header(sender, transfer_date), allow_wo=allow_wo),
        *(transfer_record(transfer, row, allow_wo=allow_wo) for row, transfer in enumerate(transfers, start=1)),
        write_record(TRAILER, {"count": len(transfers), "total_yen": total}),
        write_record(END, {}),
    ]
    return b"".join(record + line_ending for record in records)


def read_transfer_file(data: bytes, sent_on: date, *, allow_wo: bool = False) -> tuple[Batch, ...]:
    """The batches of a bank file, its records ended by nothing, LF or CRLF, a last 0x1A allowed.

    `sent_on` gives the year that the format leaves out: the transfer date is the first
    such day on or after it, within a year. Raises `TransferFileBroken` with record, byte
    and field, `TransferFileSumWrong`, `TransferDateUnresolved`.
    """
    batches: list[Batch] = []
    header: dict[str, str] | None = None
    transfers: list[Transfer] = []
    for number, (start, record, last) in enumerate(_split(data), start=1):
        kind = record[:1]
        layout = _expected(record, in_batch=header is not None, transfers=len(transfers), batches=len(batches))
        if layout is None or (kind == b"9") != last:
            raise TransferFileBroken(record=number, offset=start, field="record")
        values = read_record(layout, record, number=number, start=start, allow_wo=allow_wo)
        if kind == b"1":
            header, transfers = values, []
        elif kind == b"2":
            transfers.append(_transfer(values, number, start))
        elif kind == b"8" and header is not None:
            batches.append(_batch(header, transfers, values, sent_on))
            header = None
    return tuple(batches)


def _header(sender: Sender, transfer_date: date) -> dict[str, str | int]:
    return {
        "client_code": sender.client_code,
        "sender_kana": sender.sender_kana,
        "transfer_mmdd": f"{transfer_date:%m%d}",
        "bank_code": sender.bank_code,
        "bank_kana": sender.bank_kana,
        "branch_code": sender.branch_code,
        "branch_kana": sender.branch_kana,
        "kind": int(sender.kind),
        "number": sender.number,
    }


def transfer_record(transfer: Transfer, row: int, *, allow_wo: bool = False) -> bytes:
    """One data record; EDI information and customer codes share their bytes, so never both.

    Two transfers with the same record are the same to a bank. Raises what `write_record`
    raises, with `row`.
    """
    common: dict[str, str | int] = {
        "bank_code": transfer.bank_code,
        "bank_kana": transfer.bank_kana,
        "branch_code": transfer.branch_code,
        "branch_kana": transfer.branch_kana,
        "kind": int(transfer.kind),
        "number": transfer.number,
        "payee_kana": transfer.payee_kana,
        "amount_yen": transfer.amount_yen,
        "new_code": transfer.new_code,
        "designation": transfer.designation,
    }
    codes = {"customer_code_1": transfer.customer_code_1, "customer_code_2": transfer.customer_code_2}
    if transfer.edi is None:
        return write_record(DATA_WITH_CODES, common | codes, row=row, allow_wo=allow_wo)
    if any(code.strip("0") for code in codes.values()):
        raise TransferFieldInvalid(field="edi", row=row)
    return write_record(DATA_WITH_EDI, common | {"edi": transfer.edi}, row=row, allow_wo=allow_wo)


def _split(data: bytes) -> Iterator[tuple[int, bytes, bool]]:
    """Each record with its offset, and whether it is the last; the first one's ending is all's."""
    body = data.removesuffix(END_OF_FILE_MARK)
    after = body[RECORD_BYTES : RECORD_BYTES + 2]
    ending = CRLF if after == CRLF else LF if after[:1] == LF else NO_LINE_ENDING
    step = RECORD_BYTES + len(ending)
    for number, start in enumerate(range(0, max(len(body), 1), step), start=1):
        record, found = body[start : start + RECORD_BYTES], body[start + RECORD_BYTES : start + step]
        last = start + step >= len(body)
        if len(record) != RECORD_BYTES or (found != ending and (found or not last)):
            raise TransferFileBroken(record=number, offset=start, field="record")
        yield start, record, last


def _expected(record: bytes, *, in_batch: bool, transfers: int, batches: int) -> Layout | None:
    """The layout of a record that may stand here, if one may; no batch and no file is empty."""
    match record[:1], in_batch:
        case b"1", False:
            return HEADER
        case b"2", True:
            edi = record[EDI_MARK_OFFSET : EDI_MARK_OFFSET + 1] == b"Y"
            return DATA_WITH_EDI if edi else DATA_WITH_CODES
        case b"8", True if transfers:
            return TRAILER
        case b"9", False if batches:
            return END
    return None


def _transfer(values: dict[str, str], number: int, start: int) -> Transfer:
    amount = int(values["amount_yen"])
    if amount == 0:
        raise TransferFileBroken(record=number, offset=start + AMOUNT_OFFSET, field="amount_yen")
    return Transfer(
        bank_code=values["bank_code"],
        branch_code=values["branch_code"],
        kind=AccountKind(int(values["kind"])),
        number=values["number"],
        payee_kana=values["payee_kana"],
        amount_yen=amount,
        bank_kana=values["bank_kana"],
        branch_kana=values["branch_kana"],
        new_code=values["new_code"],
        customer_code_1=values.get("customer_code_1", NO_CODE),
        customer_code_2=values.get("customer_code_2", NO_CODE),
        edi=values.get("edi"),
        designation=values["designation"],
    )


def _batch(header: dict[str, str], transfers: list[Transfer], trailer: dict[str, str], sent_on: date) -> Batch:
    found = {"count": len(transfers), "total_yen": sum(each.amount_yen for each in transfers)}
    for field, value in found.items():
        if int(trailer[field]) != value:
            raise TransferFileSumWrong(field=field, stated=int(trailer[field]), found=value)
    sender = Sender(
        client_code=header["client_code"],
        sender_kana=header["sender_kana"],
        bank_code=header["bank_code"],
        branch_code=header["branch_code"],
        kind=AccountKind(int(header["kind"])),
        number=header["number"],
        bank_kana=header["bank_kana"],
        branch_kana=header["branch_kana"],
    )
    return Batch(sender, _resolve(header["transfer_mmdd"], sent_on), tuple(transfers))


def _resolve(mmdd: str, sent_on: date) -> date:
    """The first day with this month and day on or after `sent_on`, within a year."""
    for year in (sent_on.year, sent_on.year + 1):
        try:
            day = date(year, int(mmdd[:2]), int(mmdd[2:]))
        except ValueError:
            continue
        if day >= sent_on:
            return day
    raise TransferDateUnresolved(mmdd=mmdd, sent_on=sent_on.isoformat())
