"""What a carer does with a wallet and what they do not; every deed is known as theirs, and counts for the person."""

from collections import Counter
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from infra.http.tokens import new_token
from infra.phone import SandboxPhone
from services.identity.open_session import BY_BEARER, OpenSession, open_session
from services.identity.people import AccountKind, AccountStatus, Role
from services.identity.staff import SetAccountStatus, set_account_status
from services.identity.tokens import Audience
from services.merchants.add_member import AddMember, add_member
from services.merchants.shops import MemberRole
from tests.care.family import CONSENT, Family, begin, family_of
from tests.http_town import WALLET, HttpTown, done, problem
from tests.town import OFFICER

LIMIT = 10_000


@pytest.fixture
async def family(engine: AsyncEngine) -> Family:
    town = HttpTown(engine)
    await town.programme()
    return await family_of(town)


async def test_a_carer_sees_buys_and_pays_in_all_ways_and_the_books_prove(family: Family) -> None:
    town, carer = family.town, family.as_daughter()
    body = {"programme": "starlight", "units": 1}
    bought = done(await carer.command(f"/wallets/{family.wallet}/purchases", body), 201)
    await town.client("").post(f"{bought['checkout_url']}/pay")
    receipt = done(await family.pay(carer, 700), 201)
    assert receipt["balance_after_yen"] == 26_000 - 700
    assert done(await carer.get(f"/wallets/{family.wallet}/payments/{receipt['payment_id']}"))["receipt"] == receipt
    scanned = done(await family.scan(family.code(await family.phone()), 5_001), 201)
    till = done(
        await town.as_clerk(family.shop).command(f"/stores/{family.shop.id}/till-codes", {"amount_yen": 9}), 201
    )
    done(await carer.command(f"/wallets/{family.wallet}/payments", {"code": till["number"]}), 201)
    done(await family.pay(family.as_mother(), 1), 201)
    for reader in (carer, family.as_mother()):
        shown = done(await reader.get(f"/wallets/{family.wallet}/history"))["movements"]
        assert Counter((each["kind"], each["carer_name"]) for each in shown) == {
            ("purchase", None): 1,
            ("purchase", "娘の花子"): 1,
            ("payment", "娘の花子"): 3,
            ("payment", None): 1,
        }
    assert {"wallet_id", "acted_by", "balance_after_yen", "care_id"}.isdisjoint(scanned)
    assert await town.points(family.mother) == 26_000 - 700 - 5_001 - 9 - 1
    assert await town.points(family.daughter) == 0
    await town.must_prove()


async def test_the_audit_log_says_who_paid_and_bought_for_whom(family: Family) -> None:
    town = family.town
    receipt = done(await family.pay(family.as_daughter(), 100), 201)
    body = {"programme": "starlight", "units": 1}
    bought = done(await family.as_daughter().command(f"/wallets/{family.wallet}/purchases", body), 201)
    done(await family.pay(family.as_mother(), 100), 201)
    auditor = await town.as_staff(Role.AUDITOR)
    for action, deed_id in (("care.paid", receipt["payment_id"]), ("care.bought", bought["id"])):
        [entry] = done(await auditor.get("/audit", params={"action": action}))["entries"]
        assert (entry["actor_id"], entry["subject_id"]) == (str(family.daughter.account_id), family.wallet)
        assert entry["detail"] == {"deed": deed_id, "care": family.care_id}


async def test_what_is_the_persons_own_stays_theirs(family: Family) -> None:
    carer, path = family.as_daughter(), f"/wallets/{family.wallet}"
    proof = {"name": "星野 光", "birth_date": "1960-07-07", "code": "K000000000"}
    for answer in (
        await carer.get(f"{path}/residency"),
        await carer.command(f"{path}/residency/letter", proof | {"code": "K0000-0000"}),
        await carer.command(f"{path}/residency/service"),
        await carer.command(f"{path}/block-code", {}),
        await carer.command(f"{path}/care-codes", CONSENT),
        await carer.command(f"{path}/devices/{family.mother.device.id}/block"),
        await carer.command(f"{path}/devices/{family.mother.device.id}/name", {"name": "mine"}),
    ):
        assert answer.status_code in {404, 422}, answer.text
        assert answer.json()["code"] in {"not_found", "number_mistyped"}, answer.text
    assert [each["id"] for each in done(await carer.get("/wallets"))["wallets"]] == [str(family.daughter.wallet.id)]


async def test_a_carer_sees_and_blocks_their_own_phones_only(family: Family) -> None:
    phone = await family.phone()
    listed = done(await family.as_daughter().get(f"/wallets/{family.wallet}/devices"))["devices"]
    assert [each["id"] for each in listed] == [str(phone[1])]
    assert len(done(await family.as_mother().get(f"/wallets/{family.wallet}/devices"))["devices"]) == 2
    done(await family.as_daughter().command(f"/wallets/{family.wallet}/devices/{phone[1]}/block"))
    problem(await family.scan(family.code(phone), 100), 403, "device_blocked")


async def test_a_stranger_finds_nothing(family: Family) -> None:
    stranger = family.town.as_resident(await family.town.resident())
    for path in ("", "/history", "/devices", "/purchases"):
        problem(await stranger.get(f"/wallets/{family.wallet}{path}"), 404, "not_found")
    problem(await family.pay(stranger, 100), 404, "not_found")
    body = {"programme": "starlight", "units": 1}
    problem(await stranger.command(f"/wallets/{family.wallet}/purchases", body), 404, "not_found")
    problem(await family.end(stranger), 404, "not_found")


async def test_nor_does_the_cared_for_person_in_the_carers_wallet(family: Family) -> None:
    problem(await family.as_mother().get(f"/wallets/{family.daughter.wallet.id}"), 404, "not_found")


async def test_nobody_pays_their_own_store_with_a_wallet_that_they_care_for(family: Family) -> None:
    phone, works_as = await family.phone(), (await family.town.shop()).clerk_id
    joins = AddMember(OFFICER, True, family.shop.id, works_as, MemberRole.CLERK, family.daughter.person_id)
    await family.town.do(add_member, joins)
    for yen in (100, 6_000):
        problem(await family.pay(family.as_daughter(), yen), 403, "own_store")
        problem(await family.scan(family.code(phone), yen), 403, "own_store")
    done(await family.pay(family.as_mother(), 100), 201)


async def test_the_new_phone_limit_is_that_of_the_carers_phone(family: Family) -> None:
    """A phone that is new to the daughter's account pays small sums for her mother, too."""
    town, account_id = family.town, family.daughter.account_id
    opened = await town.do(open_session, OpenSession(account_id, AccountKind.RESIDENT, BY_BEARER, LIMIT))
    token = new_token(town.built.context, Audience.WALLET, account_id, (Role.RESIDENT,), opened.id)
    carer, phone = town.client(WALLET, token), SandboxPhone(town.entropy.take(32))
    made = await carer.command(f"/wallets/{family.wallet}/devices", {"name": "new", "public_jwk": phone.public_jwk()})
    code = family.code((phone, UUID(done(made, 201)["id"])))
    problem(await family.pay(carer, LIMIT + 1), 409, "new_phone_limit")
    problem(await family.scan(code, LIMIT + 1), 409, "new_phone_limit")
    done(await family.pay(family.as_mother(), LIMIT + 1), 201)


async def test_a_carer_whose_account_is_closed_cares_no_more(family: Family) -> None:
    phone = await family.phone()
    closing = SetAccountStatus(OFFICER, family.daughter.account_id, AccountStatus.DISABLED, "left")
    await family.town.do(set_account_status, closing)
    problem(await family.scan(family.code(phone), 100), 422, "device_unknown")


async def test_a_lost_phone_of_the_carers_pays_for_nobody(family: Family) -> None:
    """Blocking the daughter's phones blocks the keys that they had for her mother's wallet; the mother's pay on."""
    phone, town = await family.phone(), family.town
    centre = await town.as_staff(Role.CALL_CENTRE)
    body = {"identified_by": "birth date", "reason": "phone left on a train"}
    path = f"/wallets/{family.daughter.wallet.number}/phones/block"
    assert done(await centre.command(path, body))["phones"] == 2
    problem(await family.scan(family.code(phone), 100), 403, "device_blocked")
    await town.pay(family.mother, family.shop, 100)


async def test_two_carers_and_two_who_are_cared_for_are_kept_apart(family: Family) -> None:
    town = family.town
    son, father = await town.resident(), await town.resident()
    await begin(town, family.mother, son)
    await begin(town, father, family.daughter)
    done(await family.pay(town.as_resident(son), 100), 201)
    problem(await town.as_resident(son).get(f"/wallets/{father.wallet.id}"), 404, "not_found")
    found = done(await family.as_daughter().get("/care"))["cares"]
    assert {each["wallet_id"] for each in found} == {family.wallet, str(father.wallet.id)}
