"""The residents' API."""

from fastapi import FastAPI

from infra.http.apps import create_api
from infra.http.context import Context
from services.identity.tokens import Audience
from wallet_api import (
    cards,
    care,
    codes,
    lost_phones,
    owed_secrets,
    passkeys,
    payments,
    programmes,
    purchases,
    residency,
    sessions,
    sign_in,
    wallets,
)

PREFIX = "/api/wallet/v1"
SECONDS = 6.0
"""Longer than any statement may take; then the caller hears 503 and sends the same id again."""

DESCRIPTION = """For residents: sign in by phone, buy points at a premium, pay stores, see every yen.

Every command (a POST that needs `Idempotency-Key`) is named by the client: make a UUID, store
it, then send. The same id and content give the same answer, once. Errors are RFC 9457 problems;
rely on `code` and `params`.
"""


_OF_ACCOUNTS = (sign_in, sessions, owed_secrets, passkeys)
_OF_WALLETS = (wallets, care, residency, cards, lost_phones, purchases, payments)
_PARTS = (*_OF_ACCOUNTS, programmes, codes, *_OF_WALLETS)


def create_wallet_api(context: Context) -> FastAPI:
    """The app over one city's context, for the server and, in-process, for simulations and tests."""
    routers = [each.routes for each in _PARTS]
    return create_api(
        context, Audience.WALLET, title="Tanabata wallet API", description=DESCRIPTION, routers=routers, seconds=SECONDS
    )
