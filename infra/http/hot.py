"""What an API says of an operation that is asked all day, so that the fast door can take it.

Law: only a body in the plainest form is read here, and it is read as the plain endpoint reads it
or not at all: printable ASCII without escapes, each member once, none unknown.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

import msgspec

from infra.http.auth import Allowed
from services.payments import order as orders

B = TypeVar("B", bound=msgspec.Struct)


class Order(msgspec.Struct, frozen=True):
    """A payment to make, as the plain endpoint would: see `infra.http.idempotency.Named.pay`."""

    operation: str
    command: orders.Order


@dataclass(frozen=True)
class Hot(Generic[B]):
    """One operation: POST to `before`, a UUID, `after`.

    `rule` is the plain endpoint's own, one that asks nothing of the tables. `body_type` refuses
    unknown members and takes less than the plain endpoint or the same. `order` makes the deed of a
    body, the UUID in the path and the account; None leaves the request to the plain endpoint, and
    so does a refusal of its own.
    """

    before: str
    after: str
    rule: Allowed
    body_type: type[B]
    order: Callable[[B, UUID, UUID], Order | None]
    _decoder: msgspec.json.Decoder[B] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.rule.asks_now:
            raise ValueError("the fast door reads no tables before the deed does")
        object.__setattr__(self, "_decoder", msgspec.json.Decoder(self.body_type))

    def read(self, content: bytes) -> B | None:
        """The body, if it is plain. Raises msgspec.MsgspecError for what is not this body at all."""
        if not content.isascii() or b"\\" in content or b"\x7f" in content:
            return None
        body = self._decoder.decode(content)
        return body if content.count(b'"') == 2 * _texts(body) else None


def _texts(body: msgspec.Struct) -> int:
    """How many texts a body consists of that says each member once: its names, and those values that are text."""
    texts = 0
    for value in msgspec.structs.astuple(body):
        if value is not None:
            texts += 2 if type(value) is str else 1
    return texts
