"""An officer signs in and is refreshed, as a bearer or in a browser."""

from collections.abc import Mapping
from typing import Any

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.hashing import hash_new_password
from services.identity.passwords import CHEAPEST
from services.identity.people import Role
from services.identity.staff import OpenCityAccount, open_city_account
from tests.http_town import CITY, URL, HttpTown, done

EMAIL, PASSWORD = "sato@city.example.jp", "tsuki-to-hoshi-88"
ACCESS, REFRESH, REMINDER = (f"__Host-tanabata-city{kind}" for kind in ("", "-refresh", "-reminder"))
OWN_PAGE = {"origin": URL, "sec-fetch-site": "same-origin", "x-tanabata-page": "1"}


async def staffed(engine: AsyncEngine) -> HttpTown:
    """A town with one officer, who has an address and a password."""
    town = HttpTown(engine)
    secret = await hash_new_password(EMAIL, PASSWORD, CHEAPEST, town.entropy)
    await town.do(open_city_account, OpenCityAccount(None, EMAIL, "佐藤", secret, (Role.OFFICER,)))
    return town


async def sign_in(town: HttpTown, *, headers: Mapping[str, str] = {}, **more: Any) -> httpx.Response:
    body = {"email": EMAIL, "password": PASSWORD} | more
    return await town.client(CITY).post("/sign-in", json=body, headers=dict(headers))


async def refresh(town: HttpTown, token: str | None, **options: Any) -> httpx.Response:
    body = {} if token is None else {"refresh_token": token}
    return await town.client(CITY).command("/sign-in/refresh", body, **options)


def cookies_of(answer: httpx.Response) -> dict[str, tuple[str, set[str]]]:
    """Each cookie that an answer sets: its value and its attributes."""
    found = {}
    for header in answer.headers.get_list("set-cookie"):
        first, *rest = header.split("; ")
        name, _, value = first.partition("=")
        found[name] = (value.strip('"'), set(rest))
    return found


async def in_browser(town: HttpTown) -> dict[str, str]:
    """What a browser sends along after a sign-in."""
    answer = await sign_in(town, headers=OWN_PAGE, carrier="cookie")
    done(answer)
    return {"cookie": "; ".join(f"{name}={value}" for name, (value, _) in cookies_of(answer).items())}
