"""The city's API."""

from fastapi import FastAPI

from city_api import (
    accounts,
    alerts,
    audit,
    bank_files,
    cards,
    care,
    changes,
    charts,
    closes,
    desk,
    grants,
    look_alarms,
    lost_phones,
    measures,
    merchants,
    merges,
    passkeys,
    people,
    programmes,
    proof,
    purchases,
    register,
    residency,
    sessions,
    sign_in,
    staff_persons,
    stores,
    wallets,
)
from infra.http.apps import create_api
from infra.http.context import Context
from services.identity.tokens import Audience

PREFIX = "/api/city/v1"
SECONDS = 120.0
"""Closing thousands of stores takes longer than a payment may; it runs on connections of its own."""

DESCRIPTION = """For city staff: programmes, merchants, grants, settlement, proof.

`officer` proposes and runs, `approver` says the second yes, `auditor` reads, `analyst` sees figures, `call_centre`
helps whoever calls. Nobody approves what they proposed. Every command (a POST that needs `Idempotency-Key`) is named by
the client. Errors are RFC 9457 problems; rely on `code` and `params`.
"""


def create_city_api(context: Context) -> FastAPI:
    """The app over one city's context, for the server and, in-process, for simulations and tests."""
    of_people = (
        sign_in,
        sessions,
        passkeys,
        programmes,
        merchants,
        stores,
        wallets,
        register,
        residency,
        cards,
        care,
        merges,
        lost_phones,
        people,
        desk,
        look_alarms,
        grants,
        purchases,
        accounts,
        staff_persons,
        changes,
    )
    routers = [each.routes for each in (*of_people, closes, bank_files, proof, audit, measures, alerts, charts)]
    return create_api(
        context, Audience.CITY, title="Tanabata city API", description=DESCRIPTION, routers=routers, seconds=SECONDS
    )
