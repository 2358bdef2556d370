"""The audit log is part of the deed: where it cannot be written, the money does not move either."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.kit import audit
from services.kit.db import Tx, sqlstate
from services.settlement.money_in import MoneyIn, MoneySource, record_money_in
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, Undo, attach_checkout, hear, reserve, undo
from tests.factories.rows import unchanged
from tests.http_town import HttpTown, done
from tests.settlement.office import FIRST, PAY_DAY, Office
from tests.town import CODE, OFFICER, Resident, Town

Deed = Callable[[], Awaitable[object]]


class Scene:
    """A town in which every deed that moves money and writes the log is due."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.town = Town(engine)
        self.office = Office(self.town)
        self.who: Resident

    async def prepare(self) -> "Scene":
        await self.town.programme()
        self.who, shop = await self.town.resident(), await self.town.shop()
        await self.town.buy(self.who)
        await self.town.pay_store(self.who, shop, 3_000)
        return self

    async def grant(self) -> Deed:
        return lambda: self.town.grant(self.who, 100)

    async def undo(self) -> Deed:
        purchase = await self.town.buy(await self.town.resident())
        return lambda: self.town.do(undo, Undo(purchase.number, "a mistake", OFFICER))

    async def wrong_amount(self) -> Deed:
        purchase = await self.town.do(reserve, Buy(self.who.wallet.id, self.who.account_id, CODE, 1))
        await self.town.do(attach_checkout, AttachCheckout(purchase.id, "checkout-1"))
        return lambda: self.town.do(hear, CheckoutWord("checkout-1", paid=True, amount_yen=purchase.price_yen - 1))

    async def close(self) -> Deed:
        self.office.morning_after(FIRST)
        return lambda: self.office.close(FIRST)

    async def money_in(self) -> Deed:
        return lambda: self.town.do(record_money_in, MoneyIn(CODE, MoneySource.CHANNEL, 5_000, OFFICER))

    async def bank_file(self) -> Deed:
        await self.office.close(FIRST)
        return lambda: self.office.propose(PAY_DAY)


DEEDS = ("grant", "undo", "wrong_amount", "close", "money_in", "bank_file")


@asynccontextmanager
async def no_audit_log(migrator: AsyncEngine) -> AsyncIterator[None]:
    """The application may not write the log any more; afterwards it may again."""
    async with migrator.begin() as connection:
        await connection.execute(text("REVOKE INSERT ON audit_entry FROM tanabata_app"))
    yield
    async with migrator.begin() as connection:
        await connection.execute(text("GRANT INSERT ON audit_entry TO tanabata_app"))


@pytest.mark.parametrize("name", DEEDS)
async def test_where_the_log_cannot_be_written_the_money_rolls_back(
    name: str, engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    scene = await Scene(engine).prepare()
    deed = await getattr(scene, name)()
    async with no_audit_log(migrator_engine):
        async with unchanged(engine):
            with pytest.raises(DBAPIError) as caught:
                await deed()
        assert sqlstate(caught.value) == "42501"
    await deed()
    await scene.town.must_prove()


@pytest.mark.parametrize("name", DEEDS)
async def test_a_deed_that_forgot_the_log_would_move_money_without_it(
    name: str, engine: AsyncEngine, migrator_engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: it is the entry in the deed's own transaction that holds the money back."""

    async def forgotten(*_: Any, **__: Any) -> None: ...

    scene = await Scene(engine).prepare()
    deed = await getattr(scene, name)()
    monkeypatch.setattr(audit, "record", forgotten)
    async with no_audit_log(migrator_engine):
        with pytest.raises(AssertionError):
            async with unchanged(engine):
                await deed()


async def test_over_http_it_is_an_error_of_ours_and_the_same_deed_works_later(
    engine: AsyncEngine, migrator_engine: AsyncEngine
) -> None:
    town = HttpTown(engine)
    await town.programme()
    who, officer = await town.resident(), await town.as_staff(Role.OFFICER)
    body = {
        "programme": CODE,
        "wallet_number": who.wallet.number,
        "purse": "common",
        "points": 300,
        "reason": "a gift",
    }
    proposed = done(await officer.command("/grants", body), 201)
    approver, yes = await town.as_staff(Role.APPROVER), {"fingerprint": proposed["fingerprint"]}
    key, path = town.new_key(), f"/changes/{proposed['change_id']}/approval"
    async with no_audit_log(migrator_engine):
        answer = await approver.command(path, yes, key=key)
        assert answer.status_code >= 500, answer.text
        assert "audit" not in answer.text
        assert await town.points(who) == 0
    done(await approver.command(path, yes, key=key), 201)
    assert await town.points(who) == 300


async def test_an_entry_says_who_what_and_when(engine: AsyncEngine) -> None:
    town = Town(engine)

    async def look(tx: Tx, _: None) -> None:
        await audit.record(tx, OFFICER, "wallet.looked_at", UUID(int=7), reason="a call", on=date(2026, 4, 6), n=3)

    await town.do(look, None)
    async with engine.connect() as connection:
        query = "SELECT actor_id, action, subject_id, detail, happened_at FROM audit_entry"
        [row] = (await connection.execute(text(query))).all()
    detail = {"reason": "a call", "on": "2026-04-06", "n": 3}
    assert tuple(row) == (OFFICER, "wallet.looked_at", UUID(int=7), detail, town.clock.now())
