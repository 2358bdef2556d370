"""Every text that a person reads, in Japanese, English and やさしい日本語 (`ja-simple`).

A text has a key and may have `{name}` places for parameters. Refusals are found under
`error.<code>`; the code is what programs rely on, the text may change any day.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from locales.weights import weighed

LANGUAGES = ("ja", "en", "ja-simple")

_PLACE = re.compile(r"\{([a-z_][a-z0-9_]*)\}")


@cache
def texts(language: str) -> Mapping[str, str]:
    """All texts of one of `LANGUAGES` by key. Raises ValueError for another language."""
    if language not in LANGUAGES:
        raise ValueError(f"no texts in {language!r}")
    path = Path(__file__).with_name(f"{language}.json")
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return content


def choose(accept_language: str) -> str:
    """The language that weighs most in an `Accept-Language` header, of those that we have and it does not refuse.

    Among equals the first of the header, or, where it names none of ours, of ours; where it refuses all, Japanese.
    """
    asked = weighed(accept_language)
    ours = [each for each in LANGUAGES if asked.get(each, asked.get(each.partition("-")[0])) != 0]
    for name in sorted(asked, key=lambda each: -asked[each]):
        unnamed = [each for each in ours if each not in asked] if name == "*" else []
        for language in (name, name.partition("-")[0], *unnamed):
            if language in ours and asked[name] > 0:
                return language
    return (*ours, LANGUAGES[0])[0]


def find(language: str, key: str, /, **params: object) -> str | None:
    """The text of `key` with its places filled, or None where nobody has written one."""
    template = texts(language).get(key)
    return None if template is None else fill(template, params)


def text(language: str, key: str, /, **params: object) -> str:
    """The text of `key` with its places filled. Raises KeyError where nobody has written one."""
    return fill(texts(language)[key], params)


def fill(template: str, params: Mapping[str, object]) -> str:
    """Put parameters into their places; a place without a parameter stays visible.

    Not `str.format`: a text must never reach into the attributes of what it is given.
    """
    return _PLACE.sub(lambda place: str(params.get(place[1], place[0])), template)
