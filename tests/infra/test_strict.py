"""What is not exactly as documented is refused with the place and a code, and never with a 500."""

import json
import sys
import unicodedata
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import Query
from hypothesis import given
from hypothesis import strategies as st

from infra.http import strict
from infra.http.apps import create_api, router
from infra.http.auth import PUBLIC
from infra.http.context import Context
from infra.http.problems import InvalidRequest, MalformedJson
from infra.http.rates import Rates
from infra.http.strict import AmountYen, Body, Day, Flag, Name, TrueOrFalse, WholeText, is_clean, is_one_line, read_json
from services.identity.tokens import Audience

routes = router("test")


class Order(Body):
    amount_yen: AmountYen
    name: Name = "x"
    day: Day | None = None
    gift: TrueOrFalse = False
    extra: dict[str, Any] | None = None


@routes.post("/orders", dependencies=[PUBLIC])
async def order(body: Order) -> dict[str, int]:
    return {"amount_yen": body.amount_yen, "gift": body.gift}


@routes.get("/orders", dependencies=[PUBLIC])
async def orders(
    gifts: Flag | None = None, limit: Annotated[int, Query(ge=1, le=500), WholeText] = 100
) -> dict[str, int | None]:
    return {"gifts": gifts, "limit": limit}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    class Bare:
        docs = False
        rates = Rates()
        public_url = "http://localhost"

    app = create_api(cast(Context, Bare()), Audience.WALLET, title="T", description="", routers=[routes], seconds=5)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as made:
        yield made


async def send(client: httpx.AsyncClient, content: str | bytes) -> httpx.Response:
    return await client.post("/orders", content=content, headers={"content-type": "application/json"})


@pytest.mark.parametrize("amount", ["1", "9999999999"])
async def test_whole_yen_within_bounds_are_taken(client: httpx.AsyncClient, amount: str) -> None:
    answer = await send(client, f'{{"amount_yen": {amount}}}')
    assert (answer.status_code, answer.json()) == (200, {"amount_yen": int(amount), "gift": False})


@pytest.mark.parametrize(
    ("amount", "code"),
    [
        ("0", "out_of_range"),
        ("-0", "out_of_range"),
        ("-1", "out_of_range"),
        ("10000000000", "out_of_range"),
        ("12345678901234567890", "out_of_range"),
        ("9" * 4_000, "out_of_range"),
        ("1.0", "not_a_whole_number"),
        ("0.5", "not_a_whole_number"),
        ("1e3", "not_a_whole_number"),
        ("1E400", "not_a_whole_number"),
        ("true", "not_a_whole_number"),
        ('"10"', "not_a_whole_number"),
        ('"１０"', "not_a_whole_number"),
        ("null", "not_a_whole_number"),
        ("[10]", "not_a_whole_number"),
        ("{}", "not_a_whole_number"),
    ],
)
async def test_no_other_amount_is_taken(client: httpx.AsyncClient, amount: str, code: str) -> None:
    answer = await send(client, f'{{"amount_yen": {amount}}}')
    found = answer.json()
    assert (answer.status_code, found["code"]) == (422, "invalid_request")
    assert [(field["location"], field["code"]) for field in found["params"]["fields"]] == [("body.amount_yen", code)]
    if code == "out_of_range":
        assert {"minimum", "maximum"} & found["params"]["fields"][0].keys()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"{]",
        b'{"amount_yen": 1,}',
        b'{"amount_yen": 01}',
        b'{"amount_yen": +1}',
        b'{"amount_yen": 0x10}',
        b'{"amount_yen": NaN}',
        b'{"amount_yen": Infinity}',
        b"{'amount_yen': 1}",
        b'{"amount_yen": 1} {"amount_yen": 1}',
        b'{"amount_yen": 1, "amount_yen": 2}',
        b'{"amount_yen": ' + b"9" * 5_000 + b"}",
        b'{"amount_yen": 1, "name": "\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"extra": ' + b'{"a":' * 20 + b"1" + b"}" * 21,
        b"[" * 30_000,
        b'{"amount_yen": 1, "name": "a\nb"}',
    ],
)
async def test_a_broken_body_is_malformed_json(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await send(client, content)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


@pytest.mark.parametrize("content", ["1", "null", "[]", '"text"', '[{"amount_yen": 1}]', "true"])
async def test_a_body_is_an_object(client: httpx.AsyncClient, content: str) -> None:
    answer = await send(client, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_unknown_fields_are_refused_by_name(client: httpx.AsyncClient) -> None:
    answer = await send(client, '{"amount_yen": 1, "amout": 2}')
    assert answer.json()["params"]["fields"] == [{"location": "body.amout", "code": "unknown"}]


@pytest.mark.parametrize(
    "bad", ["\\u0000", "\\u0007", "\\u001b[31m", "\\ud800", "\\udc00\\ud800", "\\u202e", "\\u2066"]
)
@pytest.mark.parametrize("body", ['{"amount_yen": 1, "name": "a%s"}', '{"amount_yen": 1, "extra": {"k%s": [1]}}'])
async def test_text_that_a_database_or_a_reader_would_choke_on_is_refused(
    client: httpx.AsyncClient, bad: str, body: str
) -> None:
    answer = await send(client, body % bad)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["params"]["fields"][0]["code"] == "control_character"


@pytest.mark.parametrize("name", ["", "x" * 101, "two\\nlines", "tab\\there"])
async def test_a_name_is_one_line_of_stated_length(client: httpx.AsyncClient, name: str) -> None:
    answer = await send(client, f'{{"amount_yen": 1, "name": "{name}"}}')
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("day", ["1593561600", "1", "true", '"1593561600"', '"2020-13-01"', '"2020-07-01T25:00"', '""'])
async def test_a_date_is_a_text(client: httpx.AsyncClient, day: str) -> None:
    answer = await send(client, f'{{"amount_yen": 1, "day": {day}}}')
    assert answer.json()["params"]["fields"] == [{"location": "body.day", "code": "not_a_date"}]


@pytest.mark.parametrize(("said", "meant"), [("true", True), ("false", False)])
async def test_a_yes_is_true_or_false(client: httpx.AsyncClient, said: str, meant: bool) -> None:
    sent = await send(client, f'{{"amount_yen": 1, "gift": {said}}}')
    asked = await client.get("/orders", params={"gifts": said})
    assert (sent.status_code, sent.json()["gift"], asked.status_code, asked.json()["gifts"]) == (200, meant, 200, meant)


@pytest.mark.parametrize(
    "said", ["1", "0", "1.0", "0.0", '"true"', '"yes"', '"on"', '"t"', '"1"', '""', "null", "[]", "[true]", "{}"]
)
async def test_nothing_else_in_a_body_is_a_yes_or_a_no(client: httpx.AsyncClient, said: str) -> None:
    answer = await send(client, f'{{"amount_yen": 1, "gift": {said}}}')
    found = answer.json()
    assert (answer.status_code, found["code"]) == (422, "invalid_request")
    assert found["params"]["fields"] == [{"location": "body.gift", "code": "not_true_or_false"}]


@pytest.mark.parametrize(
    "said", ["1", "0", "yes", "no", "on", "off", "t", "f", "y", "n", "True", "TRUE", "true ", "ｔｒｕｅ", "null", ""]
)
async def test_nothing_else_in_an_address_is_a_yes_or_a_no(client: httpx.AsyncClient, said: str) -> None:
    answer = await client.get("/orders", params={"gifts": said})
    found = answer.json()
    assert (answer.status_code, found["code"]) == (422, "invalid_request")
    assert found["params"]["fields"] == [{"location": "query.gifts", "code": "not_true_or_false"}]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        *(
            (said, "not_a_whole_number")
            for said in ("+5", "5.0", "1_0", " 5", "5 ", "005", "5e0", "0x5", "５", "٥", "")
        ),
        *((said, "out_of_range") for said in ("0", "-0", "-1", "501", "9" * 20, "9" * 4_000)),
    ],
)
async def test_a_number_in_an_address_is_its_digits(client: httpx.AsyncClient, said: str, code: str) -> None:
    assert (await client.get("/orders", params={"limit": "500"})).json()["limit"] == 500
    answer = await client.get("/orders", params={"limit": said})
    found = answer.json()
    assert (answer.status_code, found["code"]) == (422, "invalid_request")
    assert [(field["location"], field["code"]) for field in found["params"]["fields"]] == [("query.limit", code)]


async def test_what_was_sent_is_never_echoed(client: httpx.AsyncClient) -> None:
    answer = await send(client, '{"amount_yen": "canary-5555", "name": ["canary-5555"]}')
    assert answer.status_code == 422
    assert "canary" not in answer.text


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(MalformedJson, InvalidRequest):
        read_json(content)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_what_is_read_is_what_was_written(value: Any) -> None:
    try:
        assert read_json(json.dumps(value).encode()) == value
    except InvalidRequest as refused:
        assert refused.params["fields"][0]["code"] == "control_character"


def test_whatever_is_printable_is_clean_and_on_one_line() -> None:
    """Which is why nothing else is asked of such a text."""
    signs = map(chr, range(sys.maxunicode + 1))
    refused = [sign for sign in signs if unicodedata.category(sign) in {"Cc", "Cs"} or sign in strict._BIDIRECTIONAL]
    assert len(refused) == 65 + 2_048 + 9
    assert not any(sign.isprintable() for sign in refused)
    assert [sign for sign in refused if is_clean(f"a{sign}")] == ["\t", "\n", "\r"]
    assert not any(is_one_line(f"a{sign}") for sign in refused)
    assert is_clean("星見市\n") and is_one_line("星見市 1-2")
