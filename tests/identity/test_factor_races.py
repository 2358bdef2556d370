"""Of a hundred guesses of a second factor at once five are compared; of ten right ones one enters."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from services.identity import second_factor
from services.identity.prove_factor import SignedInTwice
from services.identity.second_factor import FactorThrottled, FactorWrong
from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.errors import Busy
from tests.identity.test_prove_factor import begin, enrolled, now, officer, sessions, show, wrong

__all__ = ["officer"]
GUESSES = 100


async def contest(city: Database, typed: str) -> list[object]:
    asked = [await begin(city) for _ in range(5)]
    guesses = [show(city, asked[n % 5], typed) for n in range(GUESSES)]
    return list(await asyncio.gather(*guesses, return_exceptions=True))


@pytest.mark.parametrize("kind", ["totp", "recovery"])
async def test_of_a_hundred_guesses_at_once_five_are_compared(
    city: Database, officer: UUID, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    secret, _ = await enrolled(city)
    compared = _counted(monkeypatch)
    typed = wrong(city, secret) if kind == "totp" else "0000-0000-0000-0000"
    outcomes = await contest(city, typed)
    assert len(compared) == second_factor.TRIES
    assert {type(each) for each in outcomes} <= {FactorWrong, FactorThrottled, Busy}


async def test_without_the_count_all_would_be_compared(
    city: Database, officer: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what is read first and counted afterwards lets everybody through."""
    secret, _ = await enrolled(city)

    async def uncounted(*_: Any) -> bool:
        return True

    compared = _counted(monkeypatch)
    monkeypatch.setattr("services.identity.tables.attempts.take_password_try", uncounted)
    await contest(city, wrong(city, secret))
    assert len(compared) > second_factor.TRIES


def _counted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    from services.identity import prove_factor as module

    compared: list[object] = []
    real = module._compare

    def compare(guess: Any, taken: Any) -> Any:
        compared.append(guess)
        return real(guess, taken)

    monkeypatch.setattr(module, "_compare", compare)
    return compared


@pytest.mark.parametrize("kind", ["totp", "recovery"])
async def test_of_ten_right_codes_at_once_one_enters(city: Database, officer: UUID, clock: SetClock, kind: str) -> None:
    secret, first = await enrolled(city)
    clock.advance(timedelta(minutes=1))
    asked = [await begin(city) for _ in range(second_factor.TRIES)]
    typed = now(city, secret) if kind == "totp" else first.recovery_codes[0]
    outcomes = await asyncio.gather(*(show(city, each, typed) for each in asked), return_exceptions=True)
    assert sum(isinstance(each, SignedInTwice) for each in outcomes) == 1
    assert await sessions(city) == 2
