"""A written bank file is byte-exact, passes a reader that shares nothing with it, and is read back."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.kana import byte_length
from services.kit.money import MAX_AMOUNT_YEN
from services.settlement.transfer import Sender, Transfer
from services.settlement.zengin import (
    CRLF,
    LF,
    NO_LINE_ENDING,
    TransferDateUnresolved,
    read_transfer_file,
)
from services.settlement.zengin_layout import (
    DATA_WITH_CODES,
    DATA_WITH_EDI,
    END,
    HEADER,
    RECORD_BYTES,
    TRAILER,
    Layout,
)
from tests.settlement.samples import BUSINESS_DAYS, GOLDEN, SENDERS, SENT, SHOP, SHOPS, TRANSFERS, write
from tests.strict_zengin import LINE, read_strictly


@pytest.mark.parametrize("layout", [HEADER, DATA_WITH_CODES, DATA_WITH_EDI, TRAILER, END])
def test_every_byte_of_a_record_belongs_to_one_field(layout: Layout) -> None:
    covered = [byte for field in layout for byte in range(field.offset, field.offset + field.length)]
    assert covered == list(range(RECORD_BYTES))


def test_a_header_and_a_line_are_what_the_format_draws() -> None:
    header, line, trailer, end = write((SHOPS[0],)).split(b"\r\n")[:-1]
    city = "ﾋﾗﾂｶｼ ﾎｼｿﾞﾗﾎﾟｲﾝﾄ".ljust(40)
    drawn = "1" + "21" + "0" + "0012345678" + city + "1130"
    drawn += "0001" + "ﾐｽﾞﾎ".ljust(15) + "001" + "ﾄｳｷﾖｳ".ljust(15) + "1" + "0123456" + " " * 17
    assert header == drawn.encode("shift_jis")
    drawn = "2" + "0001" + "ﾐｽﾞﾎ".ljust(15) + "001" + SHOPS[0].branch_kana.ljust(15) + "0000" + "1" + "1234567"
    drawn += "ｶ)ﾎｼｿﾞﾗｼﾖｳﾃﾝ".ljust(30) + "0000012210" + "0" + "0000000042" + "0000000000" + "7" + " " + " " * 7
    assert line == drawn.encode("shift_jis")
    assert trailer == b"8" + b"000001" + b"000000012210" + b" " * 101
    assert end == b"9" + b" " * 119


def test_the_golden_file_is_written_byte_for_byte_the_same() -> None:
    assert write() == GOLDEN.read_bytes()


def test_the_golden_file_says_what_it_should_pay() -> None:
    found = read_strictly(GOLDEN.read_bytes())
    assert [record["record"] for record in found] == ["1", "2", "2", "2", "2", "8"]
    assert found[0]["sender"] == "ﾋﾗﾂｶｼ ﾎｼｿﾞﾗﾎﾟｲﾝﾄ"
    assert [record["payee"] for record in found[1:-1]] == [
        "ｶ)ﾎｼｿﾞﾗｼﾖｳﾃﾝ",
        "ｱﾏﾉｶﾞﾜﾍﾞ-ｶﾘ-",
        "ﾎｼｿﾞﾗｼﾖｳﾃﾝ",
        "ｵﾘﾋﾒ" + "ﾍﾞ" * 13,
    ]
    assert found[-1]["total_yen"] == 12_210 + 1 + MAX_AMOUNT_YEN + 12_210


@given(SENDERS, TRANSFERS, BUSINESS_DAYS)
def test_a_written_file_passes_the_strict_reader_and_is_read_back_whole(
    sender: Sender, transfers: tuple[Transfer, ...], day: date
) -> None:
    data = write(transfers, sender, day)
    strict = read_strictly(data)
    assert strict[-1]["total_yen"] == sum(transfer.amount_yen for transfer in transfers)
    assert [record["amount_yen"] for record in strict[1:-1]] == [each.amount_yen for each in transfers]
    (batch,) = read_transfer_file(data, day)
    assert (batch.sender, batch.transfer_date, batch.transfers) == (sender, day, transfers)
    assert batch.total_yen == strict[-1]["total_yen"]


@given(TRANSFERS, st.sampled_from([CRLF, LF, NO_LINE_ENDING]), st.booleans(), st.booleans())
def test_a_file_is_read_with_every_line_ending(
    transfers: tuple[Transfer, ...], ending: bytes, end_of_file: bool, last_ending: bool
) -> None:
    data = write(transfers, line_ending=ending)
    if not last_ending:
        data = data.removesuffix(ending)
    (batch,) = read_transfer_file(data + b"\x1a" * end_of_file, SENT)
    assert batch.transfers == transfers


def test_several_batches_are_read_from_one_file() -> None:
    one, other = write((SHOPS[0],)), write((SHOPS[1],))
    batches = read_transfer_file(one[: 3 * LINE] + other, SENT)
    assert [batch.transfers for batch in batches] == [(SHOPS[0],), (SHOPS[1],)]


@given(st.text("ガパあャー（Ａz", min_size=1, max_size=60))
def test_a_long_name_is_cut_to_its_bytes_and_never_inside_a_kana(name: str) -> None:
    found = read_strictly(write((replace(SHOP, payee_kana=name),)))
    assert byte_length(str(found[1]["payee"])) <= 30


def test_the_same_arguments_make_the_same_bytes() -> None:
    assert write() == write()


@pytest.mark.parametrize(
    ("sent_on", "mmdd", "expected"),
    [
        (date(2026, 11, 24), b"1124", date(2026, 11, 24)),
        (date(2026, 12, 29), b"0104", date(2027, 1, 4)),
        (date(2026, 11, 24), b"1123", date(2027, 11, 23)),
        (date(2027, 3, 1), b"0229", date(2028, 2, 29)),
    ],
)
def test_the_year_that_the_file_leaves_out_follows_from_the_sending_day(
    sent_on: date, mmdd: bytes, expected: date
) -> None:
    data = write().replace(b"1130", mmdd, 1)
    assert read_transfer_file(data, sent_on)[0].transfer_date == expected


@pytest.mark.parametrize("mmdd", [b"0229", b"1131", b"0000", b"1301"])
def test_a_day_that_does_not_come_within_a_year_is_refused(mmdd: bytes) -> None:
    with pytest.raises(TransferDateUnresolved):
        read_transfer_file(write().replace(b"1130", mmdd, 1), date(2026, 3, 1))
