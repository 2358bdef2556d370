"""Guessing locks out strangers, and no client that was here before."""

from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.hashing import hash_new_password
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.session import RefreshToken, write_token
from services.identity.staff import OpenCityAccount, open_city_account
from tests.http_town import CITY, HttpTown, done, problem
from tests.infra.signing_in import OWN_PAGE, PASSWORD, REMINDER, cookies_of, refresh, sign_in, staffed


@pytest.fixture
async def town(engine: AsyncEngine) -> HttpTown:
    return await staffed(engine)


async def lock_out(town: HttpTown) -> None:
    """A stranger guesses at the address until it rests."""
    for _ in range(10):
        problem(await sign_in(town, password=f"yama-no-momiji-{town.new_key()}"), 401, "sign_in_refused")
    problem(await sign_in(town), 429, "sign_in_throttled")


async def test_a_stranger_who_guesses_keeps_no_known_client_out(town: HttpTown) -> None:
    """By a token of a session that is over, or by the cookie that outlives signing out."""
    first = done(await sign_in(town))
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    reminder = {"cookie": f"{REMINDER}={cookies_of(answer)[REMINDER][0]}"}
    done(await town.client(CITY, first["access_token"]).command("/sign-out", {"everywhere": True}))
    await lock_out(town)
    done(await sign_in(town, earlier_refresh_token=first["refresh_token"]))
    done(await sign_in(town, headers=OWN_PAGE | reminder, carrier="cookie"))
    problem(await sign_in(town, headers=reminder), 429, "sign_in_throttled")  # only a page of ours shows its cookie
    mine = town.client(CITY, done(await sign_in(town, earlier_refresh_token=first["refresh_token"]))["access_token"])
    done(await mine.command("/password", {"old_password": PASSWORD, "new_password": "kawa-no-nagare-55"}))


async def test_a_known_client_guesses_no_more_than_a_stranger(town: HttpTown) -> None:
    token = done(await sign_in(town))["refresh_token"]
    for _ in range(10):
        wrong = f"yama-no-momiji-{town.new_key()}"
        problem(await sign_in(town, password=wrong, earlier_refresh_token=token), 401, "sign_in_refused")
    problem(await sign_in(town, earlier_refresh_token=token), 429, "sign_in_throttled")
    done(await sign_in(town))  # and has taken nothing from the others


@pytest.mark.parametrize("kind", ["foreign", "invented", "copied", "no token"])
async def test_no_other_token_is_a_clients_own(town: HttpTown, kind: str) -> None:
    if kind == "foreign":
        secret = await hash_new_password("ito@city.example.jp", PASSWORD, CHEAPEST, town.entropy)
        await town.do(open_city_account, OpenCityAccount(None, "ito@city.example.jp", "伊藤", secret, (Role.OFFICER,)))
        token = done(await sign_in(town, email="ito@city.example.jp"))["refresh_token"]
    elif kind == "invented":
        session_id = UUID(done(await sign_in(town))["session_id"])
        token = write_token(RefreshToken(session_id, bytes(16), bytes(32)))
    elif kind == "copied":
        token = done(await sign_in(town))["refresh_token"]
        done(await refresh(town, token))
        problem(await refresh(town, token), 401, "refresh_reused")
    else:
        token = "x"
    await lock_out(town)
    problem(await sign_in(town, earlier_refresh_token=token), 429, "sign_in_throttled")
