"""Read a bank file with the auditor's own eyes: 120-byte records of a Zengin bulk transfer (総合振込).

Written from the record layout alone (`docs/sources.md`), apart from the code that writes the
files; it reads what the money depends on: payee accounts, amounts, day, counts and sums.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

RECORD_BYTES: Final = 120
LINE_ENDING: Final = b"\r\n"


class NotATransferFile(Exception):
    """The bytes are not whole records, or a record stands where it may not."""


@dataclass(frozen=True)
class Line:
    """One transfer: bank, branch, kind and number of the payee's account, and the amount in yen."""

    bank_code: str
    branch_code: str
    kind: str
    number: str
    amount_yen: int


@dataclass(frozen=True)
class TransferFile:
    """What a file says: its day as MMDD, its transfers, and what its trailer counts and sums."""

    mmdd: str
    lines: tuple[Line, ...]
    stated_count: int
    stated_yen: int

    @property
    def total_yen(self) -> int:
        return sum(line.amount_yen for line in self.lines)

    def adds_up(self, day: date) -> bool:
        """Whether the trailer says what the transfers make, and the header names `day`."""
        stated = (self.stated_count, self.stated_yen, self.mmdd)
        return stated == (len(self.lines), self.total_yen, f"{day:%m%d}") and all(
            line.amount_yen > 0 for line in self.lines
        )


def read(content: bytes) -> TransferFile:
    """One header, transfers, one trailer, one end. Raises NotATransferFile."""
    records = _records(content)
    kinds = b"".join(record[:1] for record in records)
    if len(records) < 3 or kinds != b"1" + b"2" * (len(records) - 3) + b"89":
        raise NotATransferFile("records are out of order")
    header, trailer = records[0], records[-2]
    if header[1:4] != b"210":
        raise NotATransferFile("no bulk transfer in JIS characters")
    return TransferFile(
        _digits(header, 54, 4),
        tuple(_line(record) for record in records[1:-2]),
        int(_digits(trailer, 1, 6)),
        int(_digits(trailer, 7, 12)),
    )


def _records(content: bytes) -> list[bytes]:
    ending = LINE_ENDING if content[RECORD_BYTES : RECORD_BYTES + 2] == LINE_ENDING else b""
    step = RECORD_BYTES + len(ending)
    records = [content[start : start + step] for start in range(0, len(content), step)]
    if any(len(record) != step or not record.endswith(ending) for record in records):
        raise NotATransferFile("records are not 120 bytes")
    return [record[:RECORD_BYTES] for record in records]


def _line(record: bytes) -> Line:
    return Line(
        _digits(record, 1, 4),
        _digits(record, 20, 3),
        _digits(record, 42, 1),
        _digits(record, 43, 7),
        int(_digits(record, 80, 10)),
    )


def _digits(record: bytes, offset: int, length: int) -> str:
    field = record[offset : offset + length]
    if not field.isdigit():
        raise NotATransferFile("a number is not written in digits")
    return field.decode("ascii")
