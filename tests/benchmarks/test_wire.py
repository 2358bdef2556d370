import json
import random
from datetime import UTC, datetime
from itertools import islice
from uuid import UUID

import pytest

from infra.benchmarks.plan import Door, Payment, Repeat
from infra.benchmarks.wire import NAIVE_SENDER, NotAnAnswer, body, keys, payment_id, read, request, wallet_sender

PAYMENT = Payment(7, 2, 123, Repeat.NEVER)
ANSWER = b'HTTP/1.1 201 Created\r\ncontent-length: 20\r\nidempotent-replay: true\r\n\r\n{"payment_id":"abc"}'
NOON = datetime(2026, 4, 6, 12, tzinfo=UTC)


def test_an_answer_is_read_once_it_is_whole() -> None:
    assert read(ANSWER) == (b"201", b'{"payment_id":"abc"}', True)
    assert read(ANSWER.replace(b"idempotent-replay: true\r\n", b"")) == (b"201", b'{"payment_id":"abc"}', False)
    for end in range(len(ANSWER)):
        assert read(ANSWER[:end]) is None


@pytest.mark.parametrize(
    "data",
    [ANSWER + b"H", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
)
def test_what_is_no_single_answer_with_a_length_is_refused(data: bytes) -> None:
    with pytest.raises(NotAnAnswer):
        read(data)


def test_a_length_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        read(ANSWER.replace(b": 20", b": many"))


def test_a_request_says_how_long_it_is_and_carries_its_id() -> None:
    wallet, key = UUID(int=1), UUID(int=2)
    wire = request(wallet_sender(wallet, "a.b.c"), key, body(Door.WALLET, PAYMENT, "S123"))
    head, _, content = wire.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == f"POST /api/wallet/v1/wallets/{wallet}/payments HTTP/1.1"
    assert "authorization: Bearer a.b.c" in lines
    assert f"idempotency-key: {key}" in lines
    assert f"content-length: {len(content)}" in lines
    assert json.loads(content) == {"code": "S123", "amount_yen": 123}


def test_every_door_is_spoken_to_in_its_own_words() -> None:
    assert json.loads(body(Door.STORE, PAYMENT, "x.y.z")) == {"pay_code": "x.y.z", "amount_yen": 123}
    assert json.loads(body(Door.NAIVE, PAYMENT, "")) == {"wallet_id": 7, "store_id": 2, "amount_yen": 123}
    assert request(NAIVE_SENDER, UUID(int=2), b"{}").startswith(b"POST /payments HTTP/1.1\r\n")


def test_ids_are_version_7_of_the_moment_and_all_different() -> None:
    found = list(islice(keys(NOON, random.Random(1)), 1_000))
    assert len(set(found)) == 1_000
    assert {each.version for each in found} == {7}
    assert {each.int >> 80 for each in found} == {int(NOON.timestamp() * 1_000)}


def test_the_payment_that_a_body_speaks_of() -> None:
    name = "0198c5a4-7c1e-7a3b-9d5e-2f6b8c1d4e7a"
    assert payment_id(f'{{"payment_id":"{name}","number":"P1"}}'.encode()) == name
    assert payment_id(b'{"number":"P1"}') is None
