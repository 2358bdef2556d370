"""Passkeys over HTTP, with a software authenticator: sign in, second factor, and everything that is refused."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.hashing import hash_new_password
from services.identity.passkeys import LIFETIME, RelyingParty
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.staff import OpenCityAccount, open_city_account
from tests.authenticator import PRESENT, SoftAuthenticator, decoded, encoded
from tests.http_town import CITY, WALLET, Client, HttpTown, done, problem
from tests.town import Resident

EMAIL, PASSWORD = "sato@city.example.jp", "tsuki-to-hoshi-88"
ES256, EDDSA = -7, -8


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


@pytest.fixture
async def resident(town: HttpTown) -> Resident:
    return await town.resident()


async def add(client: Client, key: SoftAuthenticator, **changes: Any) -> httpx.Response:
    asked = done(await client.command("/passkeys/challenge"), 201)
    body = {"challenge_id": asked["challenge_id"], "name": "窓辺", "credential": key.create(asked["options"])}
    return await client.command("/passkeys", body | changes)


async def challenge(town: HttpTown) -> dict[str, Any]:
    return done(await town.client(WALLET).post("/sign-in/passkey/challenge"))


async def show(town: HttpTown, asked: dict[str, Any], credential: dict[str, Any]) -> httpx.Response:
    body = {"challenge_id": asked["challenge_id"], "credential": credential}
    return await town.client(WALLET).post("/sign-in/passkey", json=body)


async def sign_in(town: HttpTown, key: SoftAuthenticator) -> httpx.Response:
    asked = await challenge(town)
    return await show(town, asked, key.get(asked["options"]))


def told(town: HttpTown, address: str) -> list[str]:
    return [message.text for message in town.built.outbox.messages() if message.phone == address]


@pytest.mark.parametrize("algorithm", [ES256, EDDSA])
async def test_a_resident_adds_a_passkey_and_signs_in_with_it(
    town: HttpTown, resident: Resident, algorithm: int
) -> None:
    key = SoftAuthenticator(b"one", algorithm=algorithm)
    made = done(await add(town.as_resident(resident), key), 201)
    entered = done(await sign_in(town, key))
    assert entered["account_id"] == str(resident.account_id)
    assert [each["id"] for each in entered["wallets"]] == [str(resident.wallet.id)]
    client = town.client(WALLET, entered["access_token"])
    [shown] = done(await client.get("/passkeys"))["passkeys"]
    assert (shown["id"], shown["name"], shown["used_at"] is not None) == (made["id"], "窓辺", True)
    done(await sign_in(town, key))


async def test_an_authenticator_without_a_counter_signs_in_again_and_again(town: HttpTown, resident: Resident) -> None:
    key = SoftAuthenticator(b"one", counts=False)
    done(await add(town.as_resident(resident), key), 201)
    for _ in range(3):
        done(await sign_in(town, key))


async def test_a_cloned_counter_refuses_revokes_ends_the_sessions_and_is_told(
    town: HttpTown, resident: Resident
) -> None:
    key = SoftAuthenticator(b"one")
    client = town.as_resident(resident)
    done(await add(client, key), 201)
    copy = replace(key)
    done(await sign_in(town, key))
    problem(await sign_in(town, copy), 401, "passkey_cloned")
    problem(await sign_in(town, key), 401, "passkey_refused")
    problem(await client.get("/passkeys"), 401, "session_ended")
    async with town.database.begin() as tx:
        phone = (await tx.connection.exec_driver_sql("SELECT phone FROM account WHERE kind = 'resident'")).scalar_one()
    assert "複製" in told(town, phone)[0]


async def test_the_owner_is_told_of_a_passkey_that_comes_or_goes_once(town: HttpTown, resident: Resident) -> None:
    client, key = town.as_resident(resident), town.new_key()
    asked = done(await client.command("/passkeys/challenge"), 201)
    body = {"challenge_id": asked["challenge_id"], "name": "窓辺"}
    body["credential"] = SoftAuthenticator(b"one").create(asked["options"])
    made = [done(await client.command("/passkeys", body, key=key), 201) for _ in range(2)]
    assert made[0] == made[1]
    assert len(town.built.outbox.messages()) == 1
    assert done(await client.command(f"/passkeys/{made[0]['id']}/removal")) == {"removed": True}
    assert "削除" in town.built.outbox.messages()[0].text
    problem(await client.command(f"/passkeys/{made[0]['id']}/removal"), 404, "not_found")


async def test_a_removed_passkey_and_an_unknown_one_are_not_told_apart(town: HttpTown, resident: Resident) -> None:
    client, key = town.as_resident(resident), SoftAuthenticator(b"one")
    made = done(await add(client, key), 201)
    done(await client.command(f"/passkeys/{made['id']}/removal"))
    answers = [await sign_in(town, each) for each in (key, SoftAuthenticator(b"unknown"))]
    texts = [{name: text for name, text in each.json().items() if name != "instance"} for each in answers]
    problem(answers[0], 401, "passkey_refused")
    assert texts[0] == texts[1]


async def test_a_challenge_is_used_once_and_not_for_long(town: HttpTown, resident: Resident) -> None:
    key = SoftAuthenticator(b"one")
    done(await add(town.as_resident(resident), key), 201)
    asked = await challenge(town)
    answer = key.get(asked["options"])
    done(await show(town, asked, answer))
    problem(await show(town, asked, answer), 401, "passkey_refused")
    problem(await show(town, asked, key.get(asked["options"])), 401, "passkey_refused")
    old = await challenge(town)
    town.wait(seconds=LIFETIME.total_seconds())
    problem(await show(town, old, key.get(old["options"])), 401, "passkey_refused")
    other, fresh = await challenge(town), await challenge(town)
    problem(await show(town, fresh, key.get(other["options"])), 401, "passkey_refused")


async def test_of_ten_answers_to_one_challenge_at_once_one_enters(town: HttpTown, resident: Resident) -> None:
    key = SoftAuthenticator(b"one", counts=False)
    done(await add(town.as_resident(resident), key), 201)
    asked = await challenge(town)
    answer = key.get(asked["options"])
    answers = await asyncio.gather(*(show(town, asked, answer) for _ in range(10)))
    assert sorted(each.status_code for each in answers) == [200] + [401] * 9


WRONG: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("another origin", {"origin": "https://tanabata.example.evil"}, {}),
    ("another party", {"rp_id": "evil.example"}, {}),
    ("nobody verified", {"flags": PRESENT}, {}),
    ("nobody there", {"flags": 0}, {}),
    ("another ceremony", {}, {"type": "webauthn.create"}),
    ("another key", {"seed": b"two"}, {}),
]


@pytest.mark.parametrize(("what", "changes", "client"), WRONG, ids=[each[0] for each in WRONG])
async def test_a_wrong_answer_is_refused(
    town: HttpTown, resident: Resident, what: str, changes: dict[str, Any], client: dict[str, Any]
) -> None:
    key = SoftAuthenticator(b"one")
    done(await add(town.as_resident(resident), key), 201)
    asked = await challenge(town)
    answer = replace(key, **changes).get(asked["options"], **client)
    answer |= {"id": encoded(key.credential_id), "rawId": encoded(key.credential_id)}
    problem(await show(town, asked, answer), 401, "passkey_refused")
    done(await sign_in(town, key))


@pytest.mark.parametrize("part", ["clientDataJSON", "authenticatorData", "signature"])
async def test_an_altered_answer_is_refused(town: HttpTown, resident: Resident, part: str) -> None:
    key = SoftAuthenticator(b"one")
    done(await add(town.as_resident(resident), key), 201)
    for junk in ("AA", "____", "x" * 1_000):
        asked = await challenge(town)
        answer = key.get(asked["options"])
        answer["response"][part] = junk
        problem(await show(town, asked, answer), 401, "passkey_refused")
    asked = await challenge(town)
    answer = key.get(asked["options"])
    content = bytearray(decoded(answer["response"][part]))
    content[-1] ^= 1
    answer["response"][part] = encoded(bytes(content))
    problem(await show(town, asked, answer), 401, "passkey_refused")


@pytest.mark.parametrize(
    "changes",
    [{"origin": "http://localhost:9000"}, {"rp_id": "example.jp"}, {"flags": PRESENT}, {"algorithm": -257}],
    ids=["origin", "party", "unverified", "algorithm"],
)
async def test_a_wrong_registration_is_refused(town: HttpTown, resident: Resident, changes: dict[str, Any]) -> None:
    client = town.as_resident(resident)
    problem(await add(client, SoftAuthenticator(b"one", **changes)), 422, "passkey_invalid")
    assert done(await client.get("/passkeys")) == {"passkeys": []}


async def test_a_challenge_is_its_owners_and_a_key_is_registered_once(town: HttpTown, resident: Resident) -> None:
    other, key = town.as_resident(await town.resident()), SoftAuthenticator(b"one")
    mine = town.as_resident(resident)
    asked = done(await mine.command("/passkeys/challenge"), 201)
    body = {"challenge_id": asked["challenge_id"], "name": "x", "credential": key.create(asked["options"])}
    problem(await other.command("/passkeys", body), 422, "passkey_invalid")
    problem(await mine.command("/passkeys", body | {"challenge_id": str(uuid4())}), 422, "passkey_invalid")
    done(await mine.command("/passkeys", body), 201)
    problem(await mine.command("/passkeys", body), 422, "passkey_invalid")
    problem(await add(other, key), 409, "passkey_known")


async def officer(town: HttpTown) -> Client:
    secret = await hash_new_password(EMAIL, PASSWORD, CHEAPEST, town.entropy)
    await town.do(open_city_account, OpenCityAccount(None, EMAIL, "佐藤", secret, (Role.OFFICER,)))
    entered = done(await town.client(CITY).post("/sign-in", json={"email": EMAIL, "password": PASSWORD}))
    return town.client(CITY, entered["access_token"])


async def begin(town: HttpTown) -> dict[str, Any]:
    client = town.client(CITY, shows_factor=False)
    return done(await client.post("/sign-in", json={"email": EMAIL, "password": PASSWORD}))


async def test_an_officers_passkey_is_a_second_factor_for_its_own_attempt(town: HttpTown, resident: Resident) -> None:
    key, theirs = SoftAuthenticator(b"one"), SoftAuthenticator(b"resident")
    done(await add(await officer(town), key), 201)
    done(await add(town.as_resident(resident), theirs), 201)
    assert "追加" in told(town, EMAIL)[0]
    attempt, other = await begin(town), await begin(town)
    assert attempt["ways"] == ["totp", "recovery_code", "passkey"]
    public = town.client(CITY)

    async def ask(which: dict[str, Any]) -> dict[str, Any]:
        path = "/sign-in/second-factor/passkey/challenge"
        return done(await public.post(path, json={"attempt_id": which["attempt_id"]}))

    async def answer(which: dict[str, Any], asked: dict[str, Any], by: SoftAuthenticator) -> httpx.Response:
        body = {"attempt_id": which["attempt_id"], "challenge_id": asked["challenge_id"]}
        body["credential"] = by.get(asked["options"])
        return await public.post("/sign-in/second-factor/passkey", json=body)

    asked = await ask(attempt)
    assert [each["id"] for each in asked["options"]["allowCredentials"]] == [encoded(key.credential_id)]
    problem(await answer(other, asked, key), 401, "passkey_refused")
    problem(await answer(attempt, await ask(attempt), theirs), 401, "passkey_refused")
    entered = done(await answer(attempt, await ask(attempt), key))
    assert entered["roles"] == ["officer"]
    done(await town.client(CITY, entered["access_token"]).get("/programmes"))
    problem(
        await public.post("/sign-in/second-factor/passkey/challenge", json={"attempt_id": attempt["attempt_id"]}),
        401,
        "attempt_expired",
    )
    problem(await sign_in(town, key), 401, "passkey_refused")


def test_the_relying_party_is_the_public_address() -> None:
    assert RelyingParty.at("https://pay.city.example.jp") == RelyingParty(
        "pay.city.example.jp", "https://pay.city.example.jp"
    )
    assert RelyingParty.at("https://pay.city.example.jp:443").origin == "https://pay.city.example.jp"
    assert RelyingParty.at("http://localhost:8000") == RelyingParty("localhost", "http://localhost:8000")
