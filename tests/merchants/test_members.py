"""Who works for a store: added with an account of their own, by whoever may, until they are disabled."""

import asyncio
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from services.identity.request_code import RequestCode, request_code
from services.identity.sign_in import ProvenPhone, sign_in
from services.identity.staff import OpenMerchantAccount, open_merchant_account
from services.kit.db import Database, Tx
from services.kit.errors import Forbidden, Missing
from services.merchants.add_member import AddMember, add_member
from services.merchants.add_store import AddStore, add_store
from services.merchants.at_till import StoreAtTill, store_at_till
from services.merchants.clauses import store_id as store_column
from services.merchants.clauses import stores_at_till
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.onboard import onboard
from services.merchants.read import members, stores_of_account
from services.merchants.set_status import SetStoreStatus, set_store_status
from services.merchants.shops import (
    Member,
    MemberExists,
    MemberRole,
    MemberStatus,
    MerchantReasonMissing,
    Status,
)
from tests.merchants.samples import OFFICER, SHOP, takeya

NOBODY = UUID(int=1)
OWNER, MANAGER, CLERK = MemberRole.OWNER, MemberRole.MANAGER, MemberRole.CLERK


@dataclass(frozen=True)
class Enrolment:
    """What an API asks for: the account and the membership in one deed."""

    account: OpenMerchantAccount
    member: AddMember


async def enrol(tx: Tx, command: Enrolment) -> Member:
    account = await open_merchant_account(tx, command.account)
    return await add_member(tx, replace(command.member, account_id=account.account_id))


@dataclass(frozen=True)
class Shop:
    store_id: UUID
    other_store_id: UUID
    owner: UUID
    manager: UUID
    clerk: UUID


def opening(name: str) -> OpenMerchantAccount:
    return OpenMerchantAccount(OFFICER, f"{name}@shop.example.jp", name, "hash")


def as_officer(store_id: UUID, account_id: UUID, role: MemberRole) -> AddMember:
    return AddMember(OFFICER, as_officer=True, store_id=store_id, account_id=account_id, role=role)


def by(actor: UUID, store_id: UUID, account_id: UUID, role: MemberRole) -> AddMember:
    return AddMember(actor, as_officer=False, store_id=store_id, account_id=account_id, role=role)


async def account(city: Database, name: str) -> UUID:
    return (await city.transact(open_merchant_account, opening(name))).account_id


@pytest.fixture
async def shop(city: Database) -> Shop:
    done = await city.transact(onboard, takeya())
    other = await city.transact(onboard, takeya(name="笹屋"))
    ids = []
    for role in (OWNER, MANAGER, CLERK):
        command = Enrolment(opening(role.value), as_officer(done.store_id, NOBODY, role))
        ids.append((await city.transact(enrol, command)).account_id)
    return Shop(done.store_id, other.store_id, *ids)


async def at_till(city: Database, store_id: UUID, account_id: UUID | None) -> StoreAtTill:
    async with city.begin() as tx:
        query = stores_at_till(account_id).where(store_column == store_id)
        return store_at_till((await tx.connection.execute(query)).one())


async def test_account_and_membership_are_one_deed(city: Database, shop: Shop) -> None:
    async with city.begin() as tx:
        found = await members(tx, shop.store_id)
    assert {each.account_id: each.role for each in found} == {
        shop.owner: OWNER,
        shop.manager: MANAGER,
        shop.clerk: CLERK,
    }
    refused = Enrolment(opening("late"), by(shop.clerk, shop.store_id, NOBODY, CLERK))
    with pytest.raises(Forbidden):
        await city.transact(enrol, refused)
    opened = await city.transact(open_merchant_account, opening("late"))
    assert opened.opened, "the refused deed left no account behind"


async def test_one_account_works_for_two_stores(city: Database, shop: Shop) -> None:
    command = Enrolment(opening("clerk"), as_officer(shop.other_store_id, NOBODY, MANAGER))
    assert (await city.transact(enrol, command)).account_id == shop.clerk
    async with city.begin() as tx:
        mine = await stores_of_account(tx, shop.clerk)
        assert await stores_of_account(tx, NOBODY) == ()
    assert {each.store.id: (each.role, each.merchant_name, each.accepting) for each in mine} == {
        shop.store_id: (CLERK, "株式会社竹屋", True),
        shop.other_store_id: (MANAGER, "笹屋", True),
    }


@pytest.mark.parametrize("role", list(MemberRole))
async def test_who_may_appoint_whom(city: Database, shop: Shop, role: MemberRole) -> None:
    new = await account(city, "new")
    with pytest.raises(Forbidden):
        await city.transact(add_member, by(shop.clerk, shop.store_id, new, role))
    if role is not CLERK:
        with pytest.raises(Forbidden):
            await city.transact(add_member, by(shop.manager, shop.store_id, new, role))
    actor = shop.manager if role is CLERK else shop.owner
    assert (await city.transact(add_member, by(actor, shop.store_id, new, role))).role is role


async def test_another_store_does_not_exist_to_an_owner(city: Database, shop: Shop) -> None:
    new = await account(city, "new")
    for store_id in (shop.other_store_id, NOBODY):
        with pytest.raises(Missing):
            await city.transact(add_member, by(shop.owner, store_id, new, CLERK))
    with pytest.raises(Missing):
        await city.transact(add_member, as_officer(NOBODY, new, CLERK))
    with pytest.raises(Missing):
        await city.transact(add_member, by(NOBODY, shop.store_id, new, CLERK))


async def test_an_unknown_account_or_person_is_missing(city: Database, shop: Shop) -> None:
    with pytest.raises(Missing):
        await city.transact(add_member, as_officer(shop.store_id, NOBODY, CLERK))
    new = await account(city, "new")
    with pytest.raises(Missing):
        await city.transact(add_member, replace(as_officer(shop.store_id, new, CLERK), person_id=NOBODY))


async def test_a_member_is_added_once_and_never_demoted_by_adding(city: Database, shop: Shop) -> None:
    for command in (as_officer(shop.store_id, shop.owner, CLERK), by(shop.manager, shop.store_id, shop.owner, CLERK)):
        with pytest.raises(MemberExists):
            await city.transact(add_member, command)
    new = await account(city, "new")
    answers = await asyncio.gather(
        *(city.transact(add_member, as_officer(shop.store_id, new, CLERK)) for _ in range(10)), return_exceptions=True
    )
    assert sum(isinstance(answer, Member) for answer in answers) == 1
    assert sum(isinstance(answer, MemberExists) for answer in answers) == 9


async def test_a_disabled_member_has_no_role_until_added_again(city: Database, shop: Shop) -> None:
    leave = DisableMember(shop.manager, as_officer=False, store_id=shop.store_id, account_id=shop.clerk, reason="left")
    await city.transact(disable_member, leave)
    assert (await at_till(city, shop.store_id, shop.clerk)).member_role is None
    with pytest.raises(Missing):
        await city.transact(disable_member, leave)
    async with city.begin() as tx:
        assert await stores_of_account(tx, shop.clerk) == ()
        found = {each.account_id: each.status for each in await members(tx, shop.store_id)}
    assert found[shop.clerk] is MemberStatus.DISABLED
    await city.transact(add_member, by(shop.owner, shop.store_id, shop.clerk, MANAGER))
    assert (await at_till(city, shop.store_id, shop.clerk)).member_role == "manager"


async def test_who_may_disable_whom(city: Database, shop: Shop) -> None:
    def end(actor: UUID, target: UUID, reason: str = "left") -> DisableMember:
        return DisableMember(actor, as_officer=False, store_id=shop.store_id, account_id=target, reason=reason)

    for actor, target in ((shop.clerk, shop.owner), (shop.manager, shop.owner), (shop.clerk, shop.clerk)):
        with pytest.raises(Forbidden):
            await city.transact(disable_member, end(actor, target))
    with pytest.raises(MerchantReasonMissing):
        await city.transact(disable_member, end(shop.owner, shop.clerk, " "))
    with pytest.raises(Missing):
        await city.transact(disable_member, end(NOBODY, shop.clerk))
    await city.transact(disable_member, end(shop.owner, shop.manager))
    officers = DisableMember(
        OFFICER, as_officer=True, store_id=shop.store_id, account_id=shop.owner, reason="fictitious sales"
    )
    await city.transact(disable_member, officers)
    assert (await at_till(city, shop.store_id, shop.owner)).member_role is None


async def test_what_a_payment_sees_of_a_store(city: Database, shop: Shop) -> None:
    seen = await at_till(city, shop.store_id, shop.owner)
    assert (seen.id, seen.name, seen.store_class, seen.accepting) == (shop.store_id, "竹屋青果店", "small", True)
    assert (seen.member_role, seen.staff_person_ids) == ("owner", frozenset())
    assert (await at_till(city, shop.store_id, None)).member_role is None
    assert (await at_till(city, shop.other_store_id, shop.owner)).member_role is None
    stop = SetStoreStatus(OFFICER, shop.store_id, Status.SUSPENDED, "why")
    await city.transact(set_store_status, stop)
    assert not (await at_till(city, shop.store_id, None)).accepting
    second = await city.transact(add_store, AddStore(OFFICER, seen.merchant_id, SHOP))
    assert (await at_till(city, second.id, None)).accepting


async def test_persons_known_to_be_staff_are_seen_by_payments(city: Database, shop: Shop) -> None:
    async def person(tx: Tx, _: None) -> UUID:
        asked = await request_code(tx, RequestCode("090-1234-5678", bytes(32)))
        return (await sign_in(tx, ProvenPhone(asked.attempt_id, asked.phone))).person_ids[0]

    person_id, new = await city.transact(person, None), await account(city, "new")
    command = replace(as_officer(shop.store_id, new, CLERK), person_id=person_id)
    await city.transact(add_member, command)
    assert (await at_till(city, shop.store_id, None)).staff_person_ids == {person_id}
    end = DisableMember(OFFICER, as_officer=True, store_id=shop.store_id, account_id=new, reason="left")
    await city.transact(disable_member, end)
    assert (await at_till(city, shop.store_id, None)).staff_person_ids == frozenset()
    await city.transact(add_member, as_officer(shop.store_id, new, CLERK))
    assert (await at_till(city, shop.store_id, None)).staff_person_ids == {person_id}
