"""The government's sign-in service over OpenID Connect: the real twin of `services.residency.sign_in_service`.

Law: authorisation code with PKCE (S256), state and nonce; we authenticate by a signed assertion (private_key_jwt,
ES256), never by a shared secret. An id token is believed only with the algorithm that we expect, a key that the
service publishes, our client as its one audience, and this attempt's nonce; its times are judged by our own clock.
What is said of the person is asked at the service itself, for the very subject of the id token. All of it goes to
the service's own origin or nowhere (`infra.ports.outgoing`).
"""

import logging
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import jwt
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from infra.ports.outgoing import OutgoingRefused, outgoing
from services.residency.sign_in_service import Identity, Secrets, SignInServiceRefused, SignInServiceSilent

ALGORITHM = "ES256"
LEEWAY_S = 30
ASSERTION_S = 60
SCOPE = "openid name address birthdate gender"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint")
_REQUIRED = ["iss", "sub", "aud", "exp", "iat", "nonce"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServiceSettings:
    """`issuer` as the service writes it; `client_key_pem` is an EC P-256 key whose public half it knows.

    `city` is how addresses of this city begin, such as 神奈川県平塚市. `redirect_uri` is where people come back.
    """

    issuer: str
    client_id: str
    client_key_pem: str = field(repr=False)
    redirect_uri: str
    city: str


class DigitalId:
    """Implements `SignInService`. To be closed."""

    def __init__(self, settings: ServiceSettings, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._http = outgoing([settings.issuer], transport=transport)
        self._known: dict[str, Any] | None = None

    async def close(self) -> None:
        await self._http.aclose()

    async def address(self, secrets: Secrets) -> str:
        endpoint = (await self._endpoints())["authorization_endpoint"]
        asked = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": self._settings.redirect_uri,
            "scope": SCOPE,
            "state": secrets.state,
            "nonce": secrets.nonce,
            "code_challenge": create_s256_code_challenge(secrets.verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}?{urlencode(asked)}"

    async def identify(self, code: str, secrets: Secrets, now: datetime) -> Identity:
        endpoints = await self._endpoints()
        asked = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._settings.redirect_uri,
            "code_verifier": secrets.verifier,
            "client_id": self._settings.client_id,
            "client_assertion_type": _ASSERTION,
            "client_assertion": self._assertion(now),
        }
        tokens = await self._json("POST", endpoints["token_endpoint"], data=asked)
        keys = await self._json("GET", endpoints["jwks_uri"])
        subject = self._subject(tokens.get("id_token"), keys, secrets.nonce, now)
        bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
        said = await self._json("GET", endpoints["userinfo_endpoint"], headers=bearer)
        if said.get("sub") != subject:
            raise SignInServiceRefused
        return _identity(subject, said)

    def is_ours(self, address: str) -> bool:
        return _plain(address).startswith(_plain(self._settings.city))

    async def _endpoints(self) -> dict[str, Any]:
        """The service's own description, which must be of the issuer that we were told of."""
        if self._known is not None:
            return self._known
        issuer = self._settings.issuer
        found = await self._json("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer or not all(isinstance(found.get(each), str) for each in _ENDPOINTS):
            raise SignInServiceRefused
        self._known = found
        return found

    def _assertion(self, now: datetime) -> str:
        issued = int(now.timestamp())
        client = self._settings.client_id
        said = {"iss": client, "sub": client, "aud": self._settings.issuer, "jti": str(uuid4())}
        times = {"iat": issued, "exp": issued + ASSERTION_S}
        return jwt.encode(said | times, self._settings.client_key_pem, ALGORITHM)

    def _subject(self, token: object, keys: dict[str, Any], nonce: str, now: datetime) -> str:
        """Whom an id token is about. Raises SignInServiceRefused for one that is not ours, or not this attempt's."""
        try:
            header = jwt.get_unverified_header(str(token))
            found = [each for each in keys.get("keys", []) if each.get("kid") == header.get("kid")]
            if header.get("alg") != ALGORITHM or len(found) != 1:
                raise SignInServiceRefused
            options: Any = {"require": _REQUIRED, "strict_aud": True, "verify_exp": False, "verify_iat": False}
            said = jwt.decode(
                str(token),
                jwt.PyJWK(found[0], ALGORITHM),
                algorithms=[ALGORITHM],
                audience=self._settings.client_id,
                issuer=self._settings.issuer,
                options=options | {"verify_nbf": False},
            )
        except (jwt.PyJWTError, AttributeError, TypeError) as error:
            log.warning("an id token was refused: %s", type(error).__name__)
            raise SignInServiceRefused from error
        at, subject = now.timestamp(), said["sub"]
        lives = said["iat"] - LEEWAY_S <= at < said["exp"] + LEEWAY_S
        if not lives or said["nonce"] != nonce or not isinstance(subject, str) or not 1 <= len(subject) <= 255:
            raise SignInServiceRefused
        return subject

    async def _json(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """The JSON object that the service answers. Raises SignInServiceRefused and SignInServiceSilent."""
        try:
            answer = await self._http.request(method, url, **options)
        except (httpx.TransportError, OutgoingRefused) as error:
            log.warning("the sign-in service was not reached: %s", type(error).__name__)
            raise SignInServiceSilent(retry_after_seconds=30) from error
        if answer.status_code >= 500:
            raise SignInServiceSilent(retry_after_seconds=30)
        if answer.status_code != 200:
            raise SignInServiceRefused
        try:
            said = answer.json()
        except ValueError as error:
            raise SignInServiceRefused from error
        if not isinstance(said, dict):
            raise SignInServiceRefused
        return said


def _identity(subject: str, said: dict[str, Any]) -> Identity:
    """Name, birth date and address; an address is a text, or an object with its parts."""
    place = said.get("address")
    parts: dict[str, Any] = place if isinstance(place, dict) else {"formatted": place}
    address, postal_code = parts.get("formatted"), parts.get("postal_code")
    name, born = said.get("name"), said.get("birthdate")
    texts = (name, born, address)
    if not all(isinstance(text, str) and 0 < len(text) <= 300 for text in texts):
        raise SignInServiceRefused
    return Identity(subject, str(name), str(born), str(address), None if postal_code is None else str(postal_code))


def _plain(address: str) -> str:
    return "".join(unicodedata.normalize("NFKC", address).split())
