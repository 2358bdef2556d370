"""`tanabata officer`: open an account for city staff at the prompt; the first one of an installation comes so."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import typer

from infra.console import complain, out, run, tell
from infra.database.provision import open_database
from infra.settings import Settings
from services.identity.hashing import hash_new_password
from services.identity.passwords import RECOMMENDED
from services.identity.people import Role
from services.identity.staff import OpenCityAccount, StaffAccount, open_city_account
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.errors import Refusal
from services.kit.ids import SecretEntropy


def officer(
    email: Annotated[str, typer.Argument(help="The address to sign in with.")],
    name: Annotated[str, typer.Argument(help="The person's name.")],
    role: Annotated[
        list[Role], typer.Option(help="officer, approver, auditor, analyst or call_centre; may be given several times.")
    ],
    password: Annotated[
        str, typer.Option(prompt=True, hide_input=True, confirmation_prompt=True, help="Asked for if not given.")
    ],
    staff_number: Annotated[
        str | None, typer.Option(help="The personnel office's: accounts with one number are one person.")
    ] = None,
) -> None:
    """Open an account for city staff: --role officer, approver, auditor, analyst, call_centre."""
    try:
        account = run(lambda: _open(email, name, tuple(role), password, staff_number))
    except Refusal as refusal:
        complain(str(refusal))
        raise typer.Exit(1) from None
    out.print(f"{email} signs in at /api/city/v1/sign-in (account {account.account_id})")


async def _open(
    email: str, name: str, roles: tuple[Role, ...], password: str, staff_number: str | None
) -> StaffAccount:
    entropy = SecretEntropy()
    password_hash = await hash_new_password(email, password, RECOMMENDED, entropy)
    async with _database() as database:
        command = OpenCityAccount(None, email, name, password_hash, roles, staff_number)
        return await database.transact(open_city_account, command)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    async with open_database(Settings.from_env(os.environ), tell) as handle:
        engine = handle.app_engine(pool_size=1)
        try:
            yield Database(engine, OffsetClock(), SecretEntropy())
        finally:
            await engine.dispose()
