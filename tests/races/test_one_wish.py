"""Two officers ask for a proof at the same time: one wish is on record, and both have it."""

import asyncio
from typing import Final

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kit.db import Tx
from services.proof import ask as asking
from services.proof.ask import ProofAsked, ask
from tests.races.contest import at_once, closed_gate, lined_up, scalar, until_blocked
from tests.town import APPROVER, OFFICER, Town

WISHES: Final = "SELECT count(*) FROM audit_entry WHERE action = 'books.proof_asked'"
OFFICERS: Final = 12


async def no_turn(_tx: Tx, _name: str) -> None:
    """As if nobody took a turn."""


async def test_control_without_their_turn_everybody_who_has_looked_records_a_wish(
    crowd: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town(crowd)
    monkeypatch.setattr(asking, "take_turn", no_turn)
    async with closed_gate(crowd) as (gate, open_gate):
        gate.after(monkeypatch, asking, "standing")
        done, _ = await lined_up(crowd, gate, open_gate, [town.do(ask, OFFICER) for _ in range(OFFICERS)])
    assert len(set(done)) == OFFICERS == await scalar(crowd, WISHES)


async def test_of_many_who_ask_at_once_one_wish_is_recorded_and_all_have_it(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    done, refused = await at_once(town.do(ask, who) for who in (OFFICER, APPROVER) * (OFFICERS // 2))
    assert (len(done), len(set(done)), refused) == (OFFICERS, 1, [])
    assert await scalar(crowd, WISHES) == 1


async def test_who_asks_while_another_is_about_to_commit_waits_and_has_that_wish(crowd: AsyncEngine) -> None:
    town = Town(crowd)
    async with closed_gate(crowd) as (gate, open_gate):
        first: asyncio.Future[ProofAsked] = asyncio.ensure_future(town.do(gate.behind(ask), OFFICER))
        await gate.until_full(1)
        second = asyncio.ensure_future(town.do(ask, APPROVER))
        await until_blocked(crowd, 2, second)
        await open_gate()
        assert await first == await second
    assert await scalar(crowd, WISHES) == 1
