"""Who is asking: each API takes its own tokens only, and city staff only while they hold the role."""

import pytest
from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.identity.tables.schema import AccountRow, RoleRow
from services.identity.tokens import Audience
from tests.http_town import CITY, MERCHANT, WALLET, HttpTown, done, problem


@pytest.fixture
def town(engine: AsyncEngine) -> HttpTown:
    return HttpTown(engine)


PLACES = {
    Audience.WALLET: (WALLET, "/wallets", Role.RESIDENT),
    Audience.MERCHANT: (MERCHANT, "/stores", Role.MERCHANT),
    Audience.CITY: (CITY, "/programmes", Role.OFFICER),
}


@pytest.mark.parametrize("asked", PLACES)
async def test_a_token_opens_its_own_api_only(town: HttpTown, asked: Audience) -> None:
    prefix, path, _ = PLACES[asked]
    account_id = (await town.resident()).account_id
    for audience, (_, _, role) in PLACES.items():
        token = town.token(audience, account_id, role)
        answer = await town.client(prefix, token).get(path)
        if audience is not asked:
            problem(answer, 401, "token_invalid")
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YTpi", "bearer"])
async def test_no_token_no_entry(town: HttpTown, header: str | None) -> None:
    headers = {} if header is None else {"authorization": header}
    problem(await town.client(WALLET).get("/wallets", headers=headers), 401, "unauthenticated")


@pytest.mark.parametrize("token", ["x", "a.b.c", "Bearer", "e" * 5_000, "é"])
async def test_what_is_no_token_is_refused(town: HttpTown, token: str) -> None:
    headers = {"authorization": f"Bearer {token}".encode()}
    answer = await town.client(WALLET).get("/wallets", headers=headers)  # type: ignore[arg-type]
    problem(answer, 401, "token_invalid")


async def test_two_tokens_are_none(town: HttpTown) -> None:
    token = town.token(Audience.WALLET, (await town.resident()).account_id, Role.RESIDENT)
    headers = [("authorization", f"Bearer {token}"), ("authorization", f"Bearer {token}")]
    answer = await town.client(WALLET).get("/wallets", headers=headers)
    problem(answer, 401, "unauthenticated")


async def test_a_token_ends_after_ten_minutes_by_our_clock(town: HttpTown) -> None:
    client = town.as_resident(await town.resident())
    town.wait(minutes=9, seconds=59)
    done(await client.get("/wallets"))
    town.wait(minutes=1)
    problem(await client.get("/wallets"), 401, "token_expired")


async def test_a_token_says_which_roles_it_was_asked_for(town: HttpTown) -> None:
    """A token without the role opens nothing, whatever the account may do with another."""
    resident = await town.resident()
    bare = town.client(WALLET, town.token(Audience.WALLET, resident.account_id))
    problem(await bare.get("/wallets"), 403, "forbidden")
    await town.as_staff(Role.OFFICER, Role.APPROVER)
    account_id = town.account_of(Role.OFFICER, Role.APPROVER)
    officer = town.client(CITY, town.token(Audience.CITY, account_id, Role.OFFICER))
    problem(await officer.command("/officers"), 403, "forbidden")


async def test_an_auditor_reads_and_does_nothing(town: HttpTown) -> None:
    auditor = await town.as_staff(Role.AUDITOR)
    done(await auditor.get("/programmes"))
    for path in ("/grants", "/programmes", "/merchants", "/officers", "/purchases/B/undo"):
        problem(await auditor.command(path), 403, "forbidden")


async def test_a_role_that_was_taken_away_is_gone_at_the_next_request(
    town: HttpTown, migrator_engine: AsyncEngine
) -> None:
    officer = await town.as_staff(Role.OFFICER)
    done(await officer.get("/programmes"))
    async with migrator_engine.begin() as connection:
        await connection.execute(delete(RoleRow))
    problem(await officer.get("/programmes"), 403, "forbidden")


async def test_a_disabled_account_is_nobody_at_the_next_request(town: HttpTown, migrator_engine: AsyncEngine) -> None:
    officer, resident, shop = await town.as_staff(Role.OFFICER), await town.resident(), await town.shop()
    async with migrator_engine.begin() as connection:
        await connection.execute(update(AccountRow).values(status="disabled"))
    problem(await officer.get("/programmes"), 403, "forbidden")
    problem(await town.as_clerk(shop).get("/stores"), 403, "forbidden")
    problem(await town.as_resident(resident).get(f"/wallets/{resident.wallet.id}"), 403, "forbidden")


async def test_public_places_do_not_look_at_tokens(town: HttpTown) -> None:
    done(await town.client(WALLET, "nonsense").get("/programmes"))
