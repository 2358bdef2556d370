"""Phones whose keys are remembered: a new one is looked up once, whatever else is known."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from services.payments.desk import Phones
from tests.town import Town


class NeverWalked(dict[UUID, str]):
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
