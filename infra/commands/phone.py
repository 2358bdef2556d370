"""`tanabata phone`: a phone in software, for trying the APIs by hand. A real one never lets its key out."""

import json
import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from infra.phone import SandboxPhone

SECRET_BYTES = 32


def phone(
    key: Annotated[Path, typer.Argument(help="The phone's secret; made if there is none.")],
    wallet: Annotated[UUID | None, typer.Option(help="Whose points the code pays with.")] = None,
    device: Annotated[UUID | None, typer.Option(help="The id that the phone was registered under.")] = None,
) -> None:
    """Print a sandbox phone's public key (JWK), or with --wallet and --device a pay code for a minute."""
    sandbox = SandboxPhone(_secret(key))
    if wallet is None and device is None:
        typer.echo(json.dumps(sandbox.public_jwk()))
    elif wallet is None or device is None:
        raise typer.BadParameter("a pay code needs --wallet and --device")
    else:
        typer.echo(sandbox.pay_code(wallet, device, datetime.now(UTC), uuid4()))


def _secret(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        content = secrets.token_bytes(SECRET_BYTES)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
    if len(content) != SECRET_BYTES:
        raise typer.BadParameter(f"{path} is not a sandbox phone's secret")
    return content
