"""Incoming webhooks: signed by the scheme's own library, judged by the deed's instant."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from infra.http.webhooks import WebhookStale, WebhookUnsigned, verify

NOW = datetime(2026, 4, 6, 3, 0, 0, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
BODY = json.dumps({"type": "checkout.paid", "名": "星"}, ensure_ascii=False).encode()


def signed(body: bytes = BODY, at: datetime = NOW, secret: str = SECRET, name: str = "msg_1") -> dict[str, str]:
    signature = Webhook(secret).sign(name, at, body.decode())
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": signature,
    }


def test_a_message_signed_by_the_library_is_heard() -> None:
    assert verify(SECRET, signed(), BODY, NOW) == "msg_1"


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_either_way_are_allowed(seconds: int) -> None:
    assert verify(SECRET, signed(at=NOW + timedelta(seconds=seconds)), BODY, NOW)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_more_is_stale(seconds: int) -> None:
    with pytest.raises(WebhookStale) as refused:
        verify(SECRET, signed(at=NOW + timedelta(seconds=seconds)), BODY, NOW)
    assert refused.value.params == {"age_seconds": -seconds}


def test_one_right_signature_among_several_is_enough() -> None:
    headers = signed()
    headers["webhook-signature"] = f"v1,AAAA v1a,zzz {headers['webhook-signature']}"
    assert verify(SECRET, headers, BODY, NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": "v1,%%%"},
        {"webhook-signature": "v1," + base64.b64encode(bytes(32)).decode()},
        {"webhook-id": ""},
        {"webhook-id": "msg_2"},
        {"webhook-id": "msg_1.1775444400"},
        {"webhook-id": "名"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "-1"},
        {"webhook-timestamp": "1e9"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "１７７５４４４４００"},
        {"webhook-timestamp": str(int(NOW.timestamp()) + 1)},
    ],
)
def test_anything_else_is_unsigned(change: dict[str, str]) -> None:
    with pytest.raises(WebhookUnsigned):
        verify(SECRET, signed() | change, BODY, NOW)


def test_another_body_version_or_key_is_unsigned() -> None:
    headers = signed()
    another = "whsec_" + base64.b64encode(bytes(32)).decode()
    unknown_version = headers | {"webhook-signature": headers["webhook-signature"].replace("v1,", "v2,")}
    for secret, given, body in (
        (SECRET, headers, BODY + b" "),
        (SECRET, unknown_version, BODY),
        (another, headers, BODY),
        (SECRET, {}, BODY),
    ):
        with pytest.raises(WebhookUnsigned):
            verify(secret, given, body, NOW)
