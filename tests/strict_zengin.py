"""A strict reader of Zengin bulk transfer files, apart from the product.

Written from the format's description alone and importing nothing of the product, so that
a mistake in the writer cannot hide in its own reader. It forgives nothing: CRLF after
every record, every byte of its field's class, padding on the right side only, counts,
sums, limits and order. `python -m tests.strict_zengin FILE …` checks files and exits 1 at
the first violation.
"""

import sys
from collections.abc import Callable
from pathlib import Path

RECORD, LINE = 120, 122

DIGITS = frozenset(b"0123456789")
COMMON = DIGITS | frozenset(b" ABCDEFGHIJKLMNOPQRSTUVWXYZ") | frozenset(range(0xB1, 0xE0))
BANK = COMMON | frozenset(b"-")
PARTY = COMMON | frozenset(b"()-.")
EDI = COMMON | frozenset(b"\\()-/.") | {0xA6, 0xA2, 0xA3}


class ZenginViolation(AssertionError):
    """What is wrong, and at which byte of the file (0-based)."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(f"byte {offset}: {what}")
        self.offset = offset
        self.what = what


Check = Callable[[bytes, int, str], None]
Place = tuple[str, int, int, Check]


def read_strictly(data: bytes, *, confirmed_duplicates: bool = False) -> list[dict[str, str | int]]:
    """Every header, data and trailer record as a flat dict, in the order of the file.

    Digits stay text with their zeros, except `amount_yen`, `count` and `total_yen`; texts
    are half-width and without padding. Raises `ZenginViolation`.
    """
    records = split(data)
    found: list[dict[str, str | int]] = []
    before = "start"
    for number, (offset, record) in enumerate(records):
        kind = chr(record[0])
        if kind not in FOLLOWERS[before]:
            raise ZenginViolation(offset, f"a record {kind!r} cannot follow {before!r}")
        if (kind == "9") != (number == len(records) - 1):
            raise ZenginViolation(offset, "the end record is the last one, and the only one")
        values = parse(record, offset, kind)
        if kind != "9":
            found.append(values)
        before = kind
    check_sums(found, records)
    if not confirmed_duplicates:
        check_duplicates(found, records)
    return found


def split(data: bytes) -> list[tuple[int, bytes]]:
    """The 120-byte records with their offsets; every one of them ends with CRLF."""
    if not data or len(data) % LINE:
        raise ZenginViolation(len(data), f"{len(data)} bytes are not whole lines of {LINE}")
    records = []
    for offset in range(0, len(data), LINE):
        line = data[offset : offset + LINE]
        if line[RECORD:] != b"\r\n":
            raise ZenginViolation(offset + RECORD, "no CRLF after 120 bytes")
        records.append((offset, line[:RECORD]))
    return records


def exactly(*values: bytes) -> Check:
    def check(raw: bytes, offset: int, name: str) -> None:
        if raw not in values:
            raise ZenginViolation(offset, f"{name} is {raw!r}, not one of {values!r}")

    return check


def digits(raw: bytes, offset: int, name: str) -> None:
    for place, byte in enumerate(raw):
        if byte not in DIGITS:
            raise ZenginViolation(offset + place, f"{name} has {byte:#04x} where a digit stands")


def positive(raw: bytes, offset: int, name: str) -> None:
    digits(raw, offset, name)
    if int(raw) == 0:
        raise ZenginViolation(offset, f"{name} is zero")


def text(allowed: frozenset[int], *, required: bool = False) -> Check:
    def check(raw: bytes, offset: int, name: str) -> None:
        for place, byte in enumerate(raw):
            if byte not in allowed:
                raise ZenginViolation(offset + place, f"{name} has {byte:#04x}, outside its characters")
        if raw.startswith(b" ") and raw.strip(b" "):
            raise ZenginViolation(offset, f"{name} is not left-aligned")
        if required and not raw.strip(b" "):
            raise ZenginViolation(offset, f"{name} is empty")
        if raw[0] in (0xDE, 0xDF):
            raise ZenginViolation(offset, f"{name} begins with a mark whose kana was cut off")

    return check


def month_and_day(raw: bytes, offset: int, name: str) -> None:
    digits(raw, offset, name)
    month, day = int(raw[:2]), int(raw[2:])
    longest = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}.get(month, 31)
    if not (1 <= month <= 12 and 1 <= day <= longest):
        raise ZenginViolation(offset, f"{name} {raw.decode()} is no day of any year")


FOLLOWERS = {"start": "1", "1": "2", "2": "28", "8": "19"}

HEADER: list[Place] = [
    ("record", 0, 1, exactly(b"1")),
    ("type", 1, 2, exactly(b"21")),
    ("code_set", 3, 1, exactly(b"0")),
    ("client_code", 4, 10, digits),
    ("sender", 14, 40, text(PARTY, required=True)),
    ("mmdd", 54, 4, month_and_day),
    ("bank_code", 58, 4, digits),
    ("bank", 62, 15, text(BANK)),
    ("branch_code", 77, 3, digits),
    ("branch", 80, 15, text(BANK)),
    ("kind", 95, 1, exactly(b"1", b"2", b"9")),
    ("number", 96, 7, digits),
    ("spaces", 103, 17, exactly(b" " * 17)),
]
DATA_START: list[Place] = [
    ("record", 0, 1, exactly(b"2")),
    ("bank_code", 1, 4, digits),
    ("bank", 5, 15, text(BANK)),
    ("branch_code", 20, 3, digits),
    ("branch", 23, 15, text(BANK)),
    ("clearing_house", 38, 4, exactly(b"0000", b"    ")),
    ("kind", 42, 1, exactly(b"1", b"2", b"4", b"9")),
    ("number", 43, 7, digits),
    ("payee", 50, 30, text(PARTY, required=True)),
    ("amount_yen", 80, 10, positive),
    ("new_code", 90, 1, exactly(b"0", b"1", b"2")),
]
DATA_END: list[Place] = [
    ("designation", 111, 1, exactly(b"7", b"8")),
    ("mark", 112, 1, exactly(b"Y", b" ")),
    ("spaces", 113, 7, exactly(b" " * 7)),
]
CODES: list[Place] = [("customer_1", 91, 10, digits), ("customer_2", 101, 10, digits)]
EDI_TEXT: list[Place] = [("edi", 91, 20, text(EDI))]
TRAILER: list[Place] = [
    ("record", 0, 1, exactly(b"8")),
    ("count", 1, 6, positive),
    ("total_yen", 7, 12, positive),
    ("spaces", 19, 101, exactly(b" " * 101)),
]
END: list[Place] = [("record", 0, 1, exactly(b"9")), ("spaces", 1, 119, exactly(b" " * 119))]

NUMBERS = ("amount_yen", "count", "total_yen")


def parse(record: bytes, offset: int, kind: str) -> dict[str, str | int]:
    """Check every byte of one record and name its fields."""
    middle = EDI_TEXT if record[112:113] == b"Y" else CODES
    places = {"1": HEADER, "2": DATA_START + middle + DATA_END, "8": TRAILER, "9": END}[kind]
    values: dict[str, str | int] = {}
    following = 0
    for name, start, length, check in places:
        if start != following:
            raise AssertionError("this reader's own table has a gap")
        following = start + length
        raw = record[start:following]
        check(raw, offset + start, name)
        values[name] = int(raw) if name in NUMBERS else raw.decode("shift_jis").rstrip(" ")
    if following != RECORD:
        raise AssertionError("this reader's own table is short")
    return values


def check_sums(found: list[dict[str, str | int]], records: list[tuple[int, bytes]]) -> None:
    """Each trailer counts and sums the data records since its header."""
    amounts: list[int] = []
    for values, (offset, _) in zip(found, records, strict=False):
        if values["record"] == "1":
            amounts = []
        elif values["record"] == "2":
            amounts.append(int(values["amount_yen"]))
        elif values["count"] != len(amounts):
            raise ZenginViolation(offset + 1, f"count {values['count']}, but {len(amounts)} transfers")
        elif values["total_yen"] != sum(amounts):
            raise ZenginViolation(offset + 7, f"total {values['total_yen']}, but {sum(amounts)} yen")


def check_duplicates(found: list[dict[str, str | int]], records: list[tuple[int, bytes]]) -> None:
    """No payee account gets the same amount twice on one day."""
    seen: set[tuple[str | int, ...]] = set()
    day: str | int = ""
    for values, (offset, _) in zip(found, records, strict=False):
        if values["record"] == "1":
            day = values["mmdd"]
        elif values["record"] == "2":
            names = ("bank_code", "branch_code", "kind", "number", "amount_yen")
            key = (day, *(values[name] for name in names))
            if key in seen:
                raise ZenginViolation(offset, "the same account, amount and day for the second time")
            seen.add(key)


def main(paths: list[str]) -> int:
    """Check files; one line for each, and 1 as soon as one is wrong."""
    for path in paths:
        try:
            found = read_strictly(Path(path).read_bytes())
        except ZenginViolation as violation:
            print(f"{path}: {violation}")
            return 1
        trailers = [values for values in found if values["record"] == "8"]
        count = sum(int(values["count"]) for values in trailers)
        total = sum(int(values["total_yen"]) for values in trailers)
        print(f"{path}: {count} transfers, {total} yen")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
