"""The four 120-byte records of a Zengin bulk transfer (総合振込), as tables of fields.

Law: a record is written and read through the same table, every byte of it belongs to
exactly one field, and no field holds a byte outside its form. Offsets are 0-based.
Source: the Zengin record format, `docs/sources.md`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from services.kit.errors import Refusal
from services.kit.kana import (
    BankTextEmpty,
    FieldClass,
    NotBankCharacter,
    decode,
    encode,
    to_bank_text,
    truncate,
)

RECORD_BYTES: Final = 120


class TransferFieldInvalid(Refusal):
    """The `field` of what should be written does not fit it; `row` 0 is the header, then 1, 2 …"""

    code = "transfer_field_invalid"


class TransferFileBroken(Refusal):
    """What was read is no transfer file: `record` (the first is 1), `offset` in bytes from 0, `field`."""

    code = "transfer_file_broken"


@dataclass(frozen=True, slots=True)
class Digits:
    """N: ASCII digits, right-aligned, zero-padded."""


@dataclass(frozen=True, slots=True)
class Text:
    """C: single-byte characters of one class, left-aligned, space-padded."""

    field_class: FieldClass
    required: bool = False
    may_cut: bool = True
    """Names are cut to the field, as banks print and compare their beginning; EDI is not."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One of these exact values; the first is written when none is given."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, place and form."""

    name: str
    offset: int
    length: int
    form: Digits | Text | Choice


Layout = tuple[Field, ...]

_BANK, _PARTY = Text(FieldClass.BANK), Text(FieldClass.PARTY, required=True)


def _spare(offset: int, length: int) -> Field:
    return Field("spare", offset, length, Choice((" " * length,)))


HEADER: Final[Layout] = (
    Field("record", 0, 1, Choice(("1",))),
    Field("type_code", 1, 2, Choice(("21",))),
    Field("character_set", 3, 1, Choice(("0",))),
    Field("client_code", 4, 10, Digits()),
    Field("sender_kana", 14, 40, _PARTY),
    Field("transfer_mmdd", 54, 4, Digits()),
    Field("bank_code", 58, 4, Digits()),
    Field("bank_kana", 62, 15, _BANK),
    Field("branch_code", 77, 3, Digits()),
    Field("branch_kana", 80, 15, _BANK),
    Field("kind", 95, 1, Choice(("1", "2", "9"))),
    Field("number", 96, 7, Digits()),
    _spare(103, 17),
)
_DATA_TO_AMOUNT: Final[Layout] = (
    Field("record", 0, 1, Choice(("2",))),
    Field("bank_code", 1, 4, Digits()),
    Field("bank_kana", 5, 15, _BANK),
    Field("branch_code", 20, 3, Digits()),
    Field("branch_kana", 23, 15, _BANK),
    Field("clearing_house", 38, 4, Choice(("0000", "    "))),
    Field("kind", 42, 1, Choice(("1", "2", "4", "9"))),
    Field("number", 43, 7, Digits()),
    Field("payee_kana", 50, 30, _PARTY),
    Field("amount_yen", 80, 10, Digits()),
    Field("new_code", 90, 1, Choice(("0", "1", "2"))),
)
DATA_WITH_CODES: Final[Layout] = (
    *_DATA_TO_AMOUNT,
    Field("customer_code_1", 91, 10, Digits()),
    Field("customer_code_2", 101, 10, Digits()),
    Field("designation", 111, 1, Choice(("7", "8"))),
    Field("edi_mark", 112, 1, Choice((" ",))),
    _spare(113, 7),
)
DATA_WITH_EDI: Final[Layout] = (
    *_DATA_TO_AMOUNT,
    Field("edi", 91, 20, Text(FieldClass.EDI, may_cut=False)),
    Field("designation", 111, 1, Choice(("7", "8"))),
    Field("edi_mark", 112, 1, Choice(("Y",))),
    _spare(113, 7),
)
AMOUNT_OFFSET: Final = 80
EDI_MARK_OFFSET: Final = 112
TRAILER: Final[Layout] = (
    Field("record", 0, 1, Choice(("8",))),
    Field("count", 1, 6, Digits()),
    Field("total_yen", 7, 12, Digits()),
    _spare(19, 101),
)
END: Final[Layout] = (
    Field("record", 0, 1, Choice(("9",))),
    _spare(1, 119),
)


def write_record(layout: Layout, values: Mapping[str, str | int], *, row: int = 0, allow_wo: bool = False) -> bytes:
    """One record of 120 bytes; a field that `values` does not name gets its default.

    Raises `TransferFieldInvalid` with the field's name and `row`, `BankTextEmpty` for a
    missing sender or payee, and for names and EDI what `to_bank_text` raises.
    """
    record = b"".join(_write_field(field, values.get(field.name, ""), row, allow_wo) for field in layout)
    if len(record) != RECORD_BYTES:
        raise ValueError("the fields of a layout fill a record exactly")
    return record


def read_record(layout: Layout, record: bytes, *, number: int, start: int, allow_wo: bool = False) -> dict[str, str]:
    """The fields of a record as text, digits with their zeros, names without padding.

    `number` counts records from 1 and `start` is the record's first byte in the file; both
    name the place in `TransferFileBroken`.
    """
    found = {}
    for field in layout:
        raw = record[field.offset : field.offset + field.length]
        try:
            text = decode(raw)
        except UnicodeDecodeError:
            text = ""
        if len(text) != field.length or not _fits(text, field.form, allow_wo):
            raise TransferFileBroken(record=number, offset=start + field.offset, field=field.name)
        found[field.name] = text.rstrip(" ") if isinstance(field.form, Text) else text
    return found


def _write_field(field: Field, value: str | int, row: int, allow_wo: bool) -> bytes:
    text = str(value)
    match field.form:
        case Digits():
            padded = text.zfill(field.length) if text else ""
        case Choice(values):
            padded = text or values[0]
        case Text(field_class, required, may_cut):
            converted = to_bank_text(text, field_class, allow_wo=allow_wo)
            if required and not converted:
                raise BankTextEmpty
            cut = truncate(converted, field.length) if may_cut else converted
            padded = cut.ljust(field.length)
    if len(padded) != field.length or not _fits(padded, field.form, allow_wo):
        raise TransferFieldInvalid(field=field.name, row=row)
    return encode(padded)


def _fits(text: str, form: Digits | Text | Choice, allow_wo: bool) -> bool:
    match form:
        case Digits():
            return text.isascii() and text.isdigit()
        case Choice(values):
            return text in values
        case Text(field_class, required, _):
            return _is_bank_text(text.rstrip(" "), field_class, allow_wo) and bool(not required or text.strip(" "))


def _is_bank_text(text: str, field_class: FieldClass, allow_wo: bool) -> bool:
    """True for what conversion would leave as it is: permitted, left-aligned, no stray mark."""
    try:
        return to_bank_text(text, field_class, allow_wo=allow_wo) == text
    except NotBankCharacter:
        return False
