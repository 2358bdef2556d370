"""What a scanned text is: ours is recognised, every other is named or unknown, none slips through."""

import pytest
from crccheck.crc import Crc16CcittFalse
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import Refusal
from services.kit.numbers import (
    NumberMalformed,
    NumberMistyped,
    NumberOfOtherKind,
    make_number,
    number_space,
)
from services.payments.emvco import EmvcoChecksum, EmvcoTruncated, store_payload
from services.payments.pay_code import PayCodeMalformed
from services.payments.qr import (
    CodeForeign,
    CodeUnknown,
    PayCode,
    StoreCode,
    TillCode,
    recognise,
    store_url,
    till_url,
)
from tests.payments.pay_codes import CODE, DEVICE, PHONE, signed
from tests.payments.test_emvco import JPQR, body_of, sealed

BASE = "https://pay.hiratsuka.example"
GUID = "example.hiratsuka.pay"
STORE = make_number("S", 123_456_789, 7)
TILL = make_number("T", 987_654_321, 10)
RECEIPT = make_number("R", 123_456_789, 7)
ALPHANUMERIC = frozenset("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


def scan(text: str) -> StoreCode | TillCode | PayCode:
    return recognise(text, BASE, GUID)


def emvco_text(store: str = STORE, till: str | None = None, guid: str = GUID) -> str:
    return store_payload(
        store_code=store,
        name_ascii="TANABATA COFFEE",
        name_ja="たなばた珈琲",
        city_ascii="HIRATSUKA",
        postal_code="254-0045",
        mcc="5814",
        guid=guid,
        amount_yen=None if till is None else 1980,
        reference=till,
    )


def foreign(text: str) -> str:
    with pytest.raises(CodeForeign) as refused:
        scan(text)
    return str(refused.value.params["service"])


def unknown(text: str) -> None:
    with pytest.raises(CodeUnknown):
        scan(text)


# Ours


@given(st.integers(0, number_space(7) - 1))
def test_every_printed_address_is_recognised_and_stays_alphanumeric(entropy: int) -> None:
    store, till = make_number("S", entropy, 7), make_number("T", entropy, 7)
    assert scan(store_url(BASE, store)) == StoreCode(store)
    assert scan(till_url(BASE, till)) == TillCode(till)
    for text in (store_url(BASE, store), till_url(BASE, till)):
        assert ALPHANUMERIC.issuperset(text)
        assert len(text) <= 47  # version 3 at Q


@pytest.mark.parametrize(
    "text",
    [
        f"HTTPS://PAY.HIRATSUKA.EXAMPLE/S/{STORE}",
        f"https://pay.hiratsuka.example/s/{STORE.lower()}",
        f"Https://Pay.Hiratsuka.Example/S/{STORE}",
        f"HTTPS://PAY.HIRATSUKA.EXAMPLE/S/{STORE}\r\n",
        f" HTTPS://PAY.HIRATSUKA.EXAMPLE/S/{STORE}\t",
    ],
)
def test_capitals_and_a_scanners_line_break_make_no_difference(text: str) -> None:
    assert scan(text) == StoreCode(STORE)


def test_an_emvco_sticker_of_ours_is_its_store() -> None:
    assert scan(emvco_text()) == StoreCode(STORE)


def test_an_emvco_code_with_a_sum_is_the_registers_code_and_never_the_sum() -> None:
    assert scan(emvco_text(till=TILL)) == TillCode(TILL)


def test_a_residents_code_is_recognised_with_its_phone() -> None:
    assert scan(CODE) == PayCode(CODE, DEVICE)
    assert scan(CODE + "\n") == PayCode(CODE, DEVICE)


@pytest.mark.parametrize("base", ["http://localhost:8000", "http://localhost:8000/", "http://127.0.0.1:8000"])
def test_a_local_server_prints_its_own_address(base: str) -> None:
    text = store_url(base, STORE)
    assert recognise(text, base, GUID) == StoreCode(STORE)
    with pytest.raises(CodeUnknown):
        recognise(text, "http://localhost:8001", GUID)


@pytest.mark.parametrize(
    "base",
    [
        "",
        "pay.hiratsuka.example",
        "ftp://pay.hiratsuka.example",
        "https://",
        "https://pay.hiratsuka.example/app",
        "https://pay.hiratsuka.example?x",
        "https://user@pay.hiratsuka.example",
        "https://平塚.example",
        "https://pay.hiratſuka.example",
        "https://pay_hiratsuka.example",
        "https://pay.hiratsuka.example/\n",
    ],
)
def test_a_base_that_a_sticker_cannot_carry_is_a_wrong_setting(base: str) -> None:
    with pytest.raises(ValueError, match="scheme://host"):
        store_url(base, STORE)


@pytest.mark.parametrize(
    ("number", "refusal"),
    [(RECEIPT, NumberOfOtherKind), (STORE[:-1], NumberMistyped), ("", NumberMalformed), (TILL, NumberOfOtherKind)],
)
def test_no_sticker_is_printed_for_what_is_no_store(number: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        store_url(BASE, number)


# Almost ours


@pytest.mark.parametrize(
    "text",
    [
        f"https://pay.hiratsuka.example.thief.example/S/{STORE}",
        f"https://pay.hiratsuka.example@thief.example/S/{STORE}",
        f"https://thief.example/https://pay.hiratsuka.example/S/{STORE}",
        f"https://thief.example/S/{STORE}",
        f"https://pay-hiratsuka.example/S/{STORE}",
        f"https://pay.hiratsuka.example:8443/S/{STORE}",
        f"https://pay.hiratsuka.example./S/{STORE}",
        f"https:/pay.hiratsuka.example/S/{STORE}",
        f"https:\\\\pay.hiratsuka.example\\S\\{STORE}",
        f"http://pay.hiratsuka.example/S/{STORE}",
        f"https://pay.hiratsuka.example//S/{STORE}",
        f"https://pay.hiratsuka.example/S/{STORE}/",
        f"https://pay.hiratsuka.example/S/{STORE}?amount=1",
        f"https://pay.hiratsuka.example/S/{STORE}#x",
        f"https://pay.hiratsuka.example/S/../S/{STORE}",
        f"https://pay.hiratsuka.example/S/%53{STORE[1:]}",
        f"https://pay.hiratsuka.example/S/{STORE}\nx",
        f"https://pay.hiratsuka.example/X/{STORE}",
        f"https://pay.hiratsuka.example/T/{STORE}",
        f"https://pay.hiratsuka.example/S/{TILL}",
        f"https://pay.hiratsuka.example/S/{RECEIPT}",
        f"https://pay.hiratsuka.example/S/{STORE[:-1]}",
        f"https://pay.hiratsuka.example/S/{STORE[0]}-{STORE[1:]}",
        "https://pay.hiratsuka.example/S/",
        "https://pay.hiratsuka.example/S/" + "1" * 900,
        "https://pay.hiratsuka.example/",
        f"https://pay.hiratſuka.example/S/{STORE}",  # a long s, whose capital is our S
        f"https://pay.hıratsuka.example/S/{STORE}",  # an i without its dot, whose capital is our I
        f"https://pay.hiratsuka.example/S/{STORE}".replace("0", "０"),
        f"ｈｔｔｐｓ://pay.hiratsuka.example/S/{STORE}",
        f"\u3000https://pay.hiratsuka.example/S/{STORE}",
        f"https://pay.hiratsuka.example/S/{STORE.replace('0', 'O')}",
        f"\u200bhttps://pay.hiratsuka.example/S/{STORE}",
    ],
)
def test_an_address_that_only_looks_like_ours_is_unknown(text: str) -> None:
    unknown(text)


@given(st.data())
def test_one_wrong_sign_in_a_number_never_names_another_store(data: st.DataObject) -> None:
    position = data.draw(st.integers(1, len(STORE) - 1))
    sign = data.draw(st.sampled_from(sorted(set("0123456789ABCDEFGHJKMNPQRSTVWXYZ") - {STORE[position]})))
    unknown(f"{BASE}/S/{STORE[:position]}{sign}{STORE[position + 1 :]}")


def test_an_emvco_code_of_ours_with_a_wrong_number_is_unknown() -> None:
    for wrong in (RECEIPT, TILL, STORE[:-1] + ("0" if STORE[-1] != "0" else "1")):
        unknown(emvco_text(store=wrong))
    unknown(emvco_text(till=STORE))
    unknown(sealed(body_of(emvco_text()).replace("010211", "010212")))
    unknown(sealed(body_of(emvco_text()).replace(f"0109{STORE}", f"0209{STORE}", 1)))


def test_an_emvco_code_of_ours_with_a_damaged_character_is_refused_as_damaged() -> None:
    with pytest.raises(EmvcoChecksum):
        scan(emvco_text().replace("COFFEE", "C0FFEE"))
    with pytest.raises(EmvcoTruncated):
        scan(emvco_text()[:-3])


# Other services


def test_a_jpqr_code_is_named() -> None:
    assert foreign(JPQR) == "JPQR"


def test_a_jpqr_code_is_named_even_with_a_wrong_checksum() -> None:
    assert foreign(JPQR[:-4] + "0000") == "JPQR"


def test_nobody_elses_template_passes_for_ours() -> None:
    assert foreign(emvco_text(guid="example.thief.pay")) == "example.thief.pay"
    assert foreign(emvco_text(guid=f"{GUID}.evil")) == f"{GUID}.evil"


def test_a_local_tax_code_is_named() -> None:
    body = "0002010102112626" + "0010jp.example" + "0108" + "12345678" + "5204931153033925802JP6305"
    assert foreign(f"{body}{Crc16CcittFalse.calc(body.encode()):05d}") == "eL-QR"


def test_an_emvco_code_without_a_speaking_name_is_an_emvco_code() -> None:
    body = body_of(emvco_text()).replace(f"26380021{GUID}0109{STORE}", "2918" + "0014A0000006770101")
    assert foreign(sealed(body)) == "EMVCo"
    assert foreign(sealed(body.replace("29180014A0000006770101", "0216" + "4111111111111111"))) == "EMVCo"


@pytest.mark.parametrize(
    ("text", "service"),
    [
        ("https://qr.paypay.ne.jp/p2p01_4iHzuQaV8lpV6m6a", "PayPay"),
        ("HTTPS://QR.PAYPAY.NE.JP/28180104ABCDEF", "PayPay"),
        ("https://paypay.ne.jp./x", "PayPay"),
        ("https://pay.rakuten.co.jp/x", "Rakuten Pay"),
        ("https://aupay.wallet.auone.jp/x", "au PAY"),
        ("https://jp.merpay.com/x", "Merpay"),
        ("HTTPS://QR.ALIPAY.COM/FKX074142EKXD0OIMV8B60", "Alipay"),
        ("wxp://f2f0in9xnsA4G", "WeChat Pay"),
        ("weixin://wxpay/bizpayurl?pr=abc", "WeChat Pay"),
    ],
)
def test_a_code_of_a_service_that_tills_know_is_named(text: str, service: str) -> None:
    assert foreign(text) == service


@pytest.mark.parametrize(
    "text",
    [
        "https://notpaypay.ne.jp/x",
        "https://paypay.ne.jp.thief.example/x",
        "https://thief.example/paypay.ne.jp",
        "https://www.city.hiratsuka.kanagawa.jp/",
        "www.example.com",
        "mailto:a@b.example",
        "javascript:alert(1)",
        "https://[::1",
        "https://",
        "4901234567894",
        "00020",
        "0002990",
        "平塚市",
        "",
        " ",
        "\n",
        "a.b.c",
        "a.b.",
        "\ud800",
        "1" * 5000,
        "https://paypay.ne.jp/" + "x" * 1024,
        STORE,
        RECEIPT,
    ],
)
def test_everything_else_is_unknown(text: str) -> None:
    unknown(text)


def test_another_token_is_no_pay_code() -> None:
    with pytest.raises(PayCodeMalformed):
        scan(signed({"typ": "at+jwt"}))
    with pytest.raises(PayCodeMalformed):
        scan(PHONE.sign_text('{"alg":"none"}', "{}"))


@given(st.one_of(st.text(max_size=80), st.text("0123456789", max_size=80).map(lambda tail: "000201" + tail)))
def test_no_text_breaks_the_scanner(text: str) -> None:
    with pytest.raises(Refusal):
        scan(text)
