"""Any request: bodies near to good ones, odd JSON and plain noise, headers in any number and form.

The same comparison as in test_fast_door, of requests that nobody thought of.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.house.fast_door import CODES, KEY, PATHS, PLACE, TEXTS, TILL_CODE, Request, Twins
from tests.house.fast_door_cases import AMOUNTS, KEYS, LENGTHS, STRINGS, TYPES

EXAMPLES, LONG_EXAMPLES = 150, 5_000

_GAPS = st.sampled_from(["", " ", "\n", "\t ", "\r\n"])
_ODD_GAPS = st.sampled_from(["\x0c", "\u00a0", "/**/", "\x00", "\ufeff"])
_NAMES = st.sampled_from(["code", "pay_code", "amount_yen", "x", "", "\\u0063ode", "Code", "code "])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
_BYTES = st.binary(max_size=3) | st.sampled_from([b'"', b"\\", b"\\u", b"{", b"}", b",", b":", b"0", b"-", b".", b"e"])


def values() -> st.SearchStrategy[str]:
    quoted = st.sampled_from([*CODES.values(), TILL_CODE, *STRINGS]).map('"{}"'.format)
    return (
        quoted | st.sampled_from(AMOUNTS) | _JSON.map(json.dumps) | st.integers().map(str) | st.text().map(json.dumps)
    )


@st.composite
def objects(draw: st.DrawFn, text: str) -> bytes:
    """An object of the body's own members and others, written in any way."""
    good = [(text, f'"{CODES["wallet" if text == "code" else "merchant"]}"'), ("amount_yen", "500")]
    members = draw(st.permutations(good))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(members)))
        replaced = place + draw(st.integers(0, 1))
        members = [*members[:place], (draw(_NAMES), draw(values())), *members[replaced:]]
    parts = [f'{draw(_GAPS)}"{name}"{draw(_GAPS)}:{draw(_GAPS)}{value}{draw(_GAPS)}' for name, value in members]
    end = draw(_GAPS if draw(st.integers(0, 9)) else _ODD_GAPS)
    return f"{draw(_GAPS)}{{{','.join(parts)}}}{end}".encode("utf-8", "surrogatepass")


@st.composite
def bodies(draw: st.DrawFn, text: str) -> bytes:
    """An object with up to two bytes or so of it changed, other JSON, or noise."""
    if draw(st.integers(0, 9)) == 0:
        return draw(_JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
    content = draw(objects(text))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        place = draw(st.integers(0, len(content)))
        content = content[:place] + draw(_BYTES) + content[place + draw(st.integers(0, 2)) :]
    return content


@st.composite
def changes(draw: st.DrawFn, api: str) -> Callable[[Request], Request]:
    """What becomes of a good request: its body, and perhaps one thing about it."""
    content = draw(bodies(TEXTS[api]))
    cut = draw(st.integers(0, len(content)))
    noise = st.binary(max_size=40)
    headers: list[tuple[bytes, list[tuple[bytes, ...]]]] = [
        (b"content-type", TYPES),
        (b"idempotency-key", KEYS),
        (b"content-length", LENGTHS),
        (b"authorization", [(b"Bearer x",), (b"Bearer",), ()]),
        (b"x", [()]),
    ]
    name, choices = draw(st.sampled_from(headers))
    header = draw(st.sampled_from(choices) | st.tuples(noise) | st.tuples(noise, noise))
    wanted = draw(st.sampled_from(["body", "body", "body", "header", "path", "query"]))
    place = draw(
        st.sampled_from([str(PLACE).upper(), PLACE.hex, f"urn:uuid:{KEY}"]) | st.text("0-9a-f%{}:", max_size=40)
    )
    query = draw(st.binary(max_size=8))

    def change(good: Request) -> Request:
        changed = good.with_body(content[:cut], content[cut:])
        match wanted:
            case "header":
                return changed.with_header(name, *header)
            case "path":
                return replace(changed, target=PATHS[api].format(place))
            case "query":
                return replace(changed, query=query)
            case _:
                return changed

    return change


def compare_many(api: str, examples: int) -> Twins:
    twins = Twins()
    good = twins.good(api)
    with asyncio.Runner() as runner:

        @settings(max_examples=examples, deadline=None, database=None, derandomize=examples == EXAMPLES)
        @given(changes(api))
        def compare(change: Any) -> None:
            difference = runner.run(twins.differ(change(good)))
            assert difference is None, difference

        compare()
    return twins


@pytest.mark.parametrize("api", PATHS)
def test_any_request_is_answered_alike(api: str) -> None:
    twins = compare_many(api, EXAMPLES)
    assert 10 <= twins.taken <= len(twins.replies) - 50


@pytest.mark.long
@pytest.mark.parametrize("api", PATHS)
def test_thousands_of_requests_are_answered_alike(api: str) -> None:
    compare_many(api, LONG_EXAMPLES)
