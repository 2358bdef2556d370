"""A refusal is a word of the domain: a stable code with parameters, never a sentence.

Each is defined beside the rule it speaks for. The edge turns it into an RFC 9457
problem; the words that a person reads come from `locales/`, under `error.<code>`.
"""

from enum import Enum
from typing import Any, ClassVar


class Kind(Enum):
    """What sort of no it is; the edge knows the HTTP status of each."""

    MALFORMED = 400
    UNAUTHENTICATED = 401
    FORBIDDEN = 403
    MISSING = 404
    CONFLICT = 409
    INVALID = 422
    THROTTLED = 429
    UNAVAILABLE = 503


class Refusal(Exception):
    """Base of every refusal; nothing has changed when one is raised."""

    code: ClassVar[str]
    kind: ClassVar[Kind] = Kind.INVALID

    def __init__(self, **params: Any) -> None:
        super().__init__(self.code, params)
        self.params = params

    def __str__(self) -> str:
        return f"{self.code} {self.params}" if self.params else self.code


class Missing(Refusal):
    """No such thing, or not yours: the two are never told apart."""

    code = "not_found"
    kind = Kind.MISSING


class Forbidden(Refusal):
    code = "forbidden"
    kind = Kind.FORBIDDEN


class Busy(Refusal):
    """The database could not answer in time; the same id may be sent again."""

    code = "unavailable"
    kind = Kind.UNAVAILABLE


def all_refusals(root: type[Refusal] = Refusal) -> list[type[Refusal]]:
    """Every defined refusal, for the tests that hold each to its texts."""
    found = []
    for child in root.__subclasses__():
        found += [child, *all_refusals(child)]
    return found
