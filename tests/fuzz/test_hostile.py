"""Hostile values in every place of every request: refused with a problem, or harmless; never a 500."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from uuid import uuid4

import httpx
import pytest

from infra.access.callers import CALLERS, Caller
from infra.access.matrix import PAGES, Place, verdict
from infra.commands.openapi import documents
from infra.http.auth import Everybody
from tests.access.all_requests import REQUESTS
from tests.access.every import PLACES
from tests.access.ground import Ground, prefix_of
from tests.access.requests import Ask
from tests.access.stage import StagedTown
from tests.fuzz.hostile import BODIES, BROKEN_TEXTS, NUMBERS, ODD_TEXTS, WORDS, ZEROES, doubled, leaves, with_raw
from tests.http_town import operations

pytestmark = pytest.mark.asyncio(loop_scope="session")
SAMPLE = 700
"""Of some ten thousand."""

REFUSED = frozenset({400, 413, 422})
COMMANDS = [place for place in PLACES if place.method == "POST" and place.api != PAGES]
QUERIES = ["-1", "0", "1e3", "true", "１０", "9" * 20, "9" * 4_000, "-" + "9" * 30, "%00", "\u202e", "\ud800", "", " "]
QUERIES += ["+5", "5.0", "1_0", " 5", "yes", "on", "T", "ｔｒｕｅ"]
PARTS = [
    "-1",
    "9" * 20,
    "9" * 4_000,
    "１２",
    "e\u0301",
    "%00",
    "%0a",
    "..%2f..%2fetc",
    "\u202e",
    "null",
    "{id}",
    "a" * 900,
]
KEYS = [
    "",
    "x",
    "1",
    "9" * 20,
    str(uuid4())[:-1],
    f'"{uuid4()}',
    "{" + str(uuid4()) + "}",
    str(uuid4()).replace("-", ""),
    "０" * 36,
]


@dataclass(frozen=True)
class Attack:
    """A request to send and the statuses that are right; None: whatever is no fault of ours."""

    name: str
    place: Place
    ask: Ask
    right: frozenset[int] | None


def caller_of(place: Place) -> Caller:
    """The first whom a place lets in."""
    return next(caller for caller in CALLERS if not verdict(place, caller).status)


def others_places(caller: Caller) -> list[Place]:
    """Where a caller is let in after another. Where everybody is, nobody's token is looked at."""
    return [
        place
        for place in PLACES
        if not isinstance(place.rule, Everybody) and not verdict(place, caller).status and caller_of(place) != caller
    ]


OTHERS = [caller for caller in CALLERS if others_places(caller)]


def attacks_on_body(place: Place, ask: Ask) -> Iterator[Attack]:
    """Every value in its body replaced by each that does not belong there, and the body as a whole."""
    if not isinstance(ask.body, dict):
        return
    for where, value in leaves(ask.body):
        hostile = [(NUMBERS, REFUSED), (ZEROES, None)] if type(value) is int else []
        hostile += [(BROKEN_TEXTS, REFUSED), (ODD_TEXTS, REFUSED if type(value) is int else None)]
        if type(value) is bool or where[:1] == ("public_jwk",):
            hostile = [(BROKEN_TEXTS, REFUSED), *([(WORDS, REFUSED)] if type(value) is bool else [])]
        for values, right in hostile:
            for name, raw in values.items():
                if (type(value), raw) in {(int, "1"), (int, "null"), (bool, "true"), (type(None), "1")}:
                    continue  # what is asked for; and nothing, where a number may be left out
                changed = Ask(
                    ask.path, None, params=ask.params, headers=ask.headers, content=with_raw(ask.body, where, raw)
                )
                yield Attack(f"{'.'.join(map(str, where))} = {name}", place, changed, right)
    for name, content in BODIES.items():
        whole = Ask(ask.path, None, params=ask.params, headers=ask.headers, content=content or doubled(ask.body))
        if name != "nothing":
            yield Attack(f"body = {name}", place, whole, REFUSED)


def attacks_on_address(place: Place, ask: Ask, known: Mapping[str, str]) -> Iterator[Attack]:
    """Its identifiers and query parameters; and one's own id of the deed."""
    parts = ask.path.split("/")
    names = place.path.split("/")
    for turn, name in enumerate(names):
        if name.startswith("{"):
            for hostile in PARTS:
                changed = "/".join([*parts[:turn], _escaped(hostile), *parts[turn + 1 :]])
                yield Attack(f"{name} = {hostile[:30]!a}", place, replace(ask, path=changed), REFUSED | {404})
    for name, kind in known.items():
        for hostile in QUERIES:
            params: Any = dict(ask.params) | {name: hostile.encode("utf-8", "surrogatepass")}
            fits = kind == "boolean" and hostile == "true"
            right = REFUSED if kind in {"integer", "boolean"} and not fits else None
            yield Attack(f"?{name} = {hostile[:30]!a}", place, replace(ask, params=params), right)
    if takes_key(place):
        for key in KEYS:
            headers: Any = dict(ask.headers) | {"idempotency-key": key.encode()}
            yield Attack(f"key = {key[:40]!a}", place, replace(ask, headers=headers), REFUSED)


def _escaped(text: str) -> str:
    if text.startswith(("%", "..%")):
        return text
    return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))


@cache
def _parameters() -> dict[str, list[tuple[str, str, str]]]:
    """Where each parameter of each operation is, its name and its type, as the APIs' documents say."""
    return {
        f"{api} {method.upper()} {path}": [
            (each["in"], each["name"], each["schema"].get("type", "")) for each in operation.get("parameters", ())
        ]
        for api, text in documents().items()
        for path, by_method in json.loads(text)["paths"].items()
        for method, operation in by_method.items()
    }


def queries_of(place: Place) -> dict[str, str]:
    """The query parameters that the API's document knows, with their types; empty for one that may be left null."""
    return {name: kind for where, name, kind in _parameters()[f"{place.api} {place.name}"] if where == "query"}


def takes_key(place: Place) -> bool:
    """Whether the operation names its deed by an id of the client's."""
    return ("header", "idempotency-key") in [
        (where, name.lower()) for where, name, _ in _parameters()[f"{place.api} {place.name}"]
    ]


async def every_attack(town: StagedTown, caller: Caller | None = None) -> list[Attack]:
    """On every place by whom it lets in first, or by one caller where they are let in after another."""
    found: list[Attack] = []
    for place in PLACES if caller is None else others_places(caller):
        if place.api == PAGES or place.path == "/openapi.json":
            continue
        ask = await REQUESTS[f"{place.api} {place.name}"](town, caller or caller_of(place))
        found += attacks_on_body(place, ask)
        found += attacks_on_address(place, ask, queries_of(place))
    return found


async def throw(town: StagedTown, attacks: list[Attack], caller: Caller | None = None) -> list[str]:
    """What went wrong, in words."""
    wrong: list[str] = []
    for attack in attacks:
        place = attack.place
        by = caller or caller_of(place)
        answer = await _answer(town, attack, by)
        if answer.status_code == 401 and answer.json()["code"] == "session_ended":  # an earlier one has signed out
            await town.sign_in_again(by)
            answer = await _answer(town, attack, by)
        if not _is_right(attack, answer):
            wrong.append(f"{place.api} {place.name}: {attack.name}: {answer.status_code} {answer.text[:160]}")
    return wrong


async def _answer(town: StagedTown, attack: Attack, by: Caller) -> httpx.Response:
    place = attack.place
    async with town.caller(by, prefix_of(place)) as client:
        return await client.request(place.method, attack.ask.path, **attack.ask.options(town, place.method))


def _is_right(attack: Attack, answer: httpx.Response) -> bool:
    if answer.status_code >= 400:
        problem: dict[str, Any] = answer.json()
        if answer.status_code >= 500 or problem["status"] != answer.status_code:
            return False
    # A limit on tries answers before a value is looked at.
    return attack.right is None or answer.status_code in attack.right or answer.status_code == 429


async def test_a_sample_of_hostile_values_does_no_harm(ground: Ground) -> None:
    async with ground.town() as town:
        attacks = await every_attack(town)
        assert len(attacks) > 5_000
        wrong = await throw(town, random.Random(5).sample(attacks, SAMPLE))
        assert not wrong, "\n".join(wrong)
        await town.must_prove()


@pytest.mark.long
async def test_no_hostile_value_in_any_place_does_harm(ground: Ground) -> None:
    async with ground.town() as town:
        wrong = await throw(town, await every_attack(town))
        assert not wrong, "\n".join(wrong)
        await town.must_prove()


@pytest.mark.long
@pytest.mark.parametrize("caller", OTHERS, ids=[caller.name for caller in OTHERS])
async def test_no_hostile_value_of_any_other_caller_does_harm(ground: Ground, caller: Caller) -> None:
    async with ground.town() as town:
        attacks = await every_attack(town, caller)
        assert attacks
        wrong = await throw(town, attacks, caller)
        assert not wrong, "\n".join(wrong)
        await town.must_prove()


async def test_the_documents_know_every_operation() -> None:
    """Or a query parameter would go untried."""
    assert len(operations()) == len([place for place in PLACES if place.api != PAGES and place.path != "/openapi.json"])
