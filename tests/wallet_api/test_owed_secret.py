"""A new phone by a one-time code alone looks and pays small sums; with the residency's secret it is added as usual."""

import asyncio
from datetime import date

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.owed_secret import TRIES
from services.kit.changes import ApproveChange, approve
from services.kit.db import Tx
from services.residency.hand_over import carry_out_register, propose_register, register_list
from services.residency.letter import letter_code
from services.residency.write_letters import WriteLetters, write_letters
from tests.http_town import WALLET, Client, HttpTown, done, problem, town_keys
from tests.town import APPROVER, OFFICER
from tests.wallet_api.test_new_phone import Scene

REFERENCE = "B001"
REGISTER = f"reference,name,kana,birth_date,postal_code\n{REFERENCE},星野 光,ホシノ ヒカル,1960-07-07,254-0045\n"
WRONG = letter_code(bytes(32), REFERENCE, 1)


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    """Somebody who has proven by the city's letter, and is signed in on the phone that they have had."""
    town = HttpTown(engine)
    await town.programme()
    made = Scene(town, await town.shop())

    async def hand_over(tx: Tx, _: None) -> None:
        proposed = await propose_register(tx, register_list(OFFICER, REGISTER.encode(), tx.now))
        change = await approve(tx, ApproveChange(proposed.change_id, proposed.fingerprint, APPROVER))
        await carry_out_register(tx, change)
        await write_letters(tx, WriteLetters(OFFICER, town_keys().code_key))

    await town.do(hand_over, None)
    return made


def letter(issue: int = 1) -> str:
    return letter_code(town_keys().code_key, REFERENCE, issue)


async def proven(scene: Scene) -> Client:
    client, _ = await scene.sign_in()
    body = {"name": "星野 光", "birth_date": date(1960, 7, 7).isoformat(), "code": letter()}
    assert done(await client.post(f"/wallets/{scene.wallet}/residency/letter", json=body))["status"] == "proven"
    return client


async def adds(scene: Scene, client: Client) -> list[int]:
    """What is answered to whoever adds a phone, a passkey and a printed code."""
    phone = {"name": "phone", "public_jwk": {"kty": "EC", "crv": "P-256", "x": "x", "y": "y"}}
    asked = [
        await client.command(f"/wallets/{scene.wallet}/devices", phone),
        await client.command("/passkeys/challenge"),
        await client.command(f"/wallets/{scene.wallet}/block-code", {}),
    ]
    for answer in asked:
        if answer.status_code == 403:
            problem(answer, 403, "secret_owed")
    return [answer.status_code for answer in asked]


async def show(client: Client, code: str) -> int:
    return (await client.post("/sessions/secret", json={"code": code})).status_code


async def test_a_one_time_code_alone_adds_nothing_and_with_the_letters_code_it_is_as_usual(scene: Scene) -> None:
    old = await proven(scene)
    await scene.buy(old)
    thief, _ = await scene.sign_in()
    assert await adds(scene, thief) == [403] * 3
    done(await thief.get(f"/wallets/{scene.wallet}"))
    assert await show(thief, letter().lower()) == 200
    phone = await scene.register(thief)
    assert not await scene.by_pay_code(phone, 10_001), "the first day's limit stays"
    await scene.register(old)
    await scene.town.must_prove()


async def test_a_letters_code_works_once_and_the_printed_one_does_as_well(scene: Scene) -> None:
    old = await proven(scene)
    printed = done(await old.command(f"/wallets/{scene.wallet}/block-code", {}), 201)["code"]
    first, _ = await scene.sign_in()
    assert await show(first, letter()) == 200
    second, _ = await scene.sign_in()
    assert await show(second, letter()) == 401
    assert await adds(scene, second) == [403] * 3
    assert await show(second, printed) == 200
    await scene.register(second)
    lost = await scene.town.client(WALLET).post("/lost-phone", json={"code": printed})
    problem(lost, 401, "block_code_refused")


async def test_wrong_codes_cost_their_own_sign_in_and_nobody_elses(scene: Scene) -> None:
    """Thirty at once: five are compared. The owner's own sign-in has tries of its own."""
    await proven(scene)
    thief, _ = await scene.sign_in()
    codes = await asyncio.gather(*(show(thief, WRONG) for _ in range(30)))
    heard = [code for code in codes if code not in {503, 409}]
    assert heard.count(401) == TRIES
    assert set(heard) == {401, 403}
    problem(await thief.post("/sessions/secret", json={"code": letter()}), 403, "secret_exhausted")
    owner, _ = await scene.sign_in()
    assert await show(owner, letter()) == 200


async def test_a_sign_in_that_owes_vouches_for_none_that_owes_nothing(scene: Scene) -> None:
    """Whoever signs in again with the token of such a session, or refreshes it, owes as before."""
    await proven(scene)
    thief, token = await scene.sign_in()
    again, _ = await scene.sign_in(earlier_refresh_token=token)
    for client in (thief, again):
        assert await adds(scene, client) == [403] * 3


async def test_who_was_here_before_or_has_no_secret_owes_nothing(scene: Scene) -> None:
    first, token = await scene.sign_in()
    second, _ = await scene.sign_in()
    await scene.register(second)
    assert await adds(scene, first) == [422, 201, 201], "the printed code is a secret from now on"
    third, _ = await scene.sign_in()
    assert await adds(scene, third) == [403] * 3
    known, _ = await scene.sign_in(earlier_refresh_token=token)
    await scene.register(known)
    assert await show(known, "nothing is owed") == 200


async def test_somebody_elses_secret_is_none(scene: Scene) -> None:
    await proven(scene)
    other = await scene.town.resident()
    theirs = scene.town.as_resident(other)
    printed = done(await theirs.command(f"/wallets/{other.wallet.id}/block-code", {}), 201)["code"]
    thief, _ = await scene.sign_in()
    assert await show(thief, printed) == 401
