"""Incoming webhooks by the Standard Webhooks scheme: signed, recent, or not heard at all.

Law: nothing in a body is looked at before its signature holds, in constant time, and its
timestamp lies within five minutes of the deed's instant. That a message has no second effect
is kept by the deed that it asks for.
Source: docs/sources.md, "Standard Webhooks". Written here because the library that signs in
the sandbox reads the machine's clock.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import datetime

from services.kit.errors import Kind, Refusal

TOLERANCE_SECONDS = 300
MAX_SIGNATURES = 8
_ID = re.compile(r"[!-~]{1,100}")
_SECONDS = re.compile(r"[0-9]{1,12}")


class WebhookUnsigned(Refusal):
    """No signature of the sender's over exactly this message."""

    code = "webhook_unsigned"
    kind = Kind.UNAUTHENTICATED


class WebhookStale(Refusal):
    """Signed, but `age_seconds` old (negative: from the future)."""

    code = "webhook_stale"
    kind = Kind.UNAUTHENTICATED


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that the holder of `secret` (`whsec_…`) signed within the last minutes.

    Raises WebhookUnsigned or WebhookStale.
    """
    message_id = headers.get("webhook-id", "")
    stamp = headers.get("webhook-timestamp", "")
    if _ID.fullmatch(message_id) is None or "." in message_id or _SECONDS.fullmatch(stamp) is None:
        raise WebhookUnsigned
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    given = headers.get("webhook-signature", "").split(" ")[:MAX_SIGNATURES]
    if not any(hmac.compare_digest(expected, _signature(text)) for text in given):
        raise WebhookUnsigned
    age = int(now.timestamp()) - int(stamp)
    if abs(age) > TOLERANCE_SECONDS:
        raise WebhookStale(age_seconds=age)
    return message_id


def _signature(text: str) -> bytes:
    version, _, encoded = text.partition(",")
    if version != "v1":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
