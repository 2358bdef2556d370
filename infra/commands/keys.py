"""`tanabata keys`: which keys access tokens are signed with and believed by, and a new one in their place."""

import os
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from infra.console import complain, out
from infra.keys import KeyUnsafe, keys_for, load_keys, rotate
from infra.settings import Settings

MOST_HOURS = 24 * 30


def keys(
    rotated: Annotated[
        bool, typer.Option("--rotate", help="Make a new key that signs from the next start on.")
    ] = False,
    hours: Annotated[
        int,
        typer.Option(min=1, max=MOST_HOURS, help="How long the old key is believed: until everything was restarted."),
    ] = 24,
) -> None:
    """List the keys of access tokens by their thumbprints; --rotate makes a new one."""
    settings = Settings.from_env(os.environ)
    try:
        if rotated:
            _rotate(settings, datetime.now(UTC) + timedelta(hours=hours))
        _list(settings)
    except KeyUnsafe as error:
        complain(str(error))
        raise typer.Exit(1) from None


def _rotate(settings: Settings, until: datetime) -> None:
    if settings.token_key is not None:
        raise KeyUnsafe("the token keys come from TANABATA_TOKEN_KEY: change that variable instead")
    old, new = rotate(settings.data_dir, until)
    out.print(f"{new} signs from the next start on; {old} is believed until {until:%Y-%m-%d %H:%M} UTC")


def _list(settings: Settings) -> None:
    found = keys_for(
        load_keys(settings.data_dir, settings.token_key, settings.token_keys_believed), settings.public_url
    )
    for kid in found.believed:
        until = found.retired_at.get(kid)
        words = "signs" if kid == found.kid else "believed" if until is None else f"until {until:%Y-%m-%d %H:%M} UTC"
        out.print(f"{kid}  {words}", markup=False, highlight=False, soft_wrap=True)
