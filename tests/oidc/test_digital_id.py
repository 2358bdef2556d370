"""Signing in at a real provider: what comes back is believed only if it is this client's, this attempt's, once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from infra.ports.digital_id import DigitalId, ServiceSettings
from infra.ports.outgoing import OutgoingRefused
from services.residency.sign_in_service import (
    Identity,
    Secrets,
    SignInServiceRefused,
    SignInServiceSilent,
    secrets_of,
)
from tests.oidc.conftest import Provider, pem, signed_in

KEY = bytes(range(32))
MINE = secrets_of(KEY, UUID(int=1))
OTHER = secrets_of(KEY, UUID(int=2))


def now() -> datetime:
    return datetime.now(UTC)


class Between(httpx.AsyncBaseTransport):
    """Somebody between us and the provider, who puts another id token or key set into an answer."""

    def __init__(self, exchanged: dict[str, Any]) -> None:
        self._inner = httpx.AsyncHTTPTransport()
        self._exchanged = exchanged

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if request.url.path != "/token":
            return answer
        said = json.loads(await answer.aread()) | self._exchanged
        return httpx.Response(answer.status_code, json=said)

    async def aclose(self) -> None:
        await self._inner.aclose()


async def code_for(service: DigitalId, who: str, secrets: Secrets = MINE) -> str:
    return (await signed_in(await service.address(secrets), who))["code"]


async def with_parameters(service: DigitalId, **changes: str | None) -> str:
    """The address that we would send somebody to, with parameters changed or left out."""
    parts = urlsplit(await service.address(MINE))
    asked = dict(parse_qsl(parts.query)) | changes
    left = {name: value for name, value in asked.items() if value is not None}
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{urlencode(left)}"


async def test_the_service_says_who_somebody_is_and_the_state_comes_back(service: DigitalId) -> None:
    back = await signed_in(await service.address(MINE), "hikaru")
    assert back["state"] == MINE.state
    found = await service.identify(back["code"], MINE, now())
    assert found == Identity("hikaru", "星野 光", "19600707", "神奈川県平塚市見附台1-1", None)
    assert service.is_ours(found.address)


async def test_an_address_may_come_in_parts(service: DigitalId) -> None:
    found = await service.identify(await code_for(service, "parts"), MINE, now())
    assert found.postal_code == "254-8686"
    assert service.is_ours(found.address)
    assert not service.is_ours("東京都平塚市場町1-1")


async def test_a_code_works_once(service: DigitalId) -> None:
    code = await code_for(service, "hikaru")
    await service.identify(code, MINE, now())
    with pytest.raises(SignInServiceRefused):
        await service.identify(code, MINE, now())


async def test_a_code_of_another_attempt_is_refused_for_want_of_its_verifier(service: DigitalId) -> None:
    code = await code_for(service, "hikaru")
    with pytest.raises(SignInServiceRefused):
        await service.identify(code, OTHER, now())


@pytest.mark.parametrize(
    "changes", [{"code_challenge": None, "code_challenge_method": None}, {"code_challenge_method": "plain"}]
)
async def test_the_provider_sends_nobody_back_with_a_code_without_pkce(
    service: DigitalId, changes: dict[str, str | None]
) -> None:
    back = await signed_in(await with_parameters(service, **changes), "hikaru")
    assert back["error"] == "invalid_request"
    assert "code" not in back


async def test_an_id_token_with_another_nonce_is_refused(service: DigitalId) -> None:
    back = await signed_in(await with_parameters(service, nonce=OTHER.nonce), "hikaru")
    with pytest.raises(SignInServiceRefused):
        await service.identify(back["code"], MINE, now())


async def other_token(provider: Provider, client_id: str) -> str:
    """A living id token of the same nonce that the provider issued to a client."""
    heard: list[str] = []

    class Listening(Between):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await super().handle_async_request(request)
            if request.url.path == "/token":
                heard.append(answer.json()["id_token"])
            return answer

    other = DigitalId(provider.settings(client_id), transport=Listening({}))
    await other.identify(await code_for(other, "hikaru"), MINE, now())
    await other.close()
    return heard[0]


async def test_an_id_token_for_another_client_is_refused(provider: Provider) -> None:
    token = await other_token(provider, "another-city")
    service = DigitalId(provider.settings(), transport=Between({"id_token": token}))
    with pytest.raises(SignInServiceRefused):
        await service.identify(await code_for(service, "hikaru"), MINE, now())
    await service.close()
    ours = DigitalId(provider.settings(), transport=Between({"id_token": await other_token(provider, "tanabata")}))
    assert (await ours.identify(await code_for(ours, "hikaru"), MINE, now())).subject == "hikaru"
    await ours.close()


@pytest.mark.parametrize("token", ["", "x", None, 5, "eyJhbGciOiJub25lIn0.e30."])
async def test_what_is_no_id_token_is_refused(provider: Provider, token: object) -> None:
    service = DigitalId(provider.settings(), transport=Between({"id_token": token}))
    with pytest.raises(SignInServiceRefused):
        await service.identify(await code_for(service, "hikaru"), MINE, now())
    await service.close()


async def test_the_subject_of_the_id_token_is_whom_the_service_speaks_of(provider: Provider) -> None:
    token = await other_token(provider, "tanabata")
    service = DigitalId(provider.settings(), transport=Between({"id_token": token}))
    with pytest.raises(SignInServiceRefused):
        await service.identify(await code_for(service, "parts"), MINE, now())
    await service.close()


@pytest.mark.parametrize("minutes", [-2, 15])
async def test_an_id_token_of_another_time_is_refused(provider: Provider, minutes: int) -> None:
    """The assertion keeps the true time, or the provider would refuse it before."""

    class Elsewhen(DigitalId):
        def _subject(self, token: object, keys: dict[str, Any], nonce: str, now: datetime) -> str:
            return super()._subject(token, keys, nonce, now + timedelta(minutes=minutes))

    service = Elsewhen(provider.settings())
    with pytest.raises(SignInServiceRefused):
        await service.identify(await code_for(service, "hikaru"), MINE, now())
    await service.close()


async def test_a_client_that_signs_with_another_key_is_nobody(provider: Provider) -> None:
    settings = provider.settings()
    stranger = ServiceSettings(
        settings.issuer, "tanabata", pem(ec.generate_private_key(ec.SECP256R1())), settings.redirect_uri, settings.city
    )
    service = DigitalId(stranger)
    with pytest.raises(SignInServiceRefused):
        await service.identify(await code_for(service, "hikaru"), MINE, now())
    await service.close()


async def test_a_service_that_is_away_is_silent_and_another_issuer_is_refused(provider: Provider) -> None:
    settings = provider.settings()
    away = DigitalId(ServiceSettings("http://127.0.0.1:9", "tanabata", settings.client_key_pem, "x", "x"))
    with pytest.raises(SignInServiceSilent):
        await away.address(MINE)
    await away.close()
    renamed = f"{settings.issuer}/"
    other = DigitalId(ServiceSettings(renamed, "tanabata", settings.client_key_pem, "x", "x"))
    with pytest.raises(SignInServiceRefused):
        await other.address(MINE)
    await other.close()


async def test_nothing_goes_to_another_origin_than_the_issuers(provider: Provider) -> None:
    class Elsewhere(Between):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            answer = await self._inner.handle_async_request(request)
            said = json.loads(await answer.aread()) | {"token_endpoint": "https://elsewhere.example/token"}
            return httpx.Response(200, json=said)

    service = DigitalId(provider.settings(), transport=Elsewhere({}))
    with pytest.raises(SignInServiceSilent) as refused:
        await service.identify("code", MINE, now())
    assert isinstance(refused.value.__cause__, OutgoingRefused)
    await service.close()


def test_the_three_secrets_of_an_attempt_are_its_own() -> None:
    sent = {*vars(MINE).values(), *vars(OTHER).values(), *vars(secrets_of(bytes(32), UUID(int=1))).values()}
    assert len(sent) == 9
    assert all(len(each) == 43 for each in sent)
    assert secrets_of(KEY, UUID(int=1)) == MINE
