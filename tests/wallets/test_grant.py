"""Grants: to one wallet or thousands, all of them or none, never beyond the budget."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import read as campaigns
from services.campaigns.programme import GrantBudgetExhausted, ProgrammeClosed, ProgrammeUnknown
from services.campaigns.terms import PurseUnknown
from services.kit.clock import TOKYO
from services.kit.numbers import make_number
from services.ledger.chart import Account
from services.ledger.read import balance
from services.wallets.grant import Grant, Granted, GrantPointsInvalid, WalletUnknown, check, grant
from services.wallets.grant_csv import ALONE, MAX_POINTS, GrantLine, GrantListInvalid, read_grants
from tests.factories.rows import unchanged
from tests.town import CODE, OFFICER, Resident, Town, town_terms


def listed(people: list[Resident], points: int = 500) -> Grant:
    lines = tuple(GrantLine(n, who.wallet.number, points) for n, who in enumerate(people, start=2))
    return Grant(CODE, "common", "for new parents", OFFICER, lines)


async def test_granted_points_are_premium_of_one_purse_and_the_budget_owes_them(engine: AsyncEngine) -> None:
    town = Town(engine)
    programme_id = await town.programme()
    who = await town.resident()
    done = await town.do(grant, listed([who], 700))
    assert done.batch_id is not None
    assert (done.wallets, done.points) == (1, 700)
    [purse] = (await town.balance(who)).purses
    assert (purse.purse, purse.paid_points, purse.premium_points) == ("common", 0, 700)
    assert await town.do(lambda tx, _: balance(tx, Account.GRANT_RECEIVABLE), None) == 700
    assert (await town.do(campaigns.stock, programme_id)).granted_points == 700
    await town.must_prove()


async def test_a_grant_before_the_period_of_use_is_usable_from_its_first_midnight(engine: AsyncEngine) -> None:
    town = Town(engine, at=datetime(2026, 3, 20, 12, tzinfo=TOKYO))
    await town.programme()
    who = await town.resident()
    await town.grant(who, 5)
    [purse] = (await town.balance(who)).purses
    assert purse.usable_from == datetime(2026, 4, 1, tzinfo=TOKYO)


async def test_a_dry_run_says_what_would_be_and_changes_nothing(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme(replace(town_terms(), grant_budget_points=2_000))
    people = [await town.resident() for _ in range(3)]
    async with unchanged(engine):
        assert await town.do(check, listed(people)) == Granted(None, 3, 1_500)
        with pytest.raises(GrantBudgetExhausted):
            await town.do(check, listed(people, 1_000))
        with pytest.raises(GrantPointsInvalid):
            await town.do(check, listed(people, 1_000_001))


async def test_one_unknown_wallet_keeps_the_whole_list_out_and_is_named_by_line(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    people = [await town.resident() for _ in range(2)]
    good = listed(people)
    stranger = GrantLine(9, make_number("W", 5, 9), 500)
    wrong = replace(good, lines=(*good.lines, stranger))
    async with unchanged(engine):
        for use_case in (check, grant):
            with pytest.raises(GrantListInvalid) as caught:
                await town.do(use_case, wrong)
            assert caught.value.params["problems"] == [{"line": 9, "column": 1, "code": "wallet_unknown"}]


async def test_the_budget_is_exact_and_says_what_is_left(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme(replace(town_terms(), grant_budget_points=1_000))
    people = [await town.resident() for _ in range(3)]
    await town.do(grant, listed(people[:1], 400))
    async with unchanged(engine):
        for use_case in (check, grant):
            with pytest.raises(GrantBudgetExhausted) as caught:
                await town.do(use_case, listed(people, 201))
            assert caught.value.params["left_points"] == 600
    await town.do(grant, listed(people, 200))
    await town.must_prove()


async def test_a_closed_programme_an_unknown_one_and_an_unknown_purse_are_refused(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who = await town.resident()
    with pytest.raises(ProgrammeUnknown):
        await town.do(grant, replace(listed([who]), programme_code="moonlight"))
    with pytest.raises(PurseUnknown):
        await town.do(grant, replace(listed([who]), purse="gold"))
    alone = (GrantLine(ALONE, make_number("W", 5, 9), 500),)
    with pytest.raises(WalletUnknown):
        await town.do(grant, replace(listed([who]), lines=alone))
    town.go_to(datetime(2026, 10, 1, tzinfo=TOKYO) - timedelta(microseconds=1))
    await town.grant(who, 1)
    town.go_to(datetime(2026, 10, 1, tzinfo=TOKYO))
    with pytest.raises(ProgrammeClosed):
        await town.grant(who, 1)
    await town.must_prove()


async def test_a_long_list_takes_as_many_statements_as_a_short_one(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    people = [await town.resident() for _ in range(40)]
    counted: list[str] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *given: counted.append(given[2]))
    await town.do(grant, listed(people[:1]))
    short = len(counted)
    counted.clear()
    await town.do(grant, listed(people))
    assert len(counted) == short <= 12
    await town.must_prove()


NUMBERS = [make_number("W", entropy, 9) for entropy in range(4)]


def problems(content: str | bytes) -> list[tuple[int, int, str]]:
    with pytest.raises(GrantListInvalid) as caught:
        read_grants(content.encode() if isinstance(content, str) else content)
    found = caught.value.params["problems"]
    assert (caught.value.params["line"], caught.value.params["column"]) == (found[0]["line"], found[0]["column"])
    return [(each["line"], each["column"], each["code"]) for each in found]


def test_a_list_is_read_as_cities_write_it() -> None:
    text = f"\ufeffwallet_number,points\r\n{NUMBERS[0]},500\r\n W-{NUMBERS[1][1:]} , 1000000 \r\n"
    assert read_grants(text.encode()) == (GrantLine(2, NUMBERS[0], 500), GrantLine(3, NUMBERS[1], MAX_POINTS))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", [(1, 1, "header_wrong")]),
        ("points,wallet_number\n", [(1, 1, "header_wrong")]),
        ("wallet_number,points\n", [(2, 1, "no_lines")]),
        (f"wallet_number,points\n{NUMBERS[0]}\n", [(2, 2, "cells_wrong")]),
        (f"wallet_number,points\n{NUMBERS[0]},1,2\n", [(2, 3, "cells_wrong")]),
        (f"wallet_number,points\nW123,5\n{NUMBERS[0]},x\n", [(2, 1, "wallet_number_wrong"), (3, 2, "points_wrong")]),
        (f"wallet_number,points\n{NUMBERS[0]},5\n{NUMBERS[0]},5\n", [(3, 1, "wallet_repeated")]),
        (f'wallet_number,points\n"{NUMBERS[0]},5\n', [(2, 1, "not_csv")]),
        (b"wallet_number,points\nW\xff,5\n", [(2, 2, "not_utf8")]),
        (f"wallet_number,points\n{make_number('S', 1, 9)},5\n", [(2, 1, "wallet_number_wrong")]),
    ],
)
def test_what_is_wrong_is_named_by_line_and_column(content: str | bytes, found: list[tuple[int, int, str]]) -> None:
    assert problems(content) == found


@pytest.mark.parametrize(
    "points", ["0", "-1", "1.5", "1e3", "true", "1000001", "１０", "+5", "", "99999999999999999999"]
)
def test_points_are_whole_and_bounded(points: str) -> None:
    assert problems(f"wallet_number,points\n{NUMBERS[0]},{points}\n") == [(2, 2, "points_wrong")]


@given(st.binary(max_size=80))
def test_no_content_crashes_the_reader(content: bytes) -> None:
    for given_bytes in (content, b"wallet_number,points\n" + content):
        try:
            assert read_grants(given_bytes)
        except GrantListInvalid as refusal:
            assert refusal.params["count"] >= 1
