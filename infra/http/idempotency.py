"""The phone names the deed: the `Idempotency-Key` header, and performing a command under it.

Law: a command that changes anything comes with an id that its client made and stored first. The
same id and content answer the same, with `Idempotent-Replay: true`; see `services.kit.deeds`.
Source: docs/sources.md, "The Idempotency-Key HTTP header field" (a quoted string; bare is taken too).
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request, Response
from pydantic import Field

from infra.http.context import Context, Here
from infra.http.strict import Answer
from services.identity.tokens import AccessToken
from services.kit.db import Tx, UseCase
from services.kit.deeds import Deed, answer_of, fingerprint
from services.kit.driver_uuid import read_driver_uuid
from services.kit.errors import Kind, Missing, Refusal
from services.payments.order import Order

HEADER = "Idempotency-Key"
REPLAY_HEADER = "Idempotent-Replay"
_UUID = re.compile(r'(")?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})(?(1)")', re.ASCII)

C = TypeVar("C")
R = TypeVar("R")


class IdempotencyKeyMissing(Refusal):
    """A command came without the id that its client gives it."""

    code = "idempotency_key_missing"
    kind = Kind.MALFORMED


class IdempotencyKeyInvalid(Refusal):
    """The id is not one UUID, quoted or bare."""

    code = "idempotency_key_invalid"
    kind = Kind.MALFORMED


@dataclass(frozen=True)
class Named:
    """A command's id, and where its answer goes."""

    key: UUID
    context: Context
    response: Response

    async def perform(
        self,
        account_id: UUID,
        operation: str,
        use_case: UseCase[C, R],
        command: C,
        result_type: type[R],
        *,
        said: object | None = None,
    ) -> R:
        """Perform a deed once for this account and id, or answer what it answered before.

        `operation` tells commands of equal content apart. `said` is what the client said, where
        the command holds something else (the hash of a password, salted anew each time). Raises
        what the use case refuses with, DeedIdReused and DeedInProgress.
        """
        deed = Deed(account_id, self.key, fingerprint(operation, command if said is None else said))
        done = await self.context.deeds.perform(deed, use_case, command, result_type)
        if done.replayed:
            self.response.headers[REPLAY_HEADER] = "true"
        return done.result

    @property
    def replayed(self) -> bool:
        """Whether what was performed had been done before: then nobody hears of it again."""
        return REPLAY_HEADER in self.response.headers

    async def pay(self, token: AccessToken, operation: str, order: Order) -> Any:
        """Make a payment once for this token's account and id, or answer what it answered before.

        As `perform`, but posted together with other payments that wait (`services.kit.micro_batch`), and
        whether the token's session is open is asked by the deed itself.
        """
        deed = Deed(token.account_id, self.key, fingerprint(operation, order), token.session_id)
        done = await self.context.payments.perform(deed, order)
        if done.replayed:
            self.response.headers[REPLAY_HEADER] = "true"
        return done.result


@dataclass(frozen=True)
class OwnDeed:
    """A deed by the account that did it and the id that its client gave it."""

    account_id: UUID
    key: UUID


class DeedAnswer(Answer):
    """The stored answer of a deed; 404 while it is unknown, so it may be sent again under the same id."""

    key: UUID
    result: Any = Field(description="What the deed did, as its command answered.")


async def recall(tx: Tx, deed: OwnDeed) -> DeedAnswer:
    """What one's own deed answered. Raises Missing for one that is unknown or somebody else's."""
    result = await answer_of(tx, deed.account_id, deed.key)
    if result is None:
        raise Missing
    return DeedAnswer(key=deed.key, result=result)


async def named(
    request: Request,
    response: Response,
    context: Here,
    _header: Annotated[
        str | None,
        Header(
            alias=HEADER,
            description="A UUID that the client made and stored before it sent the command, quoted or bare.",
            examples=['"0198c5a4-7c1e-7a3b-9d5e-2f6b8c1d4e7a"'],
        ),
    ] = None,
) -> Named:
    """The command's id, for FastAPI. Raises IdempotencyKeyMissing or IdempotencyKeyInvalid."""
    return Named(read_key(request.headers.getlist(HEADER)), context, response)


def read_key(values: list[str]) -> UUID:
    """The UUID in a header that was sent once."""
    if not values:
        raise IdempotencyKeyMissing
    found = _UUID.fullmatch(values[0].strip())
    if found is None or len(values) > 1:
        raise IdempotencyKeyInvalid
    return read_driver_uuid(found[2])


Command = Annotated[Named, Depends(named)]
"""Declares a route to be a command with an id."""
