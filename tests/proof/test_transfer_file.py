"""The auditor's reader takes nothing for a bank file that a bank would not, and misses no changed amount."""

from datetime import date
from pathlib import Path

import pytest

from services.proof.transfer_file import Line, NotATransferFile, TransferFile, read
from tests.proof.settle import bank_file
from tests.proof.world import build

GOLDEN = Path(__file__).parents[1] / "golden" / "transfers.zengin"
RECORD = 122


def written() -> bytes:
    """The town's file with one transfer for two statements and one for another."""
    book = build()
    paid = [row for row in book.rows["statement"] if row["payout_yen"]]
    content: bytes = bank_file(book, paid, date(2026, 5, 7), "proposed")["content"]
    return content


def test_a_file_is_read_to_the_yen() -> None:
    found = read(written())
    assert found.mmdd == "0507"
    assert [line.number for line in found.lines] == ["0001234", "1234567"]
    assert (found.stated_count, found.stated_yen) == (2, found.total_yen)
    assert found.adds_up(date(2026, 5, 7))
    assert not found.adds_up(date(2026, 5, 8))


def test_what_the_product_writes_is_read_without_its_code() -> None:
    """The golden file of the product's writer: other eyes, same figures."""
    found = read(GOLDEN.read_bytes())
    assert found.lines
    assert (found.stated_count, found.stated_yen) == (len(found.lines), found.total_yen)


def test_a_file_without_line_endings_is_the_same_file() -> None:
    assert read(written().replace(b"\r\n", b"")) == read(written())


@pytest.mark.parametrize(
    ("what", "broken"),
    [
        ("nothing", b""),
        ("half a record", written()[:60]),
        ("the last byte missing", written()[:-1]),
        ("no end record", written()[:-RECORD]),
        ("no trailer", written()[: -2 * RECORD] + written()[-RECORD:]),
        ("two headers", written()[:RECORD] + written()),
        ("another kind of file", b"1" + b"11" + written()[3:]),
        ("an amount in letters", written()[: RECORD + 80] + b"X" + written()[RECORD + 81 :]),
        ("a number in spaces", written()[: RECORD + 43] + b" " * 7 + written()[RECORD + 50 :]),
    ],
)
def test_what_is_no_bank_file_is_refused(what: str, broken: bytes) -> None:
    with pytest.raises(NotATransferFile):
        read(broken)


def test_a_changed_amount_does_not_add_up() -> None:
    content = bytearray(written())
    content[RECORD + 89] ^= 1
    assert not read(bytes(content)).adds_up(date(2026, 5, 7))


def test_a_transfer_of_nothing_does_not_add_up() -> None:
    nothing = TransferFile("0507", (Line("0149", "408", "1", "0001234", 0),), 1, 0)
    assert not nothing.adds_up(date(2026, 5, 7))
