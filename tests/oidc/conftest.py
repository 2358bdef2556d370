"""A real OpenID provider (npm oidc-provider, on Node) on loopback, and a browser that signs people in there."""

import json
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

from infra.ports.digital_id import DigitalId, ServiceSettings

HERE = Path(__file__).parent
BACK = "https://wallet.example.jp/residency"
PEOPLE = {
    "hikaru": {"name": "星野 光", "birthdate": "19600707", "gender": "1", "address": "神奈川県平塚市見附台1-1"},
    "hikaru-again": {"name": "星野　光", "birthdate": "19600707", "address": "神奈川県平塚市見附台1-1"},
    "elsewhere": {"name": "月野 花", "birthdate": "19700101", "address": "東京都平塚市場町1-1"},
    "parts": {
        "name": "月野 花",
        "birthdate": "1970-01-01",
        "address": {"formatted": "神奈川県 平塚市浅間町9-1", "postal_code": "254-8686"},
    },
}


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def _jwk(key: Any, kid: str) -> dict[str, Any]:
    public: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key))
    return public | {"kid": kid, "alg": "ES256", "use": "sig"}


@dataclass(frozen=True)
class Provider:
    """The running provider: two clients of it, ours and another's."""

    issuer: str
    client_key_pem: str

    def settings(self, client_id: str = "tanabata") -> ServiceSettings:
        return ServiceSettings(self.issuer, client_id, self.client_key_pem, BACK, "神奈川県平塚市")


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    """Ends with the session, whatever happens to the tests."""
    client_key, provider_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    clients = [
        {
            "client_id": name,
            "redirect_uris": [BACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "id_token_signed_response_alg": "ES256",
            "jwks": {"keys": [_jwk(client_key.public_key(), "client")]},
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
        }
        for name in ("tanabata", "another-city")
    ]
    settings = {
        "clients": clients,
        "people": PEOPLE,
        "jwks": {"keys": [_jwk(provider_key, "provider")]},
        "modules": str(Path(sys.prefix) / "oidc"),
    }
    process = subprocess.Popen(
        ["node", "--no-warnings", str(HERE / "provider.mjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    if process.stdin is None or process.stdout is None or process.stderr is None:
        raise AssertionError("the provider has its three pipes")
    try:
        process.stdin.write(json.dumps(settings))
        process.stdin.close()
        port = process.stdout.readline().strip()
        if re.fullmatch(r"[0-9]+", port) is None:
            raise AssertionError(f"no provider: run .ci/packages ({process.stderr.read()[-2000:]})")
        yield Provider(f"http://127.0.0.1:{port}", pem(client_key))
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
async def service(provider: Provider) -> AsyncIterator[DigitalId]:
    made = DigitalId(provider.settings())
    yield made
    await made.close()


async def signed_in(url: str, who: str) -> dict[str, str]:
    """What the provider sends a browser back with, once `who` has signed in there: `code` and `state`, or `error`."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.get(f"{url}&login_hint={who}")
        for _ in range(20):
            place = answer.headers.get("location")
            if place is None or place.startswith(BACK):
                break
            answer = await browser.get(str(answer.url.join(place)))
        place = answer.headers.get("location")
        if place is None:
            raise AssertionError(f"{answer.status_code}: {answer.text[:500]}")
        return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
