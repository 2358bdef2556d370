"""Care begins by consent and in no other way; what is wrong with a code is answered alike."""

import asyncio
from collections import Counter

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.kit.numbers import make_number
from services.wallets.care import CODE_LENGTH, CODE_LIFE, CODE_PREFIX, MOST_CARED_FOR, MOST_CARERS, TRIES, WINDOW, WORDS
from services.wallets.tables import care as rows
from services.wallets.tables.care import GivenCode
from tests.care.family import CONSENT, begin, code_for, take
from tests.http_town import HttpTown, done, problem

GUESSES = 40


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


async def test_consent_names_the_words_that_were_shown(town: HttpTown) -> None:
    who = await town.resident()
    client = town.as_resident(who)
    shown = done(await client.get("/care/words", headers={"accept-language": "en"}))
    assert shown["version"] == WORDS
    assert "end this at any time" in shown["text"]
    path = f"/wallets/{who.wallet.id}/care-codes"
    problem(await client.command(path, {"carer_name": "娘"}), 422, "invalid_request")
    assert problem(await client.command(path, CONSENT | {"words": "2019-01"}), 409, "care_words_outdated") == {
        "current": WORDS
    }
    problem(await client.command(path, CONSENT | {"last_day": "2020-01-01"}), 422, "care_end_invalid")


async def test_nobody_consents_for_somebody_else_not_even_their_carer(town: HttpTown) -> None:
    mother, daughter, friend = [await town.resident() for _ in range(3)]
    await begin(town, mother, daughter)
    for client in (town.as_resident(daughter), town.as_resident(friend)):
        problem(await client.command(f"/wallets/{mother.wallet.id}/care-codes", CONSENT), 404, "not_found")


async def test_what_was_consented_to_is_written_once(town: HttpTown, migrator_engine: AsyncEngine) -> None:
    mother, daughter = await town.resident(), await town.resident()
    care_id = await begin(town, mother, daughter)
    async with town.database.begin() as tx:
        row = (await tx.connection.execute(text("SELECT * FROM care_consent"))).one()
    assert (str(row.care_id), row.given_by, row.words) == (care_id, mother.account_id, WORDS)
    async with migrator_engine.connect() as connection:
        with pytest.raises(Exception, match="written once"):
            await connection.execute(text("UPDATE care_consent SET words = 'others'"))


async def test_both_see_it_by_the_names_that_they_gave_and_both_are_told(town: HttpTown) -> None:
    mother, daughter = await town.resident(), await town.resident()
    care_id = await begin(town, mother, daughter)
    assert sum("見守りが始まりました" in each.text for each in town.built.outbox.messages()) == 2
    [hers] = done(await town.as_resident(daughter).get("/care"))["cares"]
    assert (hers["id"], hers["side"], hers["name"], hers["wallet_id"]) == (
        care_id,
        "carer",
        "母",
        str(mother.wallet.id),
    )
    [mothers] = done(await town.as_resident(mother).get("/care"))["cares"]
    assert (mothers["id"], mothers["side"], mothers["name"]) == (care_id, "cared_for", "娘の花子")
    assert done(await town.as_resident(await town.resident()).get("/care")) == {"cares": []}


async def test_a_lost_answer_shows_the_same_code_and_takes_the_same_care(town: HttpTown) -> None:
    mother, daughter = await town.resident(), await town.resident()
    client, key = town.as_resident(mother), town.new_key()
    path = f"/wallets/{mother.wallet.id}/care-codes"
    first, again = [done(await client.command(path, CONSENT, key=key), 201)["code"] for _ in range(2)]
    assert first == again
    one, other = [done(await take(town.as_resident(daughter), first, key=key), 201) for _ in range(2)]
    assert one == other


async def test_codes_that_are_over_used_replaced_or_unknown_are_refused_alike(town: HttpTown) -> None:
    """Also one that somebody else has used. A number of another kind is known by its form, without a look."""
    mother, father, daughter, friend = [await town.resident() for _ in range(4)]
    over = await code_for(town.as_resident(father), father)
    town.wait(seconds=CODE_LIFE.total_seconds())
    carer = town.as_resident(daughter)
    replaced = await code_for(town.as_resident(mother), mother)
    used = await code_for(town.as_resident(mother), mother)
    done(await take(town.as_resident(friend), used), 201)
    unknown = make_number(CODE_PREFIX, 7, CODE_LENGTH)
    answers = [(await take(carer, code)) for code in (over, replaced, used, unknown)]
    told = {
        (each.status_code, each.json()["code"], each.json()["detail"], str(each.json()["params"])) for each in answers
    }
    assert {each[:2] for each in told} == {(422, "care_code_refused")}
    assert len(told) == 1
    problem(await take(carer, mother.wallet.number), 422, "number_of_other_kind")


async def test_nothing_of_a_code_is_kept_but_its_mac(town: HttpTown) -> None:
    mother, daughter = await town.resident(), await town.resident()
    code = (await code_for(town.as_resident(mother), mother)).replace("-", "")
    done(await take(town.as_resident(daughter), code), 201)
    async with town.database.begin() as tx:
        query = "SELECT string_agg(t, ' ') FROM (SELECT care_code::text AS t FROM care_code UNION ALL " \
            "SELECT deed::text FROM deed UNION ALL SELECT audit_entry::text FROM audit_entry) x"  # fmt: skip
        assert code not in str((await tx.connection.execute(text(query))).scalar_one())


async def test_nobody_cares_for_themselves_or_twice_for_one(town: HttpTown) -> None:
    mother, daughter = await town.resident(), await town.resident()
    client = town.as_resident(mother)
    code = await code_for(client, mother)
    problem(await take(client, code), 422, "care_of_oneself")
    done(await take(town.as_resident(daughter), code), 201)
    problem(await take(town.as_resident(daughter), await code_for(client, mother)), 409, "care_exists")


async def test_a_carer_of_a_carer_is_no_carer(town: HttpTown) -> None:
    grandmother, mother, daughter = [await town.resident() for _ in range(3)]
    await begin(town, grandmother, mother)
    await begin(town, mother, daughter)
    client = town.as_resident(daughter)
    done(await client.get(f"/wallets/{mother.wallet.id}"))
    problem(await client.get(f"/wallets/{grandmother.wallet.id}"), 404, "not_found")
    assert [each["wallet_id"] for each in done(await client.get("/care"))["cares"]] == [str(mother.wallet.id)]


async def test_one_cares_for_so_many_and_has_so_many_carers_whoever_begins_at_once(town: HttpTown) -> None:
    carer = await town.resident()
    people = [await town.resident() for _ in range(MOST_CARED_FOR + 2)]
    codes = [await code_for(town.as_resident(who), who) for who in people]
    client = town.as_resident(carer)
    answers = await asyncio.gather(*(take(client, code) for code in codes))
    assert Counter(each.status_code for each in answers) == {201: MOST_CARED_FOR, 409: 2}
    refused = next(each for each in answers if each.status_code == 409)
    assert problem(refused, 409, "care_limit_reached") == {"most": MOST_CARED_FOR}
    for who in people[:MOST_CARERS]:
        await begin(town, carer, who)
    code = await code_for(client, carer)
    assert problem(await take(town.as_resident(people[-1]), code), 409, "care_limit_reached") == {"most": MOST_CARERS}


async def looked_up(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many of some guesses at once, from one account, were looked up."""
    seen: list[bytes] = []
    use = rows.use_code

    async def count(tx: Tx, mac: bytes) -> GivenCode | None:
        seen.append(mac)
        return await use(tx, mac)

    monkeypatch.setattr(rows, "use_code", count)
    client = town.as_resident(await town.resident())
    await asyncio.gather(*(take(client, make_number(CODE_PREFIX, n, CODE_LENGTH)) for n in range(GUESSES)))
    return len(seen)


async def test_of_many_guesses_at_once_ten_are_looked_up(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await looked_up(town, monkeypatch) == TRIES
    guesser = await town.resident()
    client = town.as_resident(guesser)
    mother = await town.resident()
    code = await code_for(town.as_resident(mother), mother)
    for _ in range(TRIES):
        problem(await take(client, wrong(code)), 422, "number_mistyped")
    done(await take(client, code), 201)


async def test_without_the_count_more_would_be_looked_up(town: HttpTown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr("services.wallets.care.TRIES", GUESSES)
    assert await looked_up(town, monkeypatch) > TRIES


async def test_who_guessed_too_often_is_heard_again_after_the_window(town: HttpTown) -> None:
    mother, daughter = await town.resident(), await town.resident()
    old = await code_for(town.as_resident(mother), mother)
    code = await code_for(town.as_resident(mother), mother)
    client = town.as_resident(daughter)
    for _ in range(TRIES):
        problem(await take(client, old), 422, "care_code_refused")
    problem(await take(client, code), 429, "care_throttled")
    town.wait(seconds=WINDOW.total_seconds())
    client = town.as_resident(daughter)  # an access token lives for less
    done(await take(client, await code_for(town.as_resident(mother), mother)), 201)


def wrong(code: str) -> str:
    """The same code with a slip of the hand, which costs no try."""
    return code[:-1] + ("7" if code[-1] != "7" else "8")
