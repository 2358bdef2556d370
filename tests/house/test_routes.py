"""Deny by default: every route says who may use it, and the table of all routes is written down here.

A new route must be added to the table with its rule; that is the moment to think about it.
"""

import re
from typing import cast

import pytest
from fastapi import FastAPI

from city_api.app import create_city_api
from infra.http.apps import create_api, router
from infra.http.auth import Allowed, Everybody, RuleMissing, rules_of
from infra.http.context import Context
from merchant_api.app import create_merchant_api
from services.identity.tokens import Audience
from wallet_api.app import create_wallet_api


class Bare:
    docs = True
    public_url = "https://tanabata.example.jp"


BARE = cast(Context, Bare())
APPS = {
    "wallet": create_wallet_api(BARE),
    "merchant": create_merchant_api(BARE),
    "city": create_city_api(BARE),
}

PUBLIC = {
    ("wallet", "POST", "/sign-in/codes"),
    ("wallet", "POST", "/sign-in"),
    ("wallet", "POST", "/cards/balance"),
    ("wallet", "POST", "/cards/history"),
    ("wallet", "POST", "/cards/limits"),
    ("wallet", "POST", "/cards/pin"),
    ("wallet", "POST", "/sign-in/passkey/challenge"),
    ("wallet", "POST", "/sign-in/passkey"),
    ("wallet", "POST", "/sign-in/refresh"),
    ("wallet", "GET", "/programmes"),
    ("wallet", "GET", "/programmes/{code}"),
    ("wallet", "GET", "/stores/{code}"),
    ("wallet", "POST", "/checkout/webhook"),
    ("wallet", "POST", "/lost-phone"),
    ("merchant", "POST", "/sign-in"),
    ("merchant", "POST", "/sign-in/second-factor"),
    ("merchant", "POST", "/sign-in/second-factor/enrolment"),
    ("merchant", "POST", "/sign-in/second-factor/passkey/challenge"),
    ("merchant", "POST", "/sign-in/second-factor/passkey"),
    ("merchant", "POST", "/sign-in/refresh"),
    ("merchant", "POST", "/registers/staff"),
    ("merchant", "POST", "/registers/pin"),
    ("merchant", "POST", "/registers/sign-in"),
    ("city", "POST", "/sign-in"),
    ("city", "POST", "/sign-in/second-factor"),
    ("city", "POST", "/sign-in/second-factor/enrolment"),
    ("city", "POST", "/sign-in/second-factor/passkey/challenge"),
    ("city", "POST", "/sign-in/second-factor/passkey"),
    ("city", "POST", "/sign-in/refresh"),
}
OF_APPROVERS = {
    "/programmes/{code}/versions/{version}/approval",
    "/officers",
    "/accounts/{account_id}/status",
    "/accounts/{account_id}/roles/removal",
    "/accounts/{account_id}/second-factor/reset",
    "/bank-files/{bank_file_id}/approval",
    "/changes/{change_id}/approval",
}


OF_THE_CALL_CENTRE = {"/wallets/{number}/phones", "/wallets/{number}/phones/block"}
OF_THE_DESK = {
    "/people/search",
    "/wallets/{number}/cards",
    "/wallets/{number}/declines",
    "/wallets/{number}/cards/freeze",
    "/wallets/{number}/sign-ins/end",
}
OF_ONESELF = {
    "/password",
    "/sign-out",
    "/sessions",
    "/sessions/{session_id}/end",
    "/passkeys/challenge",
    "/passkeys",
    "/passkeys/{passkey_id}/removal",
}


def routes() -> list[tuple[str, str, str, Allowed | Everybody]]:
    return [
        (name, method, path, rules[0])
        for name, app in APPS.items()
        for method, path, rules in rules_of(app)
        if path != "/openapi.json"
    ]


ONLY_READS = {"/proofs"}
"""Asking for a proof alters nothing but the log that it was asked for."""


def test_only_the_listed_routes_are_public() -> None:
    found = {(name, method, path) for name, method, path, rule in routes() if isinstance(rule, Everybody)}
    assert found == PUBLIC


def test_every_other_route_asks_for_a_role_of_its_own_api() -> None:
    for name, method, path, rule in routes():
        if not isinstance(rule, Everybody):
            assert rule.audience.value == f"tanabata-{name}", (method, path)
            assert rule.roles, (method, path)


def test_in_the_city_one_role_acts_another_approves_and_all_read() -> None:
    for name, method, path, rule in routes():
        if name == "city" and isinstance(rule, Allowed):
            expected = {"officer", "approver", "auditor"}
            assert rule.of_oneself is (path in OF_ONESELF), (method, path)
            if rule.of_oneself:
                expected |= {"analyst", "call_centre"}
            elif path in {"/bank-files/{bank_file_id}/content", "/bank-files/{bank_file_id}/withdrawal"}:
                expected = {"officer", "approver"}
            elif path == "/insight/alerts":
                expected = {"officer", "auditor"}
            elif path == "/insight/alerts/{alert_id}/people/{resident}":
                expected = {"officer"}
            elif path.startswith(("/measures", "/insight/charts")):
                expected |= {"analyst"}
            elif path in OF_THE_CALL_CENTRE:
                expected = {"call_centre"}
            elif path in OF_THE_DESK and (method, path) != ("POST", "/wallets/{number}/cards"):
                expected = {"officer", "call_centre"}
            elif path == "/look-alarms/{alarm_id}/closing":
                expected = {"officer", "auditor"}
            elif path == "/audit":
                expected = {"auditor"}
            elif method != "GET" and path not in ONLY_READS:
                expected = {"approver"} if path in OF_APPROVERS else {"officer"}
            assert {role.value for role in rule.roles} == expected, (method, path)


def test_a_route_without_a_rule_stops_the_start() -> None:
    forgotten = router("test")

    @forgotten.get("/balance-of-everybody")
    async def leak() -> None: ...

    with pytest.raises(RuleMissing, match="/balance-of-everybody"):
        create_api(BARE, Audience.WALLET, title="T", description="", routers=[forgotten], seconds=1)


NO_DEEDS = {
    "/codes",
    "/people/search",
    "/register/letters/file",
    "/sessions/secret",
    "/wallets/{wallet_id}/residency/letter",
    "/wallets/{wallet_id}/residency/service",
    "/wallets/{wallet_id}/residency/service/{attempt_id}",
}
"""What only looks (at what is too long or too secret for an address), and proofs: proven once more, it is proven."""


def test_every_command_is_named_by_its_client() -> None:
    """A POST that acts for an account, or refreshes a session, takes an Idempotency-Key, but for looking a code up."""
    for name, app in APPS.items():
        for path, operations in app.openapi()["paths"].items():
            for method, operation in operations.items():
                parameters = {
                    each["name"]: each["required"] for each in operation.get("parameters", ()) if each["in"] == "header"
                }
                public = (name, method.upper(), path) in PUBLIC and path != "/sign-in/refresh"
                acts = method != "get" and not public and path not in NO_DEEDS
                assert parameters.get("Idempotency-Key", False) is acts, (name, method, path)


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_every_operation_is_described(app: FastAPI) -> None:
    document = app.openapi()
    seen: set[str] = set()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("description"), path
            assert re.fullmatch(r"[a-z_]+", operation["operationId"]), path
            assert operation["operationId"] not in seen, path
            seen.add(operation["operationId"])
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    assert "application/problem+json" in response["content"], (path, status)
                    assert response["description"], (path, status)


@pytest.mark.parametrize("app", APPS.values(), ids=APPS)
def test_every_number_in_a_request_is_bounded(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    asked = {
        name: schema for name, schema in schemas.items() if name.endswith(("Request", "Json")) or name.startswith("New")
    }
    assert asked
    for name, schema in asked.items():
        assert schema.get("additionalProperties") is False, name
        for field, rule in schema["properties"].items():
            for each in rule.get("anyOf", [rule]):
                if each.get("type") == "integer":
                    assert {"minimum", "maximum"} <= each.keys(), (name, field)
                if each.get("type") == "string" and not {"format", "const", "enum", "pattern"} & each.keys():
                    assert "maxLength" in each, (name, field)
