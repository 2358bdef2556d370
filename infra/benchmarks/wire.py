"""Requests as bytes, made before the clock starts, and what little of an answer is read.

A generator that shares two cores with what it measures must cost less than what it measures: no
client library, no JSON, one buffer a connection.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from infra.benchmarks.plan import Door, Payment
from infra.phone import SandboxPhone

_HOST = b"127.0.0.1"
_LENGTH = b"content-length: "
_REPLAYED = b"idempotent-replay: true"
_ID = b'"payment_id":"'
_ID_LENGTH = 36


class NotAnAnswer(Exception):
    """The server sent something that is no answer of HTTP/1.1 with a length."""


@dataclass(frozen=True)
class Sender:
    """What the requests of one bearer have in common, up to the id."""

    head: bytes


def wallet_sender(wallet_id: UUID, token: str) -> Sender:
    """A resident who pays from a wallet."""
    return _sender(f"/api/wallet/v1/wallets/{wallet_id}/payments", token)


def store_sender(store_id: UUID, token: str) -> Sender:
    """A clerk who takes payments at a store."""
    return _sender(f"/api/merchant/v1/stores/{store_id}/payments", token)


NAIVE_SENDER = Sender(b"POST /payments HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n" % _HOST)


def request(sender: Sender, key: UUID, body: bytes) -> bytes:
    """A command under its id."""
    return b"%bidempotency-key: %b\r\ncontent-length: %d\r\n\r\n%b" % (
        sender.head,
        str(key).encode(),
        len(body),
        body,
    )


def body(door: Door, payment: Payment, code: str) -> bytes:
    """What a payment says; `code` is the store's code, or the one on the resident's phone."""
    if door is Door.NAIVE:
        said = f'{{"wallet_id":{payment.payer},"store_id":{payment.till},"amount_yen":{payment.amount_yen}}}'
    else:
        name = "code" if door is Door.WALLET else "pay_code"
        said = f'{{"{name}":"{code}","amount_yen":{payment.amount_yen}}}'
    return said.encode()


def keys(now: datetime, chance: random.Random) -> Iterator[UUID]:
    """Ids as a phone makes them (UUIDv7), all of this moment."""
    stamp = (int(now.timestamp() * 1_000) & ((1 << 48) - 1)) << 80 | 0x7 << 76 | 0b10 << 62
    while True:
        yield UUID(int=stamp | chance.getrandbits(12) << 64 | chance.getrandbits(62))


class Phones:
    """The residents' phones, each made when its first code is needed."""

    def __init__(self) -> None:
        self._known: dict[UUID, SandboxPhone] = {}

    def code(self, wallet_id: UUID, device_id: UUID, secret: bytes, now: datetime, jti: UUID) -> str:
        """A pay code for the next 60 seconds."""
        phone = self._known.get(device_id)
        if phone is None:
            phone = self._known[device_id] = SandboxPhone(secret)
        return phone.pay_code(wallet_id, device_id, now, jti)


def read(data: bytes) -> tuple[bytes, bytes, bool] | None:
    """Status, body, and whether it says that it is a replay; None while some of the answer is missing.

    Raises NotAnAnswer for what is no answer, or more than one.
    """
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    at = data.find(_LENGTH, 0, end)
    if at < 0:
        raise NotAnAnswer(repr(data[:200]))
    whole = end + 4 + int(data[at + len(_LENGTH) : data.index(b"\r", at)])
    if len(data) < whole:
        return None
    if len(data) > whole:
        raise NotAnAnswer(repr(data[whole : whole + 200]))
    return data[9:12], data[end + 4 :], data.find(_REPLAYED, 0, end) > 0


def payment_id(answered: bytes) -> str | None:
    """The payment that a body speaks of."""
    at = answered.find(_ID)
    if at < 0:
        return None
    at += len(_ID)
    return answered[at : at + _ID_LENGTH].decode("ascii", "replace")


def _sender(path: str, token: str) -> Sender:
    return Sender(
        b"POST %b HTTP/1.1\r\nhost: %b\r\nauthorization: Bearer %b\r\ncontent-type: application/json\r\n"
        % (path.encode(), _HOST, token.encode())
    )
