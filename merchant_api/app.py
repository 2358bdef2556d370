"""The stores' API."""

from fastapi import FastAPI

from infra.http.apps import create_api
from infra.http.context import Context
from merchant_api import (
    at_register,
    cards,
    codes,
    insight,
    members,
    passkeys,
    passwords,
    payments,
    registers,
    sessions,
    sign_in,
    statements,
    stores,
    till_codes,
)
from services.identity.tokens import Audience

PREFIX = "/api/merchant/v1"
SECONDS = 6.0

DESCRIPTION = """For stores: take payments by code, cancel and refund, print codes, read what is owed and paid.

A store sees sums, never who paid. Every command (a POST that needs `Idempotency-Key`) is named by
the client: make a UUID, store it, then send. Errors are RFC 9457 problems; rely on `code` and `params`.
"""


def create_merchant_api(context: Context) -> FastAPI:
    """The app over one city's context, for the server and, in-process, for simulations and tests."""
    of_money = (stores, codes, payments, cards, till_codes, statements, insight)
    routers = [
        each.routes for each in (sign_in, sessions, passkeys, *of_money, members, passwords, registers, at_register)
    ]
    return create_api(
        context,
        Audience.MERCHANT,
        title="Tanabata merchant API",
        description=DESCRIPTION,
        routers=routers,
        seconds=SECONDS,
    )
