"""What ends a session, on real commits; each race with a control that shows it."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from services.identity.change_password import NewPassword, change_password, try_password
from services.identity.end_session import EndSession, end_own_sessions, end_session
from services.identity.hashing import hash_new_password
from services.identity.may import require_session
from services.identity.passwords import CHEAPEST, SignInRefused
from services.identity.people import AccountStatus, Role
from services.identity.prove_factor import SignedInTwice
from services.identity.read import open_sessions
from services.identity.session import (
    MOST_OPEN,
    OpenedSession,
    SessionEnded,
)
from services.identity.staff import OpenCityAccount, SetAccountStatus, open_city_account, set_account_status
from services.identity.tables import accounts as account_rows
from services.identity.tables import factors as factor_rows
from services.identity.tables import sessions as rows
from services.kit.clock import SetClock
from services.kit.db import Database, Tx
from services.kit.errors import Forbidden, Missing
from tests.identity.entering import NEW, PASSWORD, enter, is_open, open_officer, refresh, row


@pytest.fixture
async def officer(city: Database) -> UUID:
    return await open_officer(city)


async def test_signing_out_ends_one_or_all_and_nobody_elses(city: Database, officer: UUID) -> None:
    one, two, three = [(await enter(city)).session for _ in range(3)]
    with pytest.raises(Missing):
        await city.transact(end_session, EndSession(uuid4(), one.id))
    await city.transact(end_session, EndSession(officer, one.id))
    with pytest.raises(Missing):
        await city.transact(end_session, EndSession(officer, one.id))
    with pytest.raises(SessionEnded):
        await refresh(city, one.refresh_token)
    async with city.begin() as tx:
        assert {each.id for each in await open_sessions(tx, officer)} == {two.id, three.id}
    assert await city.transact(end_own_sessions, officer) == 2
    assert not await is_open(city, three, officer)


async def test_nobody_comes_in_by_somebody_elses_session(city: Database, officer: UUID) -> None:
    """A token names both; a session that is open does not make up for being another account's."""
    opened = (await enter(city)).session
    secret = await hash_new_password("ito@city.example.jp", PASSWORD, CHEAPEST, city.entropy)
    command = OpenCityAccount(None, "ito@city.example.jp", "伊藤", secret, (Role.OFFICER,))
    other = (await city.transact(open_city_account, command)).account_id
    assert await is_open(city, opened, officer)
    assert not await is_open(city, opened, other)
    assert not await is_open(city, replace(opened, id=uuid4()), officer)


async def test_a_new_password_ends_every_other_session(city: Database, officer: UUID) -> None:
    stolen, mine = (await enter(city)).session, (await enter(city)).session
    asked = await try_password(city, NewPassword(officer, mine.id, PASSWORD, NEW, CHEAPEST))
    await city.transact(change_password, asked)
    assert await is_open(city, mine, officer)
    assert not await is_open(city, stolen, officer)
    assert (await row(city, stolen.id)).ended_as == "password_changed"


async def test_closing_an_account_ends_its_sessions_for_good(city: Database, officer: UUID) -> None:
    opened = (await enter(city)).session
    await city.transact(set_account_status, SetAccountStatus(None, officer, AccountStatus.DISABLED, "left"))
    assert not await is_open(city, opened, officer)
    await city.transact(set_account_status, SetAccountStatus(None, officer, AccountStatus.ACTIVE, "back"))
    assert not await is_open(city, opened, officer)
    with pytest.raises(SessionEnded):
        await refresh(city, opened.refresh_token)


async def test_a_role_that_was_taken_away_is_gone_at_the_next_request_and_refresh(
    city: Database, officer: UUID, migrator_engine: Any
) -> None:
    opened = (await enter(city)).session
    async with migrator_engine.begin() as connection:
        await connection.execute(text("UPDATE account_role SET role = 'auditor'"))
    async with city.begin() as tx:
        with pytest.raises(Forbidden):
            await require_session(tx, officer, opened.id, Role.OFFICER)
    assert (await refresh(city, opened.refresh_token)).account.roles == (Role.AUDITOR,)


async def test_an_account_has_so_many_sessions_and_the_idlest_makes_room(
    city: Database, officer: UUID, clock: SetClock
) -> None:
    opened = []
    for _ in range(MOST_OPEN):
        opened.append((await enter(city)).session)
        clock.advance(timedelta(seconds=1))
    kept = (await refresh(city, opened[0].refresh_token)).session
    clock.advance(timedelta(seconds=1))
    newest = (await enter(city)).session
    async with city.begin() as tx:
        found = {each.id for each in await open_sessions(tx, officer)}
    assert len(found) == MOST_OPEN
    assert {kept.id, newest.id} <= found
    assert opened[1].id not in found


@dataclass
class Meeting:
    """A sign-in that has looked at the account, and waits before it opens the session."""

    looked: asyncio.Event
    go_on: asyncio.Event


async def crossing(city: Database, monkeypatch: pytest.MonkeyPatch, deed: Any, command: Any) -> tuple[Any, Any]:
    """A sign-in that has found everything in order, and a deed meanwhile that takes it away."""
    meeting = Meeting(asyncio.Event(), asyncio.Event())
    real = rows.make_room

    async def waiting(tx: Tx, *given: Any) -> None:
        meeting.looked.set()
        await meeting.go_on.wait()
        await real(tx, *given)

    monkeypatch.setattr(rows, "make_room", waiting)
    entering = asyncio.ensure_future(enter(city))
    await asyncio.wait_for(meeting.looked.wait(), 20)
    taking = asyncio.ensure_future(city.transact(deed, command))
    await asyncio.wait({taking}, timeout=0.3)
    meeting.go_on.set()
    await asyncio.wait_for(taking, 20)
    return await asyncio.gather(entering, return_exceptions=True), taking


@pytest.mark.parametrize(("what", "held"), [("password", True), ("account", True), ("account", False)])
async def test_no_session_survives_what_ends_all_while_it_is_opened(
    city: Database, officer: UUID, monkeypatch: pytest.MonkeyPatch, what: str, held: bool
) -> None:
    """Without the hold on the account, a session is opened while it is closed, and lives when it is opened again.

    What takes the account away meets the sign-in at its attempt as well, and a change of the password at the count
    of tries: there the hold stands second.
    """
    if not held:

        async def nothing(_tx: Tx, _account_id: UUID) -> None:
            return None

        monkeypatch.setattr(account_rows, "lock_account", nothing)
        monkeypatch.setattr(factor_rows, "end_attempts", nothing)
    if what == "password":
        asked = await try_password(city, NewPassword(officer, None, PASSWORD, NEW, CHEAPEST))
        [entered], _ = await crossing(city, monkeypatch, change_password, asked)
    else:
        closing = SetAccountStatus(None, officer, AccountStatus.DISABLED, "left")
        [entered], _ = await crossing(city, monkeypatch, set_account_status, closing)
        await city.transact(set_account_status, replace(closing, status=AccountStatus.ACTIVE))
    monkeypatch.undo()
    assert isinstance(entered, SignedInTwice)
    assert await is_open(city, entered.session, officer) is not held


async def test_a_password_that_is_changed_first_lets_nobody_in(city: Database, officer: UUID) -> None:
    asked = await try_password(city, NewPassword(officer, None, PASSWORD, NEW, CHEAPEST))
    await city.transact(change_password, asked)
    with pytest.raises(SignInRefused):
        await enter(city)
    assert isinstance((await enter(city, NEW)).session, OpenedSession)
