"""An officer comes in, and is refreshed, on real commits."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import text

from services.identity.hashing import hash_new_password
from services.identity.may import require_session
from services.identity.open_session import Opening
from services.identity.passwords import CHEAPEST
from services.identity.people import AccountKind, Role
from services.identity.prove_factor import SignedInTwice
from services.identity.refresh_session import Refreshed, RefreshSession, refresh_session
from services.identity.session import (
    Carrier,
    OpenedSession,
    SessionEnded,
    read_token,
)
from services.identity.sign_in_staff import SignedInStaff, StaffSignIn
from services.identity.staff import OpenCityAccount, open_city_account
from services.kit.db import Database
from tests.identity import factor

EMAIL, PASSWORD, NEW = "sato@city.example.jp", "tsuki-to-hoshi-88", "kawa-no-nagare-55"
SECRET = bytes(range(32))


async def open_officer(city: Database) -> UUID:
    """An officer's account, with an address and a password."""
    secret = await hash_new_password(EMAIL, PASSWORD, CHEAPEST, city.entropy)
    command = OpenCityAccount(None, EMAIL, "佐藤", secret, (Role.OFFICER,))
    return (await city.transact(open_city_account, command)).account_id


async def enter(city: Database, password: str = PASSWORD, **given: Any) -> SignedInStaff | SignedInTwice:
    opened = Opening(**given)
    return await factor.enter(city, StaffSignIn(AccountKind.CITY, EMAIL, password, CHEAPEST, opened, key=SECRET))


async def _unheard(_account_id: UUID) -> None:
    """`tests/infra/test_notices.py` listens."""


async def refresh(city: Database, text: str, name: UUID | None = None, **changes: Any) -> Refreshed:
    asked = RefreshSession(AccountKind.CITY, Carrier.BEARER, read_token(text), name or uuid4(), SECRET)
    return await refresh_session(city, replace(asked, **changes), _unheard)


async def is_open(city: Database, opened: OpenedSession, account_id: UUID) -> bool:
    async with city.begin() as tx:
        try:
            await require_session(tx, account_id, opened.id, Role.OFFICER)
        except SessionEnded:
            return False
    return True


async def row(city: Database, session_id: UUID) -> Any:
    async with city.begin() as tx:
        found = await tx.connection.execute(text("SELECT * FROM session WHERE id = :id"), {"id": session_id})
        return found.one()
