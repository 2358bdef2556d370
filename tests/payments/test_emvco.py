"""EMVCo codes: what we write passes two other implementations, what is broken is refused."""

from typing import Any

import pytest
from cemacqr import EMVCO, parse_payload, validate
from crccheck.crc import Crc16CcittFalse
from hypothesis import given
from hypothesis import strategies as st

from services.payments.emvco import (
    EmvcoChecksum,
    EmvcoMalformed,
    EmvcoRepeatedId,
    EmvcoTooLong,
    EmvcoTruncated,
    EmvcoValue,
    crc16,
    parse,
    store_payload,
)

STORE: dict[str, Any] = {
    "store_code": "S00BRRAEG",
    "name_ascii": "TANABATA COFFEE",
    "name_ja": "たなばた珈琲焙煎所 平塚本店",
    "city_ascii": "HIRATSUKA",
    "postal_code": "254-0045",
    "mcc": "5814",
    "guid": "example.hiratsuka.pay",
}
TILL: dict[str, Any] = {**STORE, "amount_yen": 1980, "reference": "T00BRRAE8", "terminal": "R2"}

# Published with mercari/go-emv-code, a reader and writer of JPQR; its checksum is right.
JPQR = (
    "0002016003xxx01021129300012D156000000000510A93FO3230Q31280012D1560000000103081234567826680019"
    "jp.or.paymentsjapan01130000000000001020400010306000001040600000153033925903xxx64180002JA0108"
    "メルペイ カフェ520441115802JP610710661436304DEE9"
)

ANY_REFUSAL = (EmvcoTooLong, EmvcoTruncated, EmvcoMalformed, EmvcoRepeatedId, EmvcoChecksum, EmvcoValue)

ascii_text = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=15)
names_ja = st.text(
    st.one_of(st.sampled_from("七夕珈琲ひらつかヴィーガン々〆ー𠮷髙﨑🎋"), st.characters(min_codepoint=0x3041)),
    min_size=1,
    max_size=25,
).filter(lambda name: not any(0xD800 <= ord(sign) <= 0xDFFF for sign in name))


def sealed(body: str) -> str:
    """`body` with the checksum that belongs to it, by another library."""
    text = f"{body}6304"
    return f"{text}{Crc16CcittFalse.calc(text.encode()):04X}"


def body_of(text: str) -> str:
    return text[:-8]


@given(
    name_ascii=ascii_text,
    name_ja=names_ja,
    city=ascii_text,
    till=st.none() | st.integers(1, 9_999_999_999_999),
)
def test_what_is_written_is_valid_elsewhere_and_reads_back_equal(
    name_ascii: str, name_ja: str, city: str, till: int | None
) -> None:
    reference = None if till is None else "T00BRRAE8"
    changed = {**STORE, "name_ascii": name_ascii, "name_ja": name_ja, "city_ascii": city}
    text = store_payload(**changed, amount_yen=till, reference=reference)
    report = validate(parse_payload(text), profile=EMVCO)
    assert report.ok, report
    assert report.fully_checked
    payload = parse(text)
    assert payload.account("example.hiratsuka.pay") == {
        "00": "example.hiratsuka.pay",
        "01": "S00BRRAEG",
    }
    assert (payload.get("59"), payload.get("60")) == (name_ascii, city)
    assert payload.template("64") == {"00": "JA", "01": name_ja}
    assert payload.amount_yen == till
    assert payload.is_dynamic == (till is not None)
    assert payload.template("62").get("05") == reference
    assert payload.get("63") == f"{Crc16CcittFalse.calc(text[:-4].encode()):04X}"


def test_a_sticker_is_written_object_by_object_as_the_format_says() -> None:
    assert body_of(store_payload(**STORE)) == (
        "000201" + "010211" + "2638" + "0021example.hiratsuka.pay" + "0109S00BRRAEG"
        "52045814" + "5303392" + "5802JP" + "5915TANABATA COFFEE" + "6009HIRATSUKA" + "6108254-0045"
        "6213" + "0309S00BRRAEG" + "6424" + "0002JA" + "0114たなばた珈琲焙煎所 平塚本店"
    )


def test_the_order_of_the_objects_is_fixed() -> None:
    order = [item.tag for item in parse_payload(store_payload(**TILL)).objects]
    assert order == ["00", "01", "26", "52", "53", "54", "58", "59", "60", "61", "62", "64", "63"]


@given(st.binary(max_size=300))
def test_the_checksum_is_the_one_of_another_library(content: bytes) -> None:
    assert crc16(content) == Crc16CcittFalse.calc(content)


def test_the_checksum_has_its_published_value() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_lengths_count_characters_and_the_checksum_counts_bytes() -> None:
    text = store_payload(**{**STORE, "name_ja": "𠮷野家🎋"})
    assert "0104𠮷野家🎋" in text
    assert parse(text).template("64")["01"] == "𠮷野家🎋"


def test_a_code_of_another_service_is_read_too() -> None:
    payload = parse(JPQR)
    account = payload.account("jp.or.paymentsjapan")
    assert account is not None
    assert [len(account[field]) for field in ("01", "02", "03", "04")] == [13, 4, 6, 6]
    assert payload.template("64")["01"] == "メルペイ カフェ"
    assert payload.amount_yen is None


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("26.00", {"guid": ""}),
        ("26.00", {"guid": "a" * 33}),
        ("26.00", {"guid": "例.平塚"}),
        ("26.00", {"guid": "jp.or.paymentsjapan"}),
        ("26.00", {"guid": "JP.OR.PAYMENTSJAPAN"}),
        ("26.01", {"store_code": ""}),
        ("26.01", {"store_code": "S" * 26}),
        ("52", {"mcc": "581"}),
        ("52", {"mcc": "５８１４"}),
        ("54", {"amount_yen": 0, "reference": "T1"}),
        ("54", {"amount_yen": -1, "reference": "T1"}),
        ("54", {"amount_yen": True, "reference": "T1"}),
        ("54", {"amount_yen": 10**13, "reference": "T1"}),
        ("59", {"name_ascii": ""}),
        ("59", {"name_ascii": "N" * 26}),
        ("59", {"name_ascii": "珈琲"}),
        ("59", {"name_ascii": "TAB\tTAB"}),
        ("60", {"city_ascii": "C" * 16}),
        ("61", {"postal_code": "2" * 11}),
        ("61", {"postal_code": "２５４"}),
        ("62.05", {"amount_yen": 1}),
        ("62.05", {"reference": "T1"}),
        ("62.05", {"amount_yen": 1, "reference": "T" * 26}),
        ("62.07", {"terminal": "T" * 26}),
        ("64.01", {"name_ja": ""}),
        ("64.01", {"name_ja": "あ" * 26}),
        ("64.01", {"name_ja": "改\n行"}),
        ("64.01", {"name_ja": "\ud842"}),
    ],
)
def test_a_value_that_does_not_fit_its_field_is_never_written(field: str, change: dict[str, Any]) -> None:
    with pytest.raises(EmvcoValue) as refused:
        store_payload(**{**STORE, **change})
    assert refused.value.params == {"field": field}


@given(st.data())
def test_one_altered_character_never_passes(data: st.DataObject) -> None:
    text = store_payload(**TILL)
    position = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.sampled_from("0123456789ABCDEFxyz店")).replace(text[position], "?")
    with pytest.raises(ANY_REFUSAL):
        parse(text[:position] + sign + text[position + 1 :])


def test_no_beginning_of_a_code_passes_for_the_code() -> None:
    text = store_payload(**TILL)
    for length in range(len(text)):
        with pytest.raises((EmvcoTruncated, EmvcoMalformed)):
            parse(text[:length])


@given(st.text(max_size=600))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(ANY_REFUSAL):
        parse(text)


def test_a_wrong_checksum_is_refused_as_such() -> None:
    text = store_payload(**STORE)
    wrong = f"{int(text[-4:], 16) ^ 1:04X}"
    with pytest.raises(EmvcoChecksum):
        parse(text[:-4] + wrong)


def test_a_lower_case_checksum_is_refused() -> None:
    text = next(
        sealed(body_of(store_payload(**{**STORE, "mcc": f"{mcc:04d}"})))
        for mcc in range(10_000)
        if store_payload(**{**STORE, "mcc": f"{mcc:04d}"})[-4:].isalpha()
    )
    assert parse(text)
    with pytest.raises(EmvcoChecksum):
        parse(text[:-4] + text[-4:].lower())


def test_half_a_character_is_refused() -> None:
    text = store_payload(**STORE)
    with pytest.raises(EmvcoMalformed):
        parse(text.replace("珈", "\ud842"))


def test_trailing_text_is_refused() -> None:
    with pytest.raises((EmvcoTruncated, EmvcoMalformed)):
        parse(store_payload(**STORE) + " ")
    with pytest.raises(EmvcoMalformed):
        parse(store_payload(**STORE) + "8001X")


def test_more_than_512_characters_are_refused() -> None:
    body = body_of(store_payload(**STORE))
    longer = "".join(f"{number}99{'X' * 99}" for number in ("65", "66", "67", "68"))
    with pytest.raises(EmvcoTooLong) as refused:
        parse(sealed(body + longer))
    assert refused.value.params["limit"] == 512


def test_exactly_512_characters_are_read() -> None:
    body = body_of(store_payload(**STORE))
    body += "".join(f"{number}99{'X' * 99}" for number in ("65", "66", "67"))
    body += f"68{512 - 8 - 4 - len(body):02d}{'X' * (512 - 8 - 4 - len(body))}"
    assert len(sealed(body)) == 512
    assert parse(sealed(body)).get("59") == "TANABATA COFFEE"


@pytest.mark.parametrize("again", ["5802JP", "010211", "2605" + "0001x"])
def test_a_repeated_id_is_refused_even_with_a_right_checksum(again: str) -> None:
    with pytest.raises(EmvcoRepeatedId) as refused:
        parse(sealed(body_of(store_payload(**STORE)) + again))
    assert refused.value.params == {"id": again[:2]}


def test_a_repeated_id_inside_a_template_is_refused() -> None:
    body = body_of(store_payload(**STORE)).replace("62130309S00BRRAEG", "62" + "10" + "0301A0301B")
    with pytest.raises(EmvcoRepeatedId):
        parse(sealed(body))


def test_two_accounts_under_one_name_are_refused() -> None:
    body = body_of(store_payload(**STORE)) + "27380021example.hiratsuka.pay0109S00BRRAEG"
    with pytest.raises(EmvcoRepeatedId):
        parse(sealed(body))


@pytest.mark.parametrize(
    ("old", "new", "refusal"),
    [
        ("000201", "000202", EmvcoValue),
        ("000201", "", EmvcoMalformed),
        ("000201010211", "010211000201", EmvcoMalformed),
        ("010211", "010213", EmvcoValue),
        ("26380021example.hiratsuka.pay0109S00BRRAEG", "", EmvcoMalformed),
        ("64240002JA0114たなばた珈琲焙煎所 平塚本店", "64060002JA", EmvcoMalformed),
        ("64240002JA0114たなばた珈琲焙煎所 平塚本店", "64180114たなばた珈琲焙煎所 平塚本店", EmvcoMalformed),
        ("2638", "2738", None),
        ("0021example.hiratsuka.pay", "0121example.hiratsuka.pay", EmvcoRepeatedId),
        ("52045814", "", EmvcoMalformed),
        ("52045814", "5203581", EmvcoValue),
        ("5303392", "", EmvcoMalformed),
        ("5802JP", "5802jp", EmvcoValue),
        ("5802JP", "5800", EmvcoMalformed),
        ("5802JP", "58０２JP", EmvcoMalformed),
        ("5915TANABATA COFFEE", "", EmvcoMalformed),
        ("5915TANABATA COFFEE", "5926TANABATA COFFEE AND BAKERY", EmvcoValue),
        ("6009HIRATSUKA", "", EmvcoMalformed),
        ("0002JA", "0002J1", EmvcoValue),
        ("5802JP", "5802", EmvcoMalformed),
        ("5802JP", "540105802JP", EmvcoValue),
        ("5802JP", "54040.005802JP", EmvcoValue),
        ("5802JP", "540319x5802JP", EmvcoValue),
        ("5802JP", "541412345678901234" + "5802JP", EmvcoValue),
    ],
)
def test_every_rule_of_the_format_is_held(old: str, new: str, refusal: type[Exception] | None) -> None:
    body = body_of(store_payload(**STORE))
    assert old in body
    text = sealed(body.replace(old, new, 1))
    if refusal is None:
        assert parse(text).account("example.hiratsuka.pay") is not None
        return
    with pytest.raises(refusal):
        parse(text)


@pytest.mark.parametrize("other", ["5303392540498.5", "5303392540398.", "5303840540298"])
def test_an_amount_is_read_in_whole_yen_or_not_at_all(other: str) -> None:
    payload = parse(sealed(body_of(store_payload(**STORE)).replace("5303392", other)))
    with pytest.raises(EmvcoValue):
        _ = payload.amount_yen
