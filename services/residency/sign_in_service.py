"""The government's sign-in service (デジタル認証アプリ) as this platform sees it: who somebody is, said once.

Law: what goes out (state, nonce, the PKCE verifier) follows from one attempt and a key that the database does not
know, so nothing of it is stored and nothing can be reused for another attempt. Sources: OpenID Connect Core 1.0;
RFC 7636 (PKCE); RFC 7523 (private_key_jwt); FORMATS.md section 4.
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from services.kit.errors import Kind, Refusal

LIFETIME = timedelta(minutes=10)
"""From the start of an attempt to its result: reading a card with a phone takes a minute."""
MAX_CODE_LENGTH = 2_048


class SignInServiceAbsent(Refusal):
    """This installation is not connected to the government's sign-in service."""

    code = "sign_in_service_absent"
    kind = Kind.MISSING


class SignInServiceRefused(Refusal):
    """The attempt is unknown, over or used, or the service's answer is not one to this attempt."""

    code = "sign_in_service_refused"


class SignInServiceSilent(Refusal):
    """The service does not answer now; a new attempt later helps."""

    code = "sign_in_service_silent"
    kind = Kind.UNAVAILABLE


class LivesElsewhere(Refusal):
    """The address that the service knows is not in this city."""

    code = "lives_elsewhere"
    kind = Kind.FORBIDDEN


@dataclass(frozen=True)
class Secrets:
    """What one attempt sends out; each is fit for a URL."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


@dataclass(frozen=True)
class Identity:
    """What the service says of a person: `subject` is a pseudonym for us alone. Never a 個人番号."""

    subject: str = field(repr=False)
    name: str = field(repr=False)
    birth_date: str = field(repr=False)
    address: str = field(repr=False)
    postal_code: str | None = field(repr=False)


class SignInService(Protocol):
    """The port: implemented by `infra.ports.digital_id`."""

    async def address(self, secrets: Secrets) -> str:
        """Where the person is sent. Raises SignInServiceSilent."""
        ...

    async def identify(self, code: str, secrets: Secrets, now: datetime) -> Identity:
        """Who came back with `code`. Raises SignInServiceRefused and SignInServiceSilent."""
        ...

    def is_ours(self, address: str) -> bool:
        """Whether an address lies in this city."""
        ...


def secrets_of(key: bytes, attempt_id: UUID) -> Secrets:
    """The three secrets of an attempt: 256 bits each, none tells another."""
    return Secrets(*(_secret(key, attempt_id, purpose) for purpose in ("state", "nonce", "verifier")))


def _secret(key: bytes, attempt_id: UUID, purpose: str) -> str:
    drawn = hmac.digest(key, f"sign-in service {purpose}\0".encode() + attempt_id.bytes, "sha256")
    return base64.urlsafe_b64encode(drawn).rstrip(b"=").decode()
