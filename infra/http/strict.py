"""Strict reading: what is not exactly as documented is refused, and nothing is guessed.

Law: a whole number is a JSON integer (never `true`, `"10"`, `1e3` or `1.0`) within its bounds; a
field or query parameter that is not documented is refused; yes and no are JSON's `true` and `false`,
and these two words in an address; text holds no control characters, no lone surrogates and nothing
that turns the direction of writing; a JSON name appears once.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any, Self

from fastapi import Request
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from infra.http.problems import InvalidRequest, MalformedJson
from services.kit.money import MAX_AMOUNT_YEN

MAX_DEPTH = 16
MAX_CODE = 40
MAX_NAME = 100
MAX_REASON = 500
MAX_SCANNED = 1_024
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:.]{5,15}([Zz]|[+-][0-9]{2}:[0-9]{2})")
_WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
_FLAGS = {"true": True, "false": False}
_BREAKS = frozenset("\n\r\t")
_BIDIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class Body(BaseModel):
    """Base of every request: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Answer(BaseModel):
    """Base of every response, made from the value that a use case returned."""

    model_config = ConfigDict(frozen=True, from_attributes=True)

    @classmethod
    def of(cls, value: object) -> Self:
        """From the value that a use case returned, by the names of its attributes."""
        return cls.model_validate(value)


def is_clean(text: str) -> bool:
    """Whether text may be stored and shown; line breaks and tabs are the control characters allowed."""
    # Nearly every text is printable, which none of these signs is; to ask that takes a thirtieth of the time.
    return text.isprintable() or not any(
        (unicodedata.category(sign) in {"Cc", "Cs"} and sign not in _BREAKS) or sign in _BIDIRECTIONAL for sign in text
    )


def is_one_line(text: str) -> bool:
    return text.isprintable() or (is_clean(text) and _BREAKS.isdisjoint(text))


def one_line(text: str) -> str:
    """The text, for a field that holds one line."""
    if not is_one_line(text):
        raise PydanticCustomError("field_control_character", "a control character")
    return text


def day_text(value: object) -> object:
    """Dates come as YYYY-MM-DD only: pydantic alone would also take a count of seconds.

    A date as such is one of ours, on its way out.
    """
    if type(value) is date:
        return value
    if not isinstance(value, str) or _DAY.fullmatch(value) is None:
        raise PydanticCustomError("date_type", "not a date")
    return value


def _instant_text(value: object) -> object:
    if not isinstance(value, str) or _INSTANT.fullmatch(value) is None:
        raise PydanticCustomError("datetime_type", "not an instant")
    return value


def _flag_text(value: object) -> object:
    if not isinstance(value, str) or value not in _FLAGS:
        raise PydanticCustomError("bool_text", "neither true nor false")
    return _FLAGS[value]


def _whole_text(value: object) -> object:
    if not isinstance(value, str) or _WHOLE.fullmatch(value) is None:
        raise PydanticCustomError("int_text", "not a whole number")
    return value


TrueOrFalse = Annotated[bool, Field(strict=True)]
"""In a body. Pydantic alone would also take 1, 0.0, "yes" and "off" for an answer."""
Flag = Annotated[bool, Field(strict=True), BeforeValidator(_flag_text)]
"""In an address: `true` or `false`. Pydantic alone would also take 1, on, y, T and others."""
WholeText = BeforeValidator(_whole_text)
"""Of a whole number in an address: its digits, as JSON writes them. Pydantic alone would also take +5, 5.0 and 1_0."""

AmountYen = Annotated[
    int,
    Field(strict=True, ge=1, le=MAX_AMOUNT_YEN, description="Whole yen, 1 to 9,999,999,999.", examples=[500]),
]
Points = Annotated[
    int,
    Field(strict=True, ge=1, le=MAX_AMOUNT_YEN, description="Whole points; one point is worth one yen."),
]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000)]
WholeNumber = Annotated[int, Field(strict=True, ge=0, le=MAX_AMOUNT_YEN)]
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2099, 12, 31)
"""Whatever the platform is asked about lies between these; the ends of the calendar cannot be computed with."""
Day = Annotated[
    date,
    BeforeValidator(day_text),
    Field(ge=FIRST_DAY, le=LAST_DAY, description="A civil day in Japan, YYYY-MM-DD, from 2000 to 2099."),
]
Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_instant_text),
    Field(
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        lt=datetime(2100, 1, 1, tzinfo=UTC),
        description="An instant with its offset, RFC 3339, from 2000 to 2099.",
    ),
]

_LINE = AfterValidator(one_line)
Name = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_NAME), _LINE]
Reason = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_REASON), _LINE]
ShortText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_CODE), _LINE]
ScannedText = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_SCANNED)]
"""What a scanner read; one that types ends with a line break, which is left to the reader of codes."""
Secret = Annotated[str, StringConstraints(strict=True, min_length=1, max_length=200), _LINE]


class StrictRequest(Request):
    """A request whose JSON is read strictly."""

    async def json(self) -> Any:
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


def read_json(content: bytes) -> Any:
    """The JSON value in a body. Raises MalformedJson, or InvalidRequest for unprintable text."""
    try:
        value = json.loads(content.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise MalformedJson(line=line, column=column) from error
    for location, text, depth in _walk(value):
        if depth > MAX_DEPTH:
            raise MalformedJson(line=1, column=1)
        if not is_clean(text):
            named = ".".join(["body", *location])
            raise InvalidRequest(fields=[{"location": named, "code": "control_character"}])
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name appears twice in an object")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _walk(root: Any) -> Iterator[tuple[tuple[str, ...], str, int]]:
    """Every text in a JSON value with its place and depth; lists and objects appear as empty text."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value, len(place)
        elif isinstance(value, list):
            yield place, "", len(place)
            waiting += [((*place, str(turn)), item) for turn, item in enumerate(value)]
        elif isinstance(value, dict):
            for name, item in value.items():
                yield place, name, len(place)
                waiting.append(((*place, name), item))
