"""What is changed in a bank file is noticed, by the product's reader and by the strict one."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.kit.errors import Refusal
from services.kit.kana import encode
from services.settlement.zengin import TransferFileSumWrong, read_transfer_file
from services.settlement.zengin_layout import TransferFileBroken
from tests.settlement.samples import GOLDEN, SENT, SHOP, write
from tests.strict_zengin import LINE, ZenginViolation, main, read_strictly

Reader = Callable[[bytes], object]


def read_as_the_product_does(data: bytes) -> object:
    return read_transfer_file(data, SENT)


READERS: dict[str, Reader] = {"strict": read_strictly, "product": read_as_the_product_does}
FOREIGN = (0x00, 0x0A, 0x1A, 0x61, 0x2C, 0x80, 0xA0, 0xA1, 0xA5, 0xA7, 0xAF, 0xB0, 0xE0, 0xFF)
"""Controls, lower case, comma, ｡ ･ small kana, the long-vowel sign, and what is no character."""


@pytest.fixture(params=READERS)
def reader(request: pytest.FixtureRequest) -> Reader:
    return READERS[request.param]


def offset_of(refused: pytest.ExceptionInfo[Exception]) -> int:
    wrong = refused.value
    if isinstance(wrong, ZenginViolation):
        return wrong.offset
    assert isinstance(wrong, TransferFileBroken)
    return int(wrong.params["offset"])


@pytest.mark.parametrize("byte", FOREIGN)
def test_a_foreign_byte_is_refused_wherever_it_stands(reader: Reader, byte: int) -> None:
    data = GOLDEN.read_bytes()
    for place in range(len(data) - 2):
        mutant = data[:place] + bytes([byte]) + data[place + 1 :]
        if mutant == data:
            continue
        with pytest.raises((Refusal, ZenginViolation)) as refused:
            reader(mutant)
        assert offset_of(refused) <= place + 1, "what is named lies no further than the next byte"


def test_a_changed_digit_of_an_amount_or_a_sum_is_refused(reader: Reader) -> None:
    data = GOLDEN.read_bytes()
    amounts = [(line * LINE + 80 + place) for line in range(1, 5) for place in range(10)]
    sums = [5 * LINE + place for place in range(1, 19)]
    for place in amounts + sums:
        for digit in b"0123456789":
            if digit != data[place]:
                with pytest.raises((Refusal, ZenginViolation)):
                    reader(data[:place] + bytes([digit]) + data[place + 1 :])


def test_a_lost_or_an_added_byte_is_refused(reader: Reader) -> None:
    data = GOLDEN.read_bytes()
    for place in range(len(data) - 2):
        for mutant in (data[:place] + data[place + 1 :], data[:place] + b"0" + data[place:]):
            with pytest.raises((Refusal, ZenginViolation)):
                reader(mutant)


def test_a_lost_an_added_or_a_moved_line_is_refused(reader: Reader) -> None:
    lines = [GOLDEN.read_bytes()[place : place + LINE] for place in range(0, 7 * LINE, LINE)]
    mutants = [lines[:place] + lines[place + 1 :] for place in range(7)]
    mutants += [[*lines[:place], lines[place], *lines[place:]] for place in range(7)]
    mutants += [
        [*lines[:one], lines[other], *lines[one + 1 : other], lines[one], *lines[other + 1 :]]
        for one in range(7)
        for other in range(one + 1, 7)
        if not (one >= 1 and other <= 4)
    ]
    for mutant in mutants:
        with pytest.raises((Refusal, ZenginViolation)):
            reader(b"".join(mutant))


@pytest.mark.parametrize("data", [b"", b"\x1a", b"\r\n", b"x" * 120, b"9" + b" " * 119, write()[:LINE], write()[LINE:]])
def test_what_is_no_whole_file_is_refused(reader: Reader, data: bytes) -> None:
    with pytest.raises((Refusal, ZenginViolation)):
        reader(data)


def test_a_line_that_pays_nothing_or_nobody_is_refused_though_the_sums_agree(reader: Reader) -> None:
    nothing = write((replace(SHOP, amount_yen=1),)).replace(b"0000000001", b"0000000000")
    nothing = nothing.replace(b"000001000000000001", b"000001000000000000")
    nobody = write((SHOP,)).replace(encode(SHOP.payee_kana), b" " * len(SHOP.payee_kana))
    for data in (nothing, nobody):
        assert len(data) == 4 * LINE
        with pytest.raises((TransferFileBroken, ZenginViolation)) as refused:
            reader(data)
        assert LINE < offset_of(refused) < 2 * LINE


def test_a_batch_without_a_line_is_refused_though_the_sums_agree(reader: Reader) -> None:
    data = write((SHOP,))
    trailer = b"8" + b"0" * 18 + b" " * 101 + b"\r\n"
    with pytest.raises((TransferFileBroken, ZenginViolation)) as refused:
        reader(data[:LINE] + trailer + data[3 * LINE :])
    assert offset_of(refused) == LINE


@settings(max_examples=300)
@given(st.integers(0, 7 * LINE - 3), st.integers(0, 255))
def test_the_product_forgives_nothing_that_the_strict_reader_refuses(place: int, byte: int) -> None:
    data = GOLDEN.read_bytes()
    mutant = data[:place] + bytes([byte]) + data[place + 1 :]
    try:
        read_strictly(mutant)
    except ZenginViolation:
        with pytest.raises(Refusal):
            read_transfer_file(mutant, SENT)


def test_a_wrong_sum_is_named_with_both_figures() -> None:
    data = write((SHOP,)).replace(b"8000001000000012210", b"8000001000000012211")
    with pytest.raises(TransferFileSumWrong) as refused:
        read_transfer_file(data, SENT)
    assert refused.value.params == {"field": "total_yen", "stated": 12_211, "found": 12_210}


def test_a_broken_field_is_named_with_its_record_and_byte() -> None:
    data = write((SHOP,))
    place = LINE + 80
    with pytest.raises(TransferFileBroken) as refused:
        read_transfer_file(data[:place] + b"x" + data[place + 1 :], SENT)
    assert refused.value.params == {"record": 2, "offset": place, "field": "amount_yen"}


def test_the_strict_reader_checks_files_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong.zengin"
    wrong.write_bytes(GOLDEN.read_bytes().replace(b"1130", b"1131", 1))
    assert main([str(GOLDEN)]) == 0
    assert "4 transfers" in capsys.readouterr().out
    assert main([str(GOLDEN), str(wrong)]) == 1
    assert "byte 54" in capsys.readouterr().out
