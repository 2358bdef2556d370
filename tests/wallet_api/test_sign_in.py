"""A resident signs in by a code to the phone; the first time opens the wallet."""

import re
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.http_town import WALLET, Client, HttpTown, done, problem
from tests.identity.test_phones import WAYS

PHONE = "090-1234-5678"


@pytest.fixture
def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


def code_in(town: HttpTown) -> str:
    message = town.built.outbox.latest("+819012345678")
    assert message is not None
    found = re.search(r"\d{6}", message.text)
    assert found is not None
    return found[0]


async def ask(client: Client, phone: Any = PHONE) -> str:
    return str(done(await client.post("/sign-in/codes", json={"phone": phone}), 202)["attempt_id"])


async def test_the_code_on_the_phone_opens_account_and_wallet_once(town: HttpTown) -> None:
    client = town.client(WALLET)
    attempt = await ask(client)
    answer = done(await client.post("/sign-in", json={"attempt_id": attempt, "code": code_in(town)}))
    assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 600)
    mine = town.client(WALLET, answer["access_token"])
    assert done(await mine.get("/wallets"))["wallets"] == [answer["wallets"][0] | {"status": "active"}]

    town.wait(minutes=10)
    attempt = await ask(client, "０９０１２３４５６７８")
    again = done(await client.post("/sign-in", json={"attempt_id": attempt, "code": code_in(town)}))
    assert (again["account_id"], again["wallets"]) == (answer["account_id"], answer["wallets"])


async def test_eighty_ways_to_write_one_number_lead_to_one_account_and_one_wallet(town: HttpTown) -> None:
    """Each is asked for and entered with as if nobody had signed in before; all messages go to the one phone."""
    client, entered = town.client(WALLET), set()
    for way in WAYS:
        guess = {"attempt_id": await ask(client, way), "code": code_in(town)}
        answer = done(await client.post("/sign-in", json=guess))
        entered.add((answer["account_id"], *(each["id"] for each in answer["wallets"])))
        town.wait(minutes=15)
    assert [len(each) for each in entered] == [2]
    assert len(WAYS) > 80
    async with town.database.begin() as tx:
        kept = await tx.connection.execute(text("SELECT count(*), min(phone) FROM account WHERE phone IS NOT NULL"))
    assert tuple(kept.one()) == (1, "+819012345678")


async def test_the_message_comes_in_the_language_that_was_asked_for(town: HttpTown) -> None:
    client = town.client(WALLET)
    for language, word in (("en-GB,en;q=0.9", "Your code is"), ("fr", "確認コードは"), ("ja-simple", "コードは")):
        await client.post("/sign-in/codes", json={"phone": PHONE}, headers={"accept-language": language})
        message = town.built.outbox.messages()[0]
        assert word in message.text
        town.wait(minutes=20)


async def test_a_code_works_once(town: HttpTown) -> None:
    client = town.client(WALLET)
    guess = {"attempt_id": await ask(client), "code": code_in(town)}
    done(await client.post("/sign-in", json=guess))
    problem(await client.post("/sign-in", json=guess), 401, "code_expired")


async def test_five_wrong_guesses_spoil_the_code(town: HttpTown) -> None:
    client = town.client(WALLET)
    attempt, right = await ask(client), code_in(town)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for left in (4, 3, 2, 1, 0):
        answer = await client.post("/sign-in", json={"attempt_id": attempt, "code": wrong})
        assert problem(answer, 401, "code_wrong") == {"tries_left": left}
    answer = await client.post("/sign-in", json={"attempt_id": attempt, "code": right})
    problem(answer, 401, "code_exhausted")


async def test_a_second_code_waits(town: HttpTown) -> None:
    client = town.client(WALLET)
    await ask(client)
    answer = await client.post("/sign-in/codes", json={"phone": PHONE})
    problem(answer, 429, "code_throttled")
    assert answer.headers["retry-after"] == "30"


BAD_PHONES = [
    ({}, "invalid_request"),
    ({"phone": ""}, "invalid_request"),
    ({"phone": 9012345678}, "invalid_request"),
    ({"phone": PHONE, "language": "en"}, "invalid_request"),
    ({"phone": "1" * 41}, "invalid_request"),
    ({"phone": "\u0000"}, "invalid_request"),
    ({"phone": "phone"}, "phone_malformed"),
    ({"phone": "+1 202 555 0143"}, "phone_not_japanese"),
    ({"phone": "0120-123-456"}, "phone_unusable"),
]


async def test_no_code_goes_to_what_is_no_phone(town: HttpTown, subtests: pytest.Subtests) -> None:
    for body, code in BAD_PHONES:
        with subtests.test(body=body, code=code):
            problem(await town.client(WALLET).post("/sign-in/codes", json=body), 422, code)
            assert not town.built.outbox.messages()


BAD_SIGN_INS = [
    ({"attempt_id": "1", "code": "123456"}, 422, "invalid_request"),
    ({"attempt_id": str(UUID(int=1)), "code": 123456}, 422, "invalid_request"),
    ({"attempt_id": str(UUID(int=1)), "code": "12345"}, 422, "code_malformed"),
    ({"attempt_id": str(UUID(int=1)), "code": "123456"}, 401, "code_expired"),
]


async def test_a_bad_sign_in_is_refused(town: HttpTown, subtests: pytest.Subtests) -> None:
    for body, status, code in BAD_SIGN_INS:
        with subtests.test(body=body, status=status, code=code):
            problem(await town.client(WALLET).post("/sign-in", json=body), status, code)
