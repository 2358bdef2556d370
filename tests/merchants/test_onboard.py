"""Merchants, stores and payout accounts: registered whole, changed by new rows, audited without numbers."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kit.clock import SetClock
from services.kit.db import Database
from services.kit.deeds import fingerprint
from services.kit.errors import Missing, Refusal
from services.kit.japan import InvalidInvoiceRegistration
from services.kit.numbers import NumberMistyped, NumberOfOtherKind, display_number, parse_number
from services.kit.store_class import StoreClass
from services.merchants.add_store import AddStore, add_store
from services.merchants.at_till import StoreUnknown
from services.merchants.onboard import Onboard, onboard
from services.merchants.read import merchant, merchants, payout_accounts, public_store, store, stores
from services.merchants.set_payout_account import SetPayoutAccount, set_payout_account
from services.merchants.set_status import (
    SetMerchantStatus,
    SetStoreStatus,
    set_merchant_status,
    set_store_status,
)
from services.merchants.shops import MerchantNameInvalid, MerchantReasonMissing, PostalCodeInvalid, Status, StoreDetails
from tests.merchants.samples import ACCOUNT, INVOICE, OFFICER, OTHER_ACCOUNT, SHOP, takeya

NOBODY = UUID(int=1)


async def audited(city: Database) -> list[tuple[str, UUID]]:
    async with city.begin() as tx:
        query = text("SELECT action, subject_id FROM audit_entry WHERE actor_id = :a ORDER BY recorded_at")
        return [(row[0], row[1]) for row in await tx.connection.execute(query, {"a": OFFICER})]


async def test_a_merchant_is_registered_with_its_account_and_first_store(city: Database, clock: SetClock) -> None:
    done = await city.transact(onboard, takeya())
    assert parse_number(done.number, prefix="M") == done.number
    assert parse_number(done.store_code, prefix="S") == done.store_code
    async with city.begin() as tx:
        record = await merchant(tx, done.merchant_id)
    assert (record.merchant.name, record.merchant.invoice_number) == ("株式会社竹屋", INVOICE)
    assert (record.merchant.status, record.merchant.registered_at) == (Status.ACTIVE, clock.now())
    assert [(each.id, each.code, each.status) for each in record.stores] == [
        (done.store_id, done.store_code, Status.ACTIVE)
    ]
    assert record.stores[0].details == replace(SHOP, postal_code="2540043")
    assert record.payout_account is not None
    assert record.payout_account.account == ACCOUNT
    assert await audited(city) == [
        ("merchant.onboarded", done.merchant_id),
        ("payout_account.set", done.merchant_id),
        ("store.added", done.store_id),
    ]


async def test_no_log_tells_an_account_number(city: Database) -> None:
    await city.transact(onboard, takeya())
    async with city.begin() as tx:
        query = text("SELECT string_agg(detail::text, ' ') FROM audit_entry")
        details = (await tx.connection.execute(query)).scalar_one()
    assert "***4567" in details
    assert "1234567" not in details


async def test_a_registration_can_be_fingerprinted() -> None:
    assert fingerprint("onboard", takeya()) == fingerprint("onboard", takeya())
    assert fingerprint("onboard", takeya()) != fingerprint("onboard", replace(takeya(), payout_account=OTHER_ACCOUNT))


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (takeya(name=" "), MerchantNameInvalid),
        (takeya(invoice_number="T123"), InvalidInvoiceRegistration),
        (replace(takeya(), store=replace(SHOP, postal_code="254")), PostalCodeInvalid),
    ],
)
async def test_what_is_refused_leaves_nothing_behind(city: Database, command: Onboard, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        await city.transact(onboard, command)
    async with city.begin() as tx:
        for table in ("merchant", "store", "payout_account", "audit_entry"):
            assert (await tx.connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one() == 0


async def test_a_merchant_without_an_invoice_number_is_welcome(city: Database) -> None:
    done = await city.transact(onboard, takeya(invoice_number=None))
    async with city.begin() as tx:
        assert (await merchant(tx, done.merchant_id)).merchant.invoice_number is None


async def test_a_second_store(city: Database) -> None:
    done = await city.transact(onboard, takeya())
    large = StoreDetails("竹屋百貨店", "TAKEYA DEPARTMENT", StoreClass.LARGE, "5311", "2540034", "HIRATSUKA")
    second = await city.transact(add_store, AddStore(OFFICER, done.merchant_id, large))
    async with city.begin() as tx:
        assert await store(tx, second.id) == second
        assert set(await stores(tx, [second.id, done.store_id, NOBODY])) == {second.id, done.store_id}
        assert await stores(tx, []) == {}
        assert [each.id for each in (await merchant(tx, done.merchant_id)).stores] == sorted([done.store_id, second.id])
        with pytest.raises(Missing):
            await store(tx, NOBODY)
    with pytest.raises(Missing):
        await city.transact(add_store, AddStore(OFFICER, NOBODY, large))


async def test_a_store_is_found_by_its_code_as_typed(city: Database) -> None:
    done = await city.transact(onboard, takeya())
    async with city.begin() as tx:
        for typed in (done.store_code, done.store_code.lower(), display_number(done.store_code)):
            shown = await public_store(tx, typed)
            assert (shown.code, shown.details.name, shown.accepting) == (done.store_code, "竹屋青果店", True)
        with pytest.raises(NumberOfOtherKind):
            await public_store(tx, done.number)
        with pytest.raises(NumberMistyped):
            await public_store(tx, "S1234567" + ("0" if not done.store_code.endswith("0") else "1"))
    async with city.begin() as tx:
        other = tx.new_number("S", 7)
        with pytest.raises(StoreUnknown) as refused:
            await public_store(tx, other)
    assert refused.value.params == {"store": other}


async def test_the_account_of_an_instant_is_the_last_one_set_by_then(city: Database, clock: SetClock) -> None:
    done, began = await city.transact(onboard, takeya()), clock.now()
    plain = await city.transact(onboard, takeya(name="笹屋"))
    clock.advance(timedelta(days=1))
    changed = await city.transact(set_payout_account, SetPayoutAccount(OFFICER, done.merchant_id, OTHER_ACCOUNT))
    async with city.begin() as tx:
        both = [done.merchant_id, plain.merchant_id]
        assert await payout_accounts(tx, both, began - timedelta(microseconds=1)) == {}
        before = await payout_accounts(tx, both, clock.now() - timedelta(microseconds=1))
        after = await payout_accounts(tx, [*both, NOBODY], clock.now())
        assert await payout_accounts(tx, [], clock.now()) == {}
    assert {key: found.account for key, found in before.items()} == dict.fromkeys(both, ACCOUNT)
    assert after[done.merchant_id].account == OTHER_ACCOUNT
    assert after[done.merchant_id].id == changed.payout_account_id
    assert after[plain.merchant_id] == before[plain.merchant_id]
    with pytest.raises(Missing):
        await city.transact(set_payout_account, SetPayoutAccount(OFFICER, NOBODY, ACCOUNT))


async def test_an_account_that_was_set_is_never_altered(city: Database) -> None:
    await city.transact(onboard, takeya())
    for change in ("UPDATE payout_account SET number = '0000000'", "DELETE FROM payout_account"):
        with pytest.raises(DBAPIError):
            async with city.begin() as tx:
                await tx.connection.execute(text(change))


async def test_a_suspended_store_or_merchant_accepts_nothing(city: Database) -> None:
    done = await city.transact(onboard, takeya())
    second = await city.transact(add_store, AddStore(OFFICER, done.merchant_id, replace(SHOP, name="二号店")))

    async def accepting() -> tuple[bool, bool]:
        async with city.begin() as tx:
            first = (await public_store(tx, done.store_code)).accepting
            return first, (await public_store(tx, second.code)).accepting

    stop, go = Status.SUSPENDED, Status.ACTIVE
    await city.transact(set_store_status, SetStoreStatus(OFFICER, done.store_id, stop, "sold tobacco"))
    assert await accepting() == (False, True)
    await city.transact(set_merchant_status, SetMerchantStatus(OFFICER, done.merchant_id, stop, "closed"))
    await city.transact(set_store_status, SetStoreStatus(OFFICER, done.store_id, go, "settled"))
    assert await accepting() == (False, False)
    await city.transact(set_merchant_status, SetMerchantStatus(OFFICER, done.merchant_id, go, "open again"))
    assert await accepting() == (True, True)
    assert (await audited(city))[-4:] == [
        ("store.suspended", done.store_id),
        ("merchant.suspended", done.merchant_id),
        ("store.activated", done.store_id),
        ("merchant.activated", done.merchant_id),
    ]


async def test_a_suspension_needs_a_reason_and_somebody_to_suspend(city: Database) -> None:
    done = await city.transact(onboard, takeya())
    stop = Status.SUSPENDED
    with pytest.raises(MerchantReasonMissing):
        await city.transact(set_store_status, SetStoreStatus(OFFICER, done.store_id, stop, " "))
    with pytest.raises(MerchantReasonMissing):
        await city.transact(set_merchant_status, SetMerchantStatus(OFFICER, done.merchant_id, stop, ""))
    with pytest.raises(Missing):
        await city.transact(set_store_status, SetStoreStatus(OFFICER, NOBODY, stop, "why"))
    with pytest.raises(Missing):
        await city.transact(set_merchant_status, SetMerchantStatus(OFFICER, NOBODY, stop, "why"))


async def test_merchants_are_listed_page_by_page(city: Database, clock: SetClock) -> None:
    ids = []
    for number in range(5):
        ids.append((await city.transact(onboard, takeya(name=f"商店 {number}"))).merchant_id)
        clock.advance(timedelta(seconds=1))
    async with city.begin() as tx:
        first = await merchants(tx, limit=2)
        rest = await merchants(tx, after=first[-1].id)
        with pytest.raises(Missing):
            await merchant(tx, NOBODY)
    assert [each.id for each in (*first, *rest)] == ids
    assert [each.name for each in first] == ["商店 0", "商店 1"]
