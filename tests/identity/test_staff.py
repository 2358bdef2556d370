"""Staff accounts: one an address, roles by rule, found rather than altered, audited."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from services.identity.may import require_acts_for, require_role
from services.identity.people import AccountReasonMissing, AccountStatus, EmailMalformed, Role, RolesInvalid
from services.identity.read import account, accounts, persons
from services.identity.request_code import RequestCode, request_code
from services.identity.sign_in import CodeGuess, SignedIn, prove_phone, sign_in
from services.identity.staff import (
    EmailTaken,
    OpenCityAccount,
    OpenMerchantAccount,
    SetAccountStatus,
    StaffAccount,
    open_city_account,
    open_merchant_account,
    set_account_status,
)
from services.kit.db import Database
from services.kit.errors import Forbidden, Missing, Refusal

ACTOR = UUID(int=9)
KEY = bytes(32)


def city_account(email: str = "officer@city.example.jp", *roles: Role) -> OpenCityAccount:
    return OpenCityAccount(ACTOR, email, "職員", "hash", roles or (Role.OFFICER,))


def clerk_account(email: str = "clerk@shop.example.jp", name: str = "店員", kept: str = "hash") -> OpenMerchantAccount:
    return OpenMerchantAccount(ACTOR, email, name, kept)


async def resident(city: Database, phone: str) -> SignedIn:
    asked = await city.transact(request_code, RequestCode(phone, KEY))
    return await city.transact(sign_in, await prove_phone(city, CodeGuess(asked.attempt_id, asked.code, KEY)))


async def audited(city: Database) -> list[tuple[str, UUID, object]]:
    async with city.begin() as tx:
        query = text("SELECT action, subject_id, detail FROM audit_entry WHERE actor_id = :a ORDER BY recorded_at")
        return [tuple(row) for row in await tx.connection.execute(query, {"a": ACTOR})]


async def test_a_city_account_has_its_roles_and_is_audited(city: Database) -> None:
    opened = await city.transact(open_city_account, city_account("o@city.example.jp", Role.OFFICER, Role.APPROVER))
    async with city.begin() as tx:
        found = await account(tx, opened.account_id)
    assert (found.email, found.roles, found.status) == ("o@city.example.jp", ("approver", "officer"), "active")
    said = {"roles": ["approver", "officer"], "person_named": False}
    assert await audited(city) == [("account.opened", opened.account_id, said)]


@pytest.mark.parametrize(
    ("command", "refusal"),
    [
        (OpenCityAccount(None, "o@city.example.jp", "n", "h", ()), RolesInvalid),
        (OpenCityAccount(None, "o@city.example.jp", "n", "h", (Role.MERCHANT,)), RolesInvalid),
        (OpenCityAccount(None, "o", "n", "h", (Role.OFFICER,)), EmailMalformed),
    ],
)
async def test_a_wrong_account_is_refused(city: Database, command: OpenCityAccount, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        await city.transact(open_city_account, command)


async def test_an_address_is_one_account(city: Database) -> None:
    await city.transact(open_city_account, city_account())
    for command in (city_account(), city_account("OFFICER@City.example.jp")):
        with pytest.raises(EmailTaken):
            await city.transact(open_city_account, command)
    with pytest.raises(EmailTaken):
        await city.transact(open_merchant_account, clerk_account("officer@city.example.jp"))
    await city.transact(open_merchant_account, clerk_account())
    with pytest.raises(EmailTaken):
        await city.transact(open_city_account, city_account("clerk@shop.example.jp"))


async def test_a_clerk_who_is_known_is_found_and_not_altered(city: Database) -> None:
    first = await city.transact(open_merchant_account, clerk_account())
    again = await city.transact(open_merchant_account, clerk_account("Clerk@shop.example.jp", "Mallory", "stolen"))
    assert (first.opened, again) == (True, StaffAccount(first.account_id, opened=False))
    async with city.begin() as tx:
        found = await account(tx, first.account_id)
        query = text("SELECT password_hash FROM account WHERE id = :id")
        assert (await tx.connection.execute(query, {"id": first.account_id})).scalar_one() == "hash"
    assert (found.name, found.roles) == ("店員", (Role.MERCHANT,))


async def test_of_twenty_openings_at_once_one_opens(city: Database) -> None:
    opened = await asyncio.gather(*(city.transact(open_merchant_account, clerk_account()) for _ in range(20)))
    assert len({each.account_id for each in opened}) == 1
    assert sum(each.opened for each in opened) == 1


async def test_a_disabled_account_is_not_found_again(city: Database) -> None:
    opened = await city.transact(open_merchant_account, clerk_account())
    disable = SetAccountStatus(ACTOR, opened.account_id, AccountStatus.DISABLED, " left ")
    await city.transact(set_account_status, disable)
    with pytest.raises(EmailTaken):
        await city.transact(open_merchant_account, clerk_account())
    await city.transact(set_account_status, SetAccountStatus(ACTOR, opened.account_id, AccountStatus.ACTIVE, "back"))
    assert not (await city.transact(open_merchant_account, clerk_account())).opened
    assert (await audited(city))[1:] == [
        ("account.disabled", opened.account_id, {"reason": "left"}),
        ("account.activated", opened.account_id, {"reason": "back"}),
    ]
    with pytest.raises(Missing):
        await city.transact(set_account_status, SetAccountStatus(ACTOR, UUID(int=1), AccountStatus.ACTIVE, "x"))
    with pytest.raises(AccountReasonMissing):
        await city.transact(set_account_status, SetAccountStatus(ACTOR, opened.account_id, AccountStatus.ACTIVE, " "))


async def test_accounts_are_read_as_a_set(city: Database) -> None:
    one = await city.transact(open_city_account, city_account("a@city.example.jp", Role.AUDITOR))
    two = await city.transact(open_merchant_account, clerk_account())
    async with city.begin() as tx:
        found = await accounts(tx, [one.account_id, two.account_id, UUID(int=1)])
        assert await accounts(tx, []) == {}
        with pytest.raises(Missing):
            await account(tx, UUID(int=1))
        with pytest.raises(ValueError, match="too many"):
            await accounts(tx, [UUID(int=number) for number in range(501)])
    assert set(found) == {one.account_id, two.account_id}
    assert found[one.account_id].roles == (Role.AUDITOR,)


async def test_nobody_acts_for_a_person_who_is_not_theirs(city: Database) -> None:
    mine, yours = await resident(city, "090-1234-5678"), await resident(city, "080-1234-5678")
    async with city.begin() as tx:
        await require_acts_for(tx, mine.account_id, mine.person_ids[0])
        for person_id in (yours.person_ids[0], UUID(int=1)):
            with pytest.raises(Missing):
                await require_acts_for(tx, mine.account_id, person_id)


async def test_a_guardian_acts_for_themselves_first(city: Database) -> None:
    parent, child = await resident(city, "090-1234-5678"), await resident(city, "080-1234-5678")
    link = text("INSERT INTO account_acts_for VALUES (:a, :p, 'guardian')")
    async with city.begin() as tx:
        await tx.connection.execute(link, {"a": parent.account_id, "p": child.person_ids[0]})
        await tx.connection.execute(link, {"a": child.account_id, "p": parent.person_ids[0]})
        await require_acts_for(tx, parent.account_id, child.person_ids[0])
    async with city.begin() as tx:
        assert await persons(tx, parent.account_id) == (parent.person_ids[0], child.person_ids[0])
        assert await persons(tx, child.account_id) == (child.person_ids[0], parent.person_ids[0])


async def test_a_role_is_asked_of_the_tables_and_not_of_the_token(city: Database) -> None:
    opened = await city.transact(open_city_account, city_account())
    async with city.begin() as tx:
        assert (await require_role(tx, opened.account_id, Role.OFFICER, Role.APPROVER)).id == opened.account_id
        with pytest.raises(Forbidden):
            await require_role(tx, opened.account_id, Role.APPROVER)
        with pytest.raises(Forbidden):
            await require_role(tx, UUID(int=1), Role.OFFICER)
    await city.transact(set_account_status, SetAccountStatus(ACTOR, opened.account_id, AccountStatus.DISABLED, "left"))
    async with city.begin() as tx:
        with pytest.raises(Forbidden):
            await require_role(tx, opened.account_id, Role.OFFICER)
