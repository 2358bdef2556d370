"""Passkeys (WebAuthn): what an authenticator may be asked for, and what its answer is worth.

Law: a challenge belongs to one attempt and is used once; the origin and the relying party are ours; the person
was verified by the authenticator (a PIN, a finger). A counter that did not grow means two authenticators with
one key: the key is worth nothing from then on. Which of these an answer failed is never told.
Source: W3C Web Authentication Level 3, sections 7.1, 7.2 and 6.1.1 (signature counter).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import webauthn
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.kit.base64url import unbase64url
from services.kit.errors import Kind, Refusal

CHALLENGE_BYTES = 32
LIFETIME = timedelta(minutes=5)
MOST = 20
"""Passkeys of one account."""
ALGORITHMS = [COSEAlgorithmIdentifier.EDDSA, COSEAlgorithmIdentifier.ECDSA_SHA_256]
SERVICE = "Tanabata"


class PasskeyRefused(Refusal):
    """Unknown, revoked, or an answer to something else; which it is, is never told."""

    code = "passkey_refused"
    kind = Kind.UNAUTHENTICATED


class PasskeyCloned(Refusal):
    """The key is in two places: it has been revoked, and its owner told."""

    code = "passkey_cloned"
    kind = Kind.UNAUTHENTICATED


class PasskeyInvalid(Refusal):
    """Not what an authenticator answers to this challenge, or without having verified the person."""

    code = "passkey_invalid"


class PasskeyKnown(Refusal):
    """This authenticator's key is registered already."""

    code = "passkey_known"
    kind = Kind.CONFLICT


class TooManyPasskeys(Refusal):
    """An account has at most `most`; remove one first."""

    code = "too_many_passkeys"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class RelyingParty:
    """Who asks, as authenticators know it: the host name and the origin of the public address."""

    id: str
    origin: str

    @classmethod
    def at(cls, public_url: str) -> "RelyingParty":
        parts = urlsplit(public_url)
        usual = {"http": 80, "https": 443}.get(parts.scheme)
        port = "" if parts.port in {None, usual} else f":{parts.port}"
        return cls(parts.hostname or "", f"{parts.scheme}://{parts.hostname}{port}")


@dataclass(frozen=True)
class NewPasskey:
    """A key that an authenticator made for us; `public_key` is COSE."""

    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner sees it."""

    id: UUID
    name: str
    added_at: datetime
    used_at: datetime | None


def registration_options(
    party: RelyingParty, challenge: bytes, account_id: UUID, label: str, known: Sequence[bytes]
) -> dict[str, Any]:
    """What a page passes to `navigator.credentials.create`, as JSON; `label` is what the authenticator shows."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=SERVICE,
        user_id=account_id.bytes,
        user_name=label,
        challenge=challenge,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        supported_pub_key_algs=ALGORITHMS,
    )
    return _json(options)


def use_options(party: RelyingParty, challenge: bytes, known: Sequence[bytes] = ()) -> dict[str, Any]:
    """What a page passes to `navigator.credentials.get`; without `known` keys the person chooses the account."""
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        allow_credentials=[PublicKeyCredentialDescriptor(id=each) for each in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return _json(options)


def read_registration(party: RelyingParty, challenge: bytes, credential: Mapping[str, Any]) -> NewPasskey:
    """The key in an authenticator's answer. Raises `PasskeyInvalid`."""
    try:
        found = webauthn.verify_registration_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise PasskeyInvalid from error
    return NewPasskey(found.credential_id, found.credential_public_key, found.sign_count)


def read_use(party: RelyingParty, challenge: bytes, public_key: bytes, credential: Mapping[str, Any]) -> int:
    """The counter in an answer that the key has signed. Raises `PasskeyRefused`; the counter is judged later."""
    try:
        found = webauthn.verify_authentication_response(
            credential=dict(credential),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, TypeError, KeyError, IndexError, OverflowError) as error:
        raise PasskeyRefused from error
    return found.new_sign_count


def is_cloned(kept: int, shown: int) -> bool:
    """Whether a counter did not grow; an authenticator without one shows zero for ever."""
    return (kept > 0 or shown > 0) and shown <= kept


def credential_id_of(credential: Mapping[str, Any]) -> bytes:
    """The id that an answer names. Raises `PasskeyRefused`."""
    try:
        return unbase64url(str(credential.get("id", "")))
    except ValueError as error:
        raise PasskeyRefused from error


def _json(options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(webauthn.options_to_json(options))
    return found
