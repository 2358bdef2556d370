"""A store that is registered can be printed: its names fit its codes."""

from dataclasses import replace

import pytest
from cemacqr import EMVCO, parse_payload, validate
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import Refusal
from services.kit.store_class import StoreClass
from services.merchants.shops import (
    STORE_CODE_LENGTH,
    STORE_PREFIX,
    MccInvalid,
    MemberRole,
    MerchantNameInvalid,
    MerchantReasonMissing,
    PostalCodeInvalid,
    StoreCityLatinInvalid,
    StoreDetails,
    StoreNameInvalid,
    StoreNameLatinInvalid,
    may_appoint,
    merchant_name,
    status_reason,
    store_details,
)
from services.payments.emvco import store_payload
from services.payments.qr import STORE_PREFIX as PRINTED_PREFIX
from tests.merchants.samples import SHOP


def test_details_are_stored_in_one_form() -> None:
    typed = StoreDetails(
        " 竹屋青果店　",
        "ＴＡＫＥＹＡ  seikaten ",
        StoreClass.SMALL,
        " ５４１１",
        "〒２５４－００４３",
        " Hiratsuka-shi",
    )
    stored = store_details(typed)
    assert stored == StoreDetails(
        "竹屋青果店", "TAKEYA  seikaten", StoreClass.SMALL, "5411", "2540043", "Hiratsuka-shi"
    )
    assert store_details(stored) == stored


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"name": ""}, StoreNameInvalid),
        ({"name": "　 "}, StoreNameInvalid),
        ({"name": "あ" * 26}, StoreNameInvalid),
        ({"name": "竹屋\u202e店"}, StoreNameInvalid),
        ({"name": "竹屋\n店"}, StoreNameInvalid),
        ({"name": "\ud800"}, StoreNameInvalid),
        ({"name": "あ" * 100_000}, StoreNameInvalid),
        ({"name_latin": ""}, StoreNameLatinInvalid),
        ({"name_latin": "T" * 26}, StoreNameLatinInvalid),
        ({"name_latin": "竹屋"}, StoreNameLatinInvalid),
        ({"name_latin": "---"}, StoreNameLatinInvalid),
        ({"name_latin": "CAFÉ"}, StoreNameLatinInvalid),
        ({"city_latin": "C" * 16}, StoreCityLatinInvalid),
        ({"city_latin": "平塚"}, StoreCityLatinInvalid),
        ({"mcc": "541"}, MccInvalid),
        ({"mcc": "54111"}, MccInvalid),
        ({"mcc": "54A1"}, MccInvalid),
        ({"mcc": "٥٤١١"}, MccInvalid),
        ({"postal_code": "254004"}, PostalCodeInvalid),
        ({"postal_code": "254-00433"}, PostalCodeInvalid),
        ({"postal_code": "254-OO43"}, PostalCodeInvalid),
    ],
)
def test_what_cannot_be_printed_is_refused_by_name(change: dict[str, str], refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        store_details(replace(SHOP, **change))  # type: ignore[arg-type]


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=20))
def test_every_accepted_store_has_an_emvco_code(name: str, name_latin: str, city: str) -> None:
    try:
        stored = store_details(replace(SHOP, name=name, name_latin=name_latin, city_latin=city))
    except (StoreNameInvalid, StoreNameLatinInvalid, StoreCityLatinInvalid):
        return
    text = store_payload(
        store_code="S1234567K",
        name_ascii=stored.name_latin,
        name_ja=stored.name,
        city_ascii=stored.city_latin,
        postal_code=stored.postal_code,
        mcc=stored.mcc,
        guid="jp.example.tanabata",
    )
    validate(parse_payload(text), profile=EMVCO)


def test_store_codes_are_those_that_are_printed() -> None:
    assert STORE_PREFIX == PRINTED_PREFIX
    assert len("S1234567K") == STORE_CODE_LENGTH + 2


def test_a_merchant_has_a_name() -> None:
    assert merchant_name(" 株式会社竹屋 ") == "株式会社竹屋"
    for text in ("", " ", "x" * 101, "a\x00b"):
        with pytest.raises(MerchantNameInvalid) as refused:
            merchant_name(text)
        assert refused.value.params == {"limit": 100}


def test_a_reason_is_given() -> None:
    assert status_reason(" sold tobacco ") == "sold tobacco"
    for text in ("", " ", "x" * 501):
        with pytest.raises(MerchantReasonMissing):
            status_reason(text)


def test_owners_appoint_anybody_managers_clerks_and_clerks_nobody() -> None:
    for role in MemberRole:
        assert may_appoint(MemberRole.OWNER, role)
        assert may_appoint(MemberRole.MANAGER, role) == (role is MemberRole.CLERK)
        assert not may_appoint(MemberRole.CLERK, role)
        assert not may_appoint(None, role)
