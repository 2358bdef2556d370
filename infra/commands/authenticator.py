"""`tanabata authenticator`: an authenticator app in software, for trying the APIs by hand."""

import binascii
from base64 import b32decode
from datetime import UTC, datetime
from typing import Annotated

import typer

from services.identity.totp import code_at, step_of


def authenticator(
    secret: Annotated[str, typer.Argument(help="The secret that an enrolment showed, in base32.")],
) -> None:
    """Print the six digits that an authenticator app with this secret shows now."""
    try:
        key = b32decode(secret.replace(" ", "").upper())
    except binascii.Error as error:
        raise typer.BadParameter("not a secret in base32") from error
    typer.echo(code_at(key, step_of(datetime.now(UTC))))
