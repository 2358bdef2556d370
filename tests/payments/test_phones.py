"""Phones whose keys are remembered: a new one is looked up once, whatever else is known."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.payments import desk
from services.payments.desk import Phones
from tests.town import Town


class NeverWalked(OrderedDict[UUID, str]):
    """What is known; whoever goes through all of it fails."""

    def __iter__(self) -> Iterator[UUID]:
        raise AssertionError("all known phones were gone through for one")

    def keys(self) -> Any:
        raise AssertionError("all known phones were gone through for one")


async def test_a_new_phone_is_looked_up_without_going_through_those_that_are_known(engine: AsyncEngine) -> None:
    town = Town(engine)
    await town.programme()
    who, other = await town.resident(), await town.resident()
    phones = Phones(town.database)
    phones.keys = NeverWalked({uuid4(): "another key"})
    for each in (who, other, who):
        code = town.code_of(each)
        assert phones.look(code) == (each is who and other.device.id in phones.keys)
        await phones.meet(code)
        assert phones.look(code)
    assert len(phones.keys) == 3


async def test_of_too_many_phones_the_one_learned_longest_ago_is_forgotten_and_met_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One for one: or everybody at once would be looked up again, in the hour in which most pay."""
    monkeypatch.setattr(desk, "MOST_KEYS", 3)
    town = Town(engine)
    await town.programme()
    people = [await town.resident() for _ in range(5)]
    codes, devices = [town.code_of(each) for each in people], [each.device.id for each in people]
    phones = Phones(town.database)
    phones.keys = NeverWalked()
    for met, code in enumerate(codes, start=1):
        await phones.meet(code)
        assert [phones.keys.get(device) is not None for device in devices] == [
            met - 3 <= number < met for number in range(5)
        ]
    assert not phones.look(codes[0])
    await phones.meet(codes[0])
    assert phones.look(codes[0])
    assert [device in phones.keys for device in devices] == [True, False, False, True, True]
