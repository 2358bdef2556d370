"""Refresh and reuse, on real commits; each race with a control that shows it."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Select, text

from services.identity.people import AccountKind, Role
from services.identity.refresh_session import Refreshed
from services.identity.session import (
    Carrier,
    RefreshRefused,
    RefreshReused,
    SessionEnded,
    hash_of,
    next_token,
    read_token,
)
from services.identity.tables import sessions as rows
from services.identity.tables import turns
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Refusal
from services.kit.statements import Statement
from tests.identity.entering import SECRET, enter, is_open, open_officer, refresh, row


@pytest.fixture
async def officer(city: Database) -> UUID:
    return await open_officer(city)


async def test_a_token_works_once_and_gives_the_next(city: Database, officer: UUID, clock: SetClock) -> None:
    first = (await enter(city)).session
    clock.advance(timedelta(minutes=10))
    second = await refresh(city, first.refresh_token)
    assert (second.session.id, second.account.id, second.account.roles) == (first.id, officer, (Role.OFFICER,))
    assert second.session.refresh_token != first.refresh_token
    clock.advance(timedelta(minutes=10))
    third = await refresh(city, second.session.refresh_token)
    assert await is_open(city, third.session, officer)
    assert third.session.expires_at == clock.now() + timedelta(hours=1)


async def test_only_hashes_are_kept(city: Database, officer: UUID) -> None:
    opened = (await enter(city)).session
    token, kept = read_token(opened.refresh_token), await row(city, opened.id)
    assert (kept.family_hash, kept.turn_hash) == (hash_of(token.family), hash_of(token.turn))
    for half in (token.family, token.turn):
        assert half not in (kept.family_hash, kept.turn_hash)


async def test_an_old_token_ends_the_whole_session(city: Database, officer: UUID) -> None:
    """A thief has copied the token. Whoever of the two comes second is the one who is noticed."""
    first = (await enter(city)).session
    second = (await refresh(city, first.refresh_token)).session
    other = (await enter(city)).session
    with pytest.raises(RefreshReused):
        await refresh(city, first.refresh_token)
    assert not await is_open(city, second, officer)
    with pytest.raises(SessionEnded):
        await refresh(city, second.refresh_token)
    assert await is_open(city, other, officer), "another sign-in of the account is another family"
    assert (await row(city, first.id)).ended_as == "refresh_reused"
    async with city.begin() as tx:
        found = await tx.connection.execute(
            text("SELECT detail FROM audit_entry WHERE action = 'session.refresh_reused'")
        )
        assert found.scalars().all() == [{"account": str(officer)}]


async def test_the_oldest_token_still_gives_the_thief_away(city: Database, officer: UUID) -> None:
    opened = (await enter(city)).session
    token = opened.refresh_token
    for _ in range(5):
        token = (await refresh(city, token)).session.refresh_token
    with pytest.raises(RefreshReused):
        await refresh(city, opened.refresh_token)
    with pytest.raises(SessionEnded):
        await refresh(city, token)


async def test_a_phone_whose_answer_was_lost_has_it_again(city: Database, officer: UUID, clock: SetClock) -> None:
    first, name = (await enter(city)).session, uuid4()
    lost = (await refresh(city, first.refresh_token, name)).session
    clock.advance(timedelta(minutes=30))
    again = (await refresh(city, first.refresh_token, name)).session
    assert again == lost
    assert await is_open(city, again, officer)
    onward = (await refresh(city, again.refresh_token)).session
    with pytest.raises(RefreshReused):  # and once it has gone on, not even under its name
        await refresh(city, first.refresh_token, name)
    assert not await is_open(city, onward, officer)


async def left_alone(*_: Any) -> None:
    """What the one statement of a plain refresh answers where something is unusual."""


@pytest.mark.parametrize("same_request", [True, False])
@pytest.mark.parametrize("plain", [True, False])
async def test_of_twenty_refreshes_at_once_one_turns(
    city: Database, officer: UUID, same_request: bool, plain: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client's own hurry repeats the one answer; twenty strangers end the session."""
    if not plain:
        monkeypatch.setattr(turns, "turn_at_once", left_alone)
    first, name = (await enter(city)).session, uuid4()
    names = [name if same_request else uuid4() for _ in range(20)]
    answers = await asyncio.gather(
        *(refresh(city, first.refresh_token, each) for each in names), return_exceptions=True
    )
    tokens = {answer.session.refresh_token for answer in answers if isinstance(answer, Refreshed)}
    assert len(tokens) == 1
    if same_request:
        assert all(isinstance(answer, Refreshed) for answer in answers)
        assert await is_open(city, first, officer)
    else:
        refused = [answer for answer in answers if not isinstance(answer, Refreshed)]
        assert len(refused) == 19
        assert {type(answer) for answer in refused} == {RefreshReused, SessionEnded}
        assert not await is_open(city, first, officer)


async def test_without_the_lock_one_token_turns_more_than_once(
    city: Database, officer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the test above."""
    first = (await enter(city)).session
    monkeypatch.setattr(turns, "turn_at_once", left_alone)
    monkeypatch.setattr(Select, "with_for_update", lambda self, **_: self)
    monkeypatch.setattr(rows, "_LOCK", Statement(rows._lock))
    real = rows.lock_session

    async def slow(tx: Tx, session_id: UUID) -> Any:
        found = await real(tx, session_id)
        await asyncio.sleep(0.05)
        return found

    monkeypatch.setattr(rows, "lock_session", slow)
    answers = await asyncio.gather(*(refresh(city, first.refresh_token) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(answer, Refreshed) for answer in answers) > 1


async def test_a_plain_refresh_does_what_the_plain_path_does(
    city: Database, officer: UUID, clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All day long, one by the statement and one without it, until both are over at the same instant."""
    one, other = [(await enter(city)).session for _ in range(2)]
    met, real = [], turns.turn_at_once

    async def counted(*given: Any) -> Any:
        met.append(await real(*given))
        return met[-1]

    for name in (uuid4() for _ in range(14)):
        clock.advance(timedelta(minutes=49))
        monkeypatch.setattr(turns, "turn_at_once", counted)
        by_statement = await refresh(city, one.refresh_token, name)
        monkeypatch.setattr(turns, "turn_at_once", left_alone)
        by_path = await refresh(city, other.refresh_token, name)
        one, other = by_statement.session, by_path.session
        assert met[-1] == (by_statement.account, one.expires_at)
        assert by_statement.account == by_path.account
        rows_now = [await row(city, each.id) for each in (one, other)]
        for each, kept in zip((one, other), rows_now, strict=True):
            assert kept.turn_hash == hash_of(read_token(each.refresh_token).turn)
            assert (kept.refreshed_at, kept.expires_at) == (clock.now(), each.expires_at)
        assert one.expires_at == other.expires_at
    assert len(met) == 14
    assert one.expires_at == (await row(city, one.id)).latest_at, "the last one comes within an hour of the end"


@pytest.mark.parametrize(
    "unusual", ["turn", "family", "kind", "carrier", "ended", "expired", "disabled", "register", "unknown"]
)
async def test_whatever_is_unusual_about_a_refresh_is_left_to_the_plain_path(
    city: Database, officer: UUID, clock: SetClock, migrator_engine: Any, unusual: str
) -> None:
    first = (await enter(city)).session
    opened = (await refresh(city, first.refresh_token)).session
    token, kind, carrier = read_token(opened.refresh_token), AccountKind.CITY, Carrier.BEARER
    changes = {
        "ended": "UPDATE session SET ended_at = :now, ended_as = 'signed_out'",
        "disabled": "UPDATE account SET status = 'disabled'",
        "register": "UPDATE session SET register_id = gen_random_uuid()",
    }
    async with migrator_engine.begin() as connection:
        await connection.execute(text("SET LOCAL session_replication_role = replica"))  # no register is there
        if unusual in changes:
            asked = text(changes[unusual])
            await connection.execute(asked, {"now": clock.now()} if ":now" in changes[unusual] else {})
    match unusual:
        case "turn":
            token = read_token(first.refresh_token)
        case "family":
            token = replace(token, family=bytes(16))
        case "unknown":
            token = replace(token, session_id=uuid4())
        case "kind":
            kind = AccountKind.MERCHANT
        case "carrier":
            carrier = Carrier.COOKIE
        case "expired":
            clock.advance(timedelta(hours=1))
    before, follower = await row(city, opened.id), next_token(SECRET, token, uuid4())
    asked_until = clock.now() + timedelta(hours=1)
    async with city.begin() as tx:
        assert await turns.turn_at_once(tx, kind, carrier, token, follower, asked_until) is None
    assert await row(city, opened.id) == before


async def test_a_token_is_for_its_api_and_its_carrier(city: Database, officer: UUID) -> None:
    opened, in_browser = (await enter(city)).session, (await enter(city, carrier=Carrier.COOKIE)).session
    with pytest.raises(RefreshRefused):
        await refresh(city, opened.refresh_token, kind=AccountKind.MERCHANT)
    with pytest.raises(RefreshRefused):
        await refresh(city, opened.refresh_token, carrier=Carrier.COOKIE)
    with pytest.raises(RefreshRefused):
        await refresh(city, in_browser.refresh_token)
    unknown = replace(read_token(opened.refresh_token), session_id=uuid4())
    with pytest.raises(RefreshRefused):
        await refresh(city, opened.refresh_token, token=unknown)
    foreign = replace(read_token(opened.refresh_token), family=bytes(16))
    with pytest.raises(RefreshRefused):
        await refresh(city, opened.refresh_token, token=foreign)
    assert await is_open(city, opened, officer)


async def test_a_session_ends_by_itself(city: Database, officer: UUID, clock: SetClock) -> None:
    opened = (await enter(city)).session
    clock.advance(timedelta(hours=1) - timedelta(milliseconds=1))
    assert await is_open(city, opened, officer)
    clock.advance(timedelta(milliseconds=1))
    assert not await is_open(city, opened, officer)
    with pytest.raises(SessionEnded):
        await refresh(city, opened.refresh_token)


async def test_refreshing_does_not_go_on_for_ever(city: Database, officer: UUID, clock: SetClock) -> None:
    token = (await enter(city)).session.refresh_token
    for _ in range(15):
        clock.advance(timedelta(minutes=50))
        try:
            token = (await refresh(city, token)).session.refresh_token
        except SessionEnded:
            break
    else:
        pytest.fail("twelve hours are over and the session lives")


async def test_every_refusal_of_a_refresh_is_a_401() -> None:
    refusals: tuple[type[Refusal], ...] = (RefreshRefused, RefreshReused, SessionEnded)
    assert {refusal.kind.value for refusal in refusals} == {401}
