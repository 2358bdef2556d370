"""Values that people who mean harm, and phones that mean well, put where something plain is expected.

Written as raw JSON, because what matters here is what a JSON writer would never write.
"""

import json
from collections.abc import Iterator
from typing import Any

NUMBERS = {
    "twenty digits": "12345678901234567890",
    "four thousand digits": "9" * 4_000,
    "beyond what an int may be read from": "1" * 5_000,
    "above 2^63": "9223372036854775808",
    "below -2^63": "-9223372036854775809",
    "above 2^53": "9007199254740993",
    "exponent": "1e3",
    "huge exponent": "1e999999999",
    "tiny exponent": "1e-999999999",
    "many digits and an exponent": "0." + "0" * 400 + "1E400",
    "minus nothing, a fraction": "-0.0",
    "a whole fraction": "1.0",
    "a fraction": "0.1",
    "below nothing": "-1",
    "true": "true",
    "false": "false",
    "NaN": "NaN",
    "infinity": "-Infinity",
    "a leading zero": "010",
    "a plus": "+1",
    "hexadecimal": "0x10",
    "ten in a text": '"10"',
    "ten in full width": '"１０"',
    "ten in Arabic digits": '"١٠"',
    "an empty text": '""',
}
"""None of them is a whole number as we take it, or none within any bounds of ours."""

ZEROES = {"minus nothing": "-0"}
"""A whole number to JSON: zero, where a field takes zero."""

BROKEN_TEXTS = {
    "NUL": '"a\\u0000b"',
    "a raw NUL": '"a\x00b"',
    "half a surrogate pair": '"\\ud800"',
    "the other half": '"\\udc00x"',
    "halves exchanged": '"\\udc00\\ud800"',
    "text that turns around": '"\\u202etxt.exe"',
    "an isolate": '"\\u2066x\\u2069"',
    "escape": '"\\u001b[31m"',
    "delete": '"\\u007f"',
    "C1": '"\\u0085"',
    "no text: a number": "1",
    "no text: true": "true",
    "no text: a list": "[]",
    "no text: an object": "{}",
    "deep lists": "[" * 40 + "]" * 40,
    "deeper than a reader goes": "[" * 20_000 + "]" * 20_000,
    "deep objects": '{"a":' * 40 + "1" + "}" * 40,
}
"""None of them is ever taken for text."""

ODD_TEXTS = {
    "combining": '"e\\u0301' + "\\u0301" * 30 + '"',
    "decomposed": '"\\u304b\\u3099"',
    "full width": '"Ｗ２３４５６７"',
    "look-alikes": '"р\\u0430y\\u0440al"',
    "zero width": '"a\\u200bb\\ufeff"',
    "a filler": '"\\u3164"',
    "four bytes": '"𠮷野家"',
    "noncharacter": '"\\uffff"',
    "a line separator": '"a\\u2028b"',
    "emoji of a family": '"\\ud83d\\udc68\\u200d\\ud83d\\udc69\\u200d\\ud83d\\udc67"',
    "spaces": '"   "',
    "ideographic space": '"\\u3000"',
    "quotes": '"\'; DROP TABLE wallet; --"',
    "a format": '"%s%n{0}{code}"',
    "a formula": '"=1+1"',
    "long": '"' + "あ" * 9_000 + '"',
    "null": "null",
}
"""Taken or refused, as the field sees fit; never a fault of ours."""

WORDS = {
    "one": "1",
    "nothing": "0",
    "a fraction": "1.0",
    "true in a text": '"true"',
    "a word": '"yes"',
    "another word": '"off"',
    "a letter": '"t"',
    "full width": '"ｔｒｕｅ"',
    "null": "null",
    "an empty text": '""',
}
"""None of them is `true` or `false`."""

BODIES = {
    "nothing": b"",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "true": b"true",
    "twenty digits": b"12345678901234567890",
    "not UTF-8": b"\xff\xfe{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two values": b"{}{}",
    "no end": b'{"a":',
    "deep": b"[" * 30_000,
    "wide": b"[" + b"0," * 30_000 + b"0]",
    "many members": ("{" + ",".join(f'"k{turn}":0' for turn in range(5_000)) + "}").encode(),
    "too long": b'{"a":"' + b"x" * 70_000 + b'"}',
    "a duplicate of the first member": b"",  # made from the route's own body
}
_HERE = "@@here@@"


def leaves(body: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    """Every value in a body that is no list or object, with its place."""
    if isinstance(body, dict):
        for name, value in body.items():
            yield from leaves(value, (*place, name))
    elif isinstance(body, list):
        for turn, value in enumerate(body):
            yield from leaves(value, (*place, turn))
    else:
        yield place, body


def with_raw(body: Any, place: tuple[str | int, ...], raw: str) -> bytes:
    """The body as JSON, with this raw text in place of the value there."""
    text = json.dumps(_replaced(body, place), ensure_ascii=False)
    return text.replace(json.dumps(_HERE), raw).encode("utf-8", "surrogatepass")


def doubled(body: dict[str, Any]) -> bytes:
    """The body with its first member said twice."""
    text = json.dumps(body)
    name, value = next(iter(body.items()), ("anything", 1))
    return f"{{{json.dumps(name)}: {json.dumps(value)}, {text[1:]}".encode()


def _replaced(body: Any, place: tuple[str | int, ...]) -> Any:
    if not place:
        return _HERE
    first, rest = place[0], place[1:]
    if isinstance(body, list):
        return [_replaced(value, rest) if turn == first else value for turn, value in enumerate(body)]
    return {name: _replaced(value, rest) if name == first else value for name, value in body.items()}
