"""A proposed bank file holds every due payout of its account once, and nothing else."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.campaigns import read as campaigns
from services.kit.db import Tx
from services.kit.errors import Busy
from services.ledger.chart import Account
from services.merchants.bank_account import bank_account
from services.merchants.shops import Status
from services.settlement.bank_file import (
    FileStatus,
    HeldBecause,
    NoPayoutsDue,
    TransferDateOutOfRange,
    paying_key,
)
from services.settlement.calendar import CalendarNotCertain
from services.settlement.propose import ProposeFile, propose
from services.settlement.zengin import TransferDayClosed
from tests.settlement.office import FIRST, PAY_DAY, SECOND, Office, at, count_rows
from tests.strict_zengin import read_strictly
from tests.town import CODE, OFFICER, Town, town_terms


@pytest.fixture
def office(engine: AsyncEngine) -> Office:
    return Office(Town(engine))


async def test_a_file_pays_what_stores_are_due_and_a_strict_reader_agrees(office: Office) -> None:
    programme_id = await office.town.programme()
    shops = await office.sell(4_000, 8_000, 500)
    file = await office.pay_out()
    header, *lines, trailer = read_strictly((await office.download(file)).content)
    assert (header["mmdd"], header["client_code"], header["number"]) == ("0422", "0123456789", "1234567")
    due = {shop.code: yen for shop, yen in zip(shops, (3_780, 7_560), strict=False)}
    assert [line["amount_yen"] for line in lines] == [due[code] for code in sorted(due)]
    assert [line["customer_1"] for line in lines] == ["0000000001", "0000000002"]
    assert (trailer["count"], trailer["total_yen"]) == (2, 11_340) == (file.transfers, file.total_yen)
    totals = await office.totals(programme_id)
    assert (totals.paid_out_yen, totals.carried_yen) == (11_340, 473)
    assert totals.paid_out_yen == totals.net_yen - totals.still_owed_yen + totals.receivable_yen
    await office.town.must_prove()


async def test_sent_and_paid_move_the_money_in_the_books(office: Office) -> None:
    await office.town.programme()
    (shop,) = await office.sell(10_000)
    file = (await office.propose()).file
    await office.approve(file)
    assert await office.owed(Account.PAYOUT_DUE, shop.id) == 9_450
    assert (await office.sent(file)).status is FileStatus.SENT
    assert await office.owed(Account.PAYOUT_DUE, shop.id) == 0
    assert await office.owed(Account.BANK_CLEARING) == 9_450
    await office.town.must_prove()
    paid = await office.paid(file)
    assert (paid.status, paid.paid_at) == (FileStatus.PAID, office.town.clock.now())
    assert (await office.owed(Account.BANK_CLEARING), await office.owed(Account.BANK)) == (0, 9_450)
    await office.town.must_prove()


async def test_stores_of_one_merchant_are_paid_by_one_transfer(office: Office) -> None:
    town = office.town
    await town.programme()
    first = await town.shop()
    second = await town.shop(merchant_id=first.merchant_id)
    await office.sell(2_000, 3_000, shops=(first, second))
    file = await office.pay_out()
    assert (file.transfers, file.total_yen) == (1, 4_725)
    await town.must_prove()


async def test_payees_that_share_an_account_are_paid_by_one_transfer(office: Office) -> None:
    """Equal amounts to one account on one day would otherwise look like a mistake to the bank."""
    await office.town.programme()
    one, other = await office.town.shop(), await office.town.shop()
    shared = bank_account("0138", "641", 1, "7654321", "ホシミショウテン")
    await office.move_account(one, shared)
    await office.move_account(other, shared)
    await office.sell(2_000, 2_000, shops=(one, other))
    file = (await office.propose()).file
    assert (file.transfers, file.total_yen) == (1, 3_780)
    await office.town.must_prove()


async def test_programmes_that_pay_from_one_account_share_a_file(office: Office) -> None:
    town = office.town
    await town.programme()
    await town.programme(code="moonlight")
    elsewhere = replace(town_terms().paying_account, number="7654321")
    await town.programme(replace(town_terms(), paying_account=elsewhere), code="daylight")
    who, shop = await town.resident(), await town.shop("large")
    for code in (CODE, "moonlight", "daylight"):
        await town.buy(who, code=code)
        await town.pay_store(who, shop, 8_000)
        await office.close(FIRST, code=code)
        town.go_to(at(date(2026, 4, 6)))
    file = (await office.propose(code="moonlight")).file
    other = (await office.propose(code="daylight")).file
    assert (file.transfers, file.total_yen) == (1, 16_000)
    assert (other.total_yen, other.paying_account) == (8_000, paying_key(elsewhere))
    assert paying_key(elsewhere) == f"0138-{elsewhere.branch_code}-1-7654321/0123456789" != file.paying_account
    await town.must_prove()


async def test_payouts_wait_for_their_transfer_day(office: Office) -> None:
    town = office.town
    await town.programme()
    (shop,) = await office.sell(2_000)
    who = await town.resident()
    await town.buy(who)
    await town.pay_store(who, shop, 4_000)
    await office.close(SECOND)
    assert (await office.propose(date(2026, 5, 1))).file.total_yen == 1_890
    with pytest.raises(NoPayoutsDue):
        await office.propose(date(2026, 5, 11))
    assert (await office.propose(date(2026, 5, 12))).file.total_yen == 3_780
    await town.must_prove()


async def test_a_suspended_merchant_is_held_back_and_paid_later(office: Office) -> None:
    await office.town.programme()
    shop, _ = await office.sell(2_000, 3_000)
    await office.suspend(shop)
    proposed = await office.propose()
    assert proposed.file.total_yen == 2_835
    ((store, yen, because),) = [(held.store_code, held.amount_yen, held.because) for held in proposed.held]
    assert (store, yen, because) == (shop.code, 1_890, HeldBecause.SUSPENDED)
    with pytest.raises(NoPayoutsDue) as refused:
        await office.propose()
    assert refused.value.params == {"transfer_date": "2026-04-22", "held": 1}
    await office.suspend(shop, Status.ACTIVE)
    assert (await office.propose()).file.total_yen == 1_890
    await office.town.must_prove()


@pytest.mark.parametrize(
    ("day", "refusal"),
    [
        (date(2026, 4, 21), TransferDateOutOfRange),
        (date(2026, 4, 25), TransferDayClosed),
        (date(2026, 4, 29), TransferDayClosed),
        (date(2026, 10, 20), TransferDateOutOfRange),
        (date.max, TransferDateOutOfRange),
    ],
)
async def test_a_file_is_dated_on_a_day_when_banks_pay(
    office: Office, engine: AsyncEngine, day: date, refusal: type[Exception]
) -> None:
    await office.town.programme()
    await office.sell(2_000)
    office.town.go_to(at(PAY_DAY))
    before = await count_rows(engine)
    with pytest.raises(refusal):
        await office.town.do(propose, ProposeFile(CODE, day, OFFICER))
    with pytest.raises(CalendarNotCertain):
        await office.town.do(propose, ProposeFile(CODE, PAY_DAY, OFFICER, certain_through=2025))
    assert await count_rows(engine) == before
    assert (await office.propose(PAY_DAY)).file.transfer_date == PAY_DAY, "today will do"


async def test_what_a_bank_cannot_write_is_held_back_and_the_rest_is_paid(
    office: Office, migrator_engine: AsyncEngine
) -> None:
    await office.town.programme()
    shop, _ = await office.sell(2_000, 3_000)
    async with migrator_engine.begin() as connection:
        await connection.execute(text("ALTER TABLE statement DISABLE TRIGGER USER"))
        change = text("UPDATE statement SET payout_yen = 10000000000 WHERE store_id = :id")
        await connection.execute(change, {"id": shop.id})
    proposed = await office.propose()
    assert proposed.file.total_yen == 2_835
    assert [(held.store_code, held.because) for held in proposed.held] == [(shop.code, HeldBecause.OVER_LIMIT)]
    with pytest.raises(NoPayoutsDue):
        await office.propose()


async def test_no_programme_is_left_out_of_a_file_however_many_there_are(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(campaigns, "MAX_PROGRAMMES", 1)
    town = office.town
    await town.programme(code="moonlight")
    town.wait(seconds=1)
    await town.programme()
    who, shop = await town.resident(), await town.shop("large")
    await town.buy(who)
    await town.pay_store(who, shop, 8_000)
    await office.close(FIRST)
    assert (await office.propose(code="moonlight")).file.total_yen == 8_000


async def test_a_proposal_that_dies_on_its_way_has_done_nothing(office: Office, engine: AsyncEngine) -> None:
    await office.town.programme()
    await office.sell(2_000)
    office.town.go_to(at(PAY_DAY))
    before = await count_rows(engine)

    async def die(tx: Tx, command: ProposeFile) -> None:
        await propose(tx, command)
        await tx.connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

    with pytest.raises(Busy):
        await office.town.do(die, ProposeFile(CODE, PAY_DAY, OFFICER))
    assert await count_rows(engine) == before
    await engine.dispose()
    assert (await office.propose()).file.total_yen == 1_890
    await office.town.must_prove()
