"""The stage: when the channel is asked, what acts at once, and that nobody signs in twice for it."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.simulation import stage as stages
from infra.simulation.people import Person
from infra.simulation.scenarios import SCENARIOS, Setting
from infra.simulation.stage import Stage
from infra.town import Town
from services.kit.clock import SetClock
from services.kit.ids import SeededEntropy

NOON = datetime(2020, 10, 1, 12, tzinfo=UTC)


@pytest.fixture
def stage() -> Stage:
    """A stage in front of no platform at all."""
    nothing = cast(Town, SimpleNamespace(app=None, jobs=None, checkout=None))
    setting = Setting(SCENARIOS["hiratsuka-2020"], 0.001, 1)
    return Stage(setting, nothing, SetClock(NOON), SeededEntropy(1), lambda _words, _yen: None)


@pytest.fixture
def asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """When the channel was asked."""
    times: list[datetime] = []

    async def settle(*_: Any) -> int:
        times.append(stage.now)
        return 0

    monkeypatch.setattr(stages, "settle_checkouts", settle)
    return times


async def test_the_channel_is_asked_once_for_everybody_who_waits(stage: Stage, asked: list[datetime]) -> None:
    for minutes in (1, 9.5, 10, 10.5):
        stage.when_channel_is_asked(minutes, stage.ask_channel)
    await stage.play()
    assert asked == [NOON + timedelta(minutes=10), NOON + timedelta(minutes=20)]


async def test_people_act_at_once_and_all_are_heard_before_a_failure_is(stage: Stage) -> None:
    met, over = asyncio.Event(), []

    async def waits() -> None:
        await met.wait()
        await asyncio.sleep(0)
        over.append("waits")

    async def comes() -> None:
        met.set()
        raise ZeroDivisionError

    stage.when(NOON, waits, who=1)
    stage.when(NOON, comes, who=2)
    with pytest.raises(ZeroDivisionError):
        await asyncio.wait_for(stage.play(), 60)
    assert over == ["waits"]


class Newcomer(Person):
    """Somebody whose sign-in takes a while."""

    times = 0

    async def _sign_in(self) -> dict[str, Any]:
        self.times += 1
        await asyncio.sleep(0)
        return {"access_token": f"token {self.times}", "refresh_token": "", "expires_in": 600}


async def test_whoever_is_needed_twice_at_once_signs_in_once_and_again_when_it_is_over(stage: Stage) -> None:
    clerk = Newcomer(stage, "/")
    assert list(await asyncio.gather(clerk.token(), clerk.token())) == ["token 1", "token 1"]
    stage.wait(599)
    assert await clerk.token() == "token 1"
    stage.wait(1)
    assert await clerk.token() == "token 2"
    assert stage.tally == Counter({"signed in": 2})
