"""An authenticator in software, which answers WebAuthn challenges as a real one would: ES256 or EdDSA, no attestation.

Built from the specification (Web Authentication Level 3, sections 6.1, 6.5 and 8.7) with `cryptography` and CBOR,
without the library that judges its answers.
"""

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class SoftAuthenticator:
    """One key, made of `seed`; `counter` grows with each use, unless the authenticator has none (`counts` False).

    `flags` tells whether the person was verified, `origin` and `rp_id` which page it believes to be on.
    """

    seed: bytes
    origin: str = "http://localhost:8000"
    rp_id: str = "localhost"
    algorithm: int = -7
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    counter: int = field(default=0)

    @property
    def credential_id(self) -> bytes:
        return hashlib.sha256(b"credential" + self.seed).digest()

    def create(self, options: dict[str, Any], **client: Any) -> dict[str, Any]:
        """The answer to `navigator.credentials.create`."""
        data = self._client_data("webauthn.create", options["challenge"], client)
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + cbor2.dumps(self._cose())
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(ATTESTED) + attested}
        return self._credential(
            {"clientDataJSON": encoded(data), "attestationObject": encoded(cbor2.dumps(attestation))}
        )

    def get(self, options: dict[str, Any], **client: Any) -> dict[str, Any]:
        """The answer to `navigator.credentials.get`."""
        data = self._client_data("webauthn.get", options["challenge"], client)
        shown = self._data(0)
        signature = self._sign(shown + hashlib.sha256(data).digest())
        parts = {"clientDataJSON": data, "authenticatorData": shown, "signature": signature, "userHandle": b"user"}
        return self._credential({name: encoded(part) for name, part in parts.items()})

    def _client_data(self, kind: str, challenge: str, changes: dict[str, Any]) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False} | changes
        return json.dumps(said).encode()

    def _data(self, more: int) -> bytes:
        self.counter += self.counts
        party = hashlib.sha256(self.rp_id.encode()).digest()
        return party + bytes([self.flags | more]) + self.counter.to_bytes(4)

    def _credential(self, response: dict[str, str]) -> dict[str, Any]:
        name = encoded(self.credential_id)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}

    def _es256(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(hashlib.sha256(self.seed).digest()), ec.SECP256R1())

    def _eddsa(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(hashlib.sha256(self.seed).digest())

    def _cose(self) -> dict[int, Any]:
        if self.algorithm == -7:
            numbers = self._es256().public_key().public_numbers()
            return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        return {1: 1, 3: self.algorithm, -1: 6, -2: self._eddsa().public_key().public_bytes_raw()}

    def _sign(self, message: bytes) -> bytes:
        return self._es256().sign(message, ec.ECDSA(SHA256())) if self.algorithm == -7 else self._eddsa().sign(message)
