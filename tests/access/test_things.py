"""Of a thing in the address: somebody else's does not exist; of a body: nothing in it that was not asked for."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from infra.access.callers import CALLERS, Caller
from infra.access.matrix import PAGES, Place, verdict
from infra.http.auth import Everybody
from tests.access.all_requests import REQUESTS
from tests.access.every import PLACES
from tests.access.ground import Ground, ask, prefix_of
from tests.access.requests import Ask, ids_of_payer
from tests.http_town import documented_codes, done

pytestmark = pytest.mark.asyncio(loop_scope="session")
BY_NAME = {caller.name: caller for caller in CALLERS}
MINE = {"{wallet_id}", "{store_id}"}
COMMANDS = [place for place in PLACES if place.method == "POST" and place.api != PAGES]
BELOW = [
    place
    for place in PLACES
    if place.api in {"wallet", "merchant"} and place.path.count("{") == 2 and any(mine in place.path for mine in MINE)
]


def names(found: list[Place]) -> list[str]:
    return [f"{place.api} {place.name}" for place in found]


def admitted(place: Place) -> Caller:
    """Somebody who may: the first of the callers."""
    return next(caller for caller in CALLERS if not verdict(place, caller).status)


@pytest.mark.parametrize("place", BELOW, ids=names(BELOW))
async def test_a_strangers_thing_below_ones_own_does_not_exist(ground: Ground, place: Place) -> None:
    """One's own wallet or store in the address does not open what belongs to another."""
    caller = BY_NAME["neighbour" if place.api == "wallet" else "stranger"]
    own = str(ground.stage.neighbour.wallet.id if place.api == "wallet" else ground.stage.other_shop.id)
    theirs = str(ground.stage.resident.wallet.id if place.api == "wallet" else ground.stage.shop.id)
    async with ground.town(shared=True) as town:
        wanted = await REQUESTS[f"{place.api} {place.name}"](town, caller)
        assert theirs in wanted.path
        async with town.caller(caller, prefix_of(place)) as client:
            answer = await client.request(
                place.method, wanted.path.replace(theirs, own), **wanted.options(town, place.method)
            )
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


ADDRESSED = [place for place in PLACES if "id}" in place.path and place.api != PAGES]


@pytest.mark.parametrize("place", ADDRESSED, ids=names(ADDRESSED))
async def test_an_id_that_nobody_has_is_answered_like_somebody_elses(ground: Ground, place: Place) -> None:
    """So no answer tells whether an id is real."""
    caller = admitted(place)
    async with ground.town(shared=True) as town:
        wanted = await REQUESTS[f"{place.api} {place.name}"](town, caller)
        parts = [str(uuid4()) if len(part.split(".")[0]) == 36 else part for part in wanted.path.split("/")]
        path = "/".join(parts) + (".txt" if wanted.path.endswith(".txt") else "")
        async with town.caller(caller, prefix_of(place)) as client:
            answer = await client.request(place.method, path, **wanted.options(town, place.method))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("api", "name", "theirs"),
    [("wallet", "neighbour", "resident"), ("merchant", "owner", "clerk"), ("city", "officer", "approver")],
)
async def test_nobody_ends_somebody_elses_session(ground: Ground, api: str, name: str, theirs: str) -> None:
    """Not a neighbour's, not a clerk's by the owner, not a colleague's: to them there is none of that id."""
    async with ground.town(shared=True) as town:
        session_id = str(town.stage.other_sessions[theirs])
        async with town.caller(BY_NAME[name], f"/api/{api}/v1") as client:
            answer = await client.command(f"/sessions/{session_id}/end")
        async with town.caller(BY_NAME[theirs], f"/api/{api}/v1") as client:
            seen = {each["id"] for each in done(await client.get("/sessions"))["sessions"]}
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert session_id in seen


async def test_a_store_never_sees_who_paid(ground: Ground) -> None:
    """Whatever the stores' API answers to whoever may ask, nothing in it leads to the resident who paid."""
    seen = 0
    for place in (place for place in PLACES if place.api == "merchant"):
        for caller in (BY_NAME[name] for name in ("owner", "manager", "clerk")):
            if verdict(place, caller).status:
                continue
            async with ground.town(shared=place.method == "GET") as town:
                answer, success = await ask(town, place, caller)
                assert answer.status_code == success, answer.text
                told = [name for name in ids_of_payer(town) if name in answer.text]
            assert not told, (place.name, told)
            seen += 1
            if place.method != "GET":
                break  # a command answers every rank alike
    assert seen > 50


def with_strays(value: Any, place: str = "body") -> Iterator[tuple[str, Any]]:
    """The same body with one member too many, once for each object in it."""
    if isinstance(value, dict):
        yield f"{place}.is_admin", value | {"is_admin": True}
        for name, each in value.items():
            for where, changed in with_strays(each, f"{place}.{name}"):
                yield where, value | {name: changed}
    if isinstance(value, list) and value:
        for where, changed in with_strays(value[0], f"{place}.0"):
            yield where, [changed, *value[1:]]


@pytest.mark.parametrize("place", COMMANDS, ids=names(COMMANDS))
async def test_what_was_not_asked_for_is_refused_by_name(ground: Ground, place: Place) -> None:
    """An unknown member at every depth, and an unknown query parameter."""
    caller = admitted(place)
    async with ground.town(shared=True) as town:
        wanted = await REQUESTS[f"{place.api} {place.name}"](town, caller)
        async with town.caller(caller, prefix_of(place)) as client:
            for where, body in with_strays(wanted.body):
                asked = Ask(wanted.path, body, params=wanted.params, headers=wanted.headers)
                answer = await client.post(asked.path, **asked.options(town, "POST"))
                if where.startswith("body.public_jwk."):
                    assert answer.status_code == 422, answer.text  # a key's members are the key's own matter
                    continue
                assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), (where, answer.text)
                fields = answer.json()["params"]["fields"]
                assert any(field["code"] == "unknown" for field in fields), (where, fields)
            options = wanted.options(town, "POST")
            options["params"]["is_admin"] = "true"
            answer = await client.post(wanted.path, **options)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request"), answer.text
    assert answer.json()["params"]["fields"] == [{"location": "query.is_admin", "code": "unknown"}]


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "BREW")
PATHS = sorted({(place.api, place.path) for place in PLACES})


@pytest.mark.parametrize(("api", "path"), PATHS, ids=[f"{api} {path}" for api, path in PATHS])
async def test_a_method_that_a_path_does_not_have_is_405(ground: Ground, api: str, path: str) -> None:
    """Whoever asks: the answer is the same, and comes before anything is looked at."""
    here = [place for place in PLACES if (place.api, place.path) == (api, path)]
    known = {place.method for place in here}
    if any(isinstance(place.rule, Everybody) and place.api == PAGES for place in here) or path == "/openapi.json":
        known |= {"HEAD"} if "GET" in known else set()
    async with ground.town(shared=True) as town:
        wanted = await REQUESTS[f"{api} {here[0].name}"](town, admitted(here[0]))
        async with town.caller(admitted(here[0]), prefix_of(here[0])) as client:
            for method in METHODS:
                if method in known:
                    continue
                answer = await client.request(method, wanted.path, headers={"idempotency-key": town.new_key()})
                assert answer.status_code == 405, (method, path, answer.status_code)
                assert set(answer.headers["allow"].split(", ")) == known, (method, path)
                if method != "HEAD":
                    assert answer.json()["code"] == "method_not_allowed"


async def test_every_answer_of_the_matrix_is_documented(ground: Ground) -> None:
    """Run after the matrix: a code that came and is not in the API's document is a finding."""
    undocumented = set()
    for answer in ground.answers:
        if answer.status_code < 400:
            continue
        code = answer.json()["code"]
        known = documented_codes(answer.request.method, answer.request.url.path, answer.status_code)
        if known is not None and code not in known:
            undocumented.add((answer.request.method, answer.request.url.path, code))
    assert not undocumented


async def test_bodies_have_objects_to_stray_in() -> None:
    """The helper itself: it reaches every depth."""
    body = {"a": {"b": [{"c": 1}]}}
    assert [where for where, _ in with_strays(body)] == ["body.is_admin", "body.a.is_admin", "body.a.b.0.is_admin"]
    assert json.dumps(body) == '{"a": {"b": [{"c": 1}]}}'
