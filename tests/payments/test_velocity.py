"""Nobody empties a wallet at a run: large payments are counted by the hour and the day, exactly."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.town import build_town
from services.identity.passwords import CHEAPEST
from services.kit.errors import Refusal
from services.payments import agree as agreeing
from services.payments.order import PayByCard, PayStore
from services.payments.pay import pay, pay_by_card
from services.payments.payment import Receipt
from services.payments.tables.schema import PaidLatelyRow
from services.payments.tap import PayingLimits
from services.payments.velocity import Lately, Most, Velocity, VelocityReached, rush_of
from services.wallets.issue_card import IssueCard, issue_card
from services.wallets.wallet import NEVER_LIMITED_YEN
from tests.http_town import URL, WALLET, HttpTown, done, problem, town_keys
from tests.races.contest import drop_constraints, scalar
from tests.town import OFFICER, Resident, Shop, Town

LARGE = NEVER_LIMITED_YEN + 1
THREE = Velocity(Most(3, 1_000_000), Most(5, 1_000_000))
NOON = datetime(2026, 5, 1, 3, 20, tzinfo=UTC)
"""20 minutes past noon in Japan."""


@pytest.mark.parametrize(
    ("lately", "yen", "seconds", "until"),
    [
        (Lately(2, 300, 2, 300), LARGE, None, ""),
        (Lately(3, 300, 3, 300), LARGE, 40 * 60, "13:00"),
        (Lately(0, 1_000_000 - LARGE, 0, 1_000_000 - LARGE), LARGE, None, ""),
        (Lately(1, 1_000_001 - LARGE, 1, 1_000_001 - LARGE), LARGE, 11 * 3_600 + 40 * 60, "00:00"),
        (Lately(0, 0, 5, 300), LARGE, 11 * 3_600 + 40 * 60, "00:00"),
        (Lately(3, 300, 5, 300), LARGE, 11 * 3_600 + 40 * 60, "00:00"),
        (Lately(99, 99_000_000, 99, 99_000_000), NEVER_LIMITED_YEN, None, ""),
    ],
)
def test_the_longer_wait_is_told(lately: Lately, yen: int, seconds: int | None, until: str) -> None:
    rush = rush_of(THREE, lately, yen, NOON)
    assert (rush and rush.params) == (seconds and {"retry_after_seconds": seconds, "until": until})


class Scene:
    """Somebody with 78,000 points and a shop, at 20 minutes past noon."""

    def __init__(self, town: Town, who: Resident, shop: Shop) -> None:
        self.town = town
        self.who = who
        self.shop = shop

    def order(self, yen: int = LARGE) -> PayStore:
        return PayStore(self.who.account_id, self.who.wallet.id, self.shop.code, yen)

    async def pay(self, yen: int = LARGE, velocity: Velocity = THREE) -> Receipt:
        use_case = partial(pay_one, velocity=velocity)
        made: Receipt = await self.town.do(use_case, self.order(yen))
        return made

    async def at_once(self, number: int, velocity: Velocity) -> Counter[str]:
        tries = (self.pay(velocity=velocity) for _ in range(number))
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        return Counter(type(each).__name__ for each in outcomes)


async def pay_one(tx: Any, order: PayStore, velocity: Velocity) -> Receipt:
    [outcome] = await pay(tx, [order], True, velocity)
    if isinstance(outcome, Refusal):
        raise outcome
    assert isinstance(outcome, Receipt)
    return outcome


async def made(town: Town) -> Scene:
    await town.programme()
    who, shop = await town.resident(), await town.shop()
    await town.buy(who, 3)
    town.clock.set(NOON)
    return Scene(town, who, shop)


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    return await made(Town(engine))


async def test_of_six_large_payments_at_once_exactly_three_are_made(
    engine: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = await made(Town(engine))
    assert await scene.at_once(6, THREE) == {"Receipt": 3, "VelocityReached": 3}
    assert await scene.town.points(scene.who) == 39_000 - 3 * LARGE
    await scene.town.must_prove()
    # Without the look, the row's own rule still lets no fourth one through in this hour.
    with monkeypatch.context() as blind:
        blind.setattr(agreeing, "rush_of", lambda *_: None)
        with pytest.raises(DBAPIError, match="ck_paid_lately_most"):
            await scene.pay()
        await drop_constraints(migrator_engine, (PaidLatelyRow.__tablename__, "ck_paid_lately_most"))
        await scene.pay()  # the control: without both, it is paid


async def test_the_hour_and_the_day_pass_by_and_nothing_else_gives_room(scene: Scene) -> None:
    for _ in range(3):
        await scene.pay()
    with pytest.raises(VelocityReached) as refused:
        await scene.pay()
    assert refused.value.params == {"retry_after_seconds": 40 * 60, "until": "13:00"}
    await scene.pay(NEVER_LIMITED_YEN)  # small ones are not asked
    scene.town.clock.advance(timedelta(minutes=40))
    for _ in range(2):
        await scene.pay()
    with pytest.raises(VelocityReached) as refused:
        await scene.pay()
    assert refused.value.params["until"] == "00:00"
    other = await scene.town.resident()
    await scene.town.buy(other)
    await Scene(scene.town, other, scene.shop).pay()


async def test_what_is_refused_for_another_reason_is_not_counted(scene: Scene) -> None:
    for _ in range(4):
        with pytest.raises(Refusal):
            await scene.pay(99_000)
    assert await scalar(scene.town.database.engine, "SELECT count(*) FROM paid_lately") == 0
    await scene.pay(12_000)
    assert (
        await scalar(scene.town.database.engine, "SELECT payments * 1000000 + paid_yen FROM paid_lately") == 1_012_000
    )


async def test_a_card_is_under_the_same_limit(scene: Scene) -> None:
    issued = await scene.town.do(issue_card, IssueCard(scene.who.wallet.number, OFFICER, "no phone", "2580", bytes(32)))
    asked = PayByCard(scene.shop.clerk_id, scene.shop.id, issued.number, scene.who.wallet.id, LARGE)
    one = Velocity(Most(1, 1_000_000), Most(9, 1_000_000))
    await scene.town.do(partial(pay_by_card, velocity=one), asked)
    with pytest.raises(VelocityReached):
        await scene.town.do(partial(pay_by_card, velocity=one), asked)


async def test_a_phone_hears_when_to_come_back(engine: AsyncEngine) -> None:
    town = HttpTown(engine)
    scene = await made(town)
    town.built.checkout.close()
    town.built = build_town(
        town.database, town_keys(), public_url=URL, password_cost=CHEAPEST, paying=PayingLimits(THREE)
    )
    phone, body = town.as_resident(scene.who), {"code": scene.shop.code, "amount_yen": LARGE}
    path = f"/wallets/{scene.who.wallet.id}/payments"
    for _ in range(3):
        done(await phone.command(path, body), 201)
    key = town.new_key()
    refused = await phone.command(path, body, key=key)
    assert problem(refused, 429, "velocity_reached") == {"retry_after_seconds": 2_400, "until": "13:00"}
    assert refused.headers["retry-after"] == "2400"
    done(await phone.command(path, body | {"amount_yen": 500}), 201)
    town.clock.advance(timedelta(seconds=2_400))
    later = town.as_resident(scene.who)
    assert UUID(done(await later.command(path, body, key=key), 201)["payment_id"])
    assert later.base_url.path.startswith(WALLET)
