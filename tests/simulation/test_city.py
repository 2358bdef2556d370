"""The invented city: stores that can be registered, in the proportions that were asked for."""

from random import Random
from typing import Any

import pytest

from infra.simulation.city import CITY_LATIN, POSTAL_CODE, MerchantPlan, StorePlan, Trouble, plan_merchants
from services.kit.store_class import StoreClass
from services.merchants.bank_account import BankAccount, bank_account, yucho_account
from services.merchants.shops import StoreDetails, merchant_name, store_details


def stores_of(merchants: tuple[MerchantPlan, ...]) -> list[StorePlan]:
    return [store for merchant in merchants for store in merchant.stores]


def account_of(plan: dict[str, Any]) -> BankAccount:
    if plan["type"] == "yucho":
        return yucho_account(plan["symbol"], plan["number"], plan["holder"])
    return bank_account(plan["bank_code"], plan["branch_code"], int(plan["kind"]), plan["number"], plan["holder"])


@pytest.mark.parametrize("count", [10, 57, 1_000])
def test_a_tenth_of_the_stores_is_large(count: int) -> None:
    stores = stores_of(plan_merchants(Random(1), count))
    assert len(stores) == count
    assert sum(store.store_class is StoreClass.LARGE for store in stores) == count // 10
    assert sum(store.weight for store in stores) == pytest.approx(1)


@pytest.mark.parametrize("count", [10, 57, 1_000])
def test_there_are_chains_post_office_accounts_and_stores_with_troubles(count: int) -> None:
    merchants = plan_merchants(Random(2), count)
    assert any(len(merchant.stores) == 2 for merchant in merchants)
    assert {merchant.payout_account["type"] for merchant in merchants} == {"bank", "yucho"}
    troubled = [store for store in stores_of(merchants) if store.trouble]
    assert {store.trouble for store in troubled} == set(Trouble)
    assert all(store.weight == 0 and store.store_class is StoreClass.SMALL for store in troubled)


def test_everything_can_be_registered() -> None:
    for merchant in plan_merchants(Random(3), 1_000):
        merchant_name(merchant.name)
        account_of(merchant.payout_account)
        for store in merchant.stores:
            store_details(
                StoreDetails(
                    store.name, store.name_latin, store.store_class, store.category.mcc, POSTAL_CODE, CITY_LATIN
                )
            )


def test_the_seed_decides() -> None:
    assert plan_merchants(Random(4), 50) == plan_merchants(Random(4), 50)
    assert plan_merchants(Random(4), 50) != plan_merchants(Random(5), 50)
