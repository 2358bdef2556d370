"""What a sign-in answers: a bearer token for one API."""

from collections.abc import Iterable
from typing import Literal
from uuid import UUID

from pydantic import Field

from infra.http.context import Context
from infra.http.strict import Answer
from services.identity.people import Role
from services.identity.tokens import LIFETIME, Audience, issue
from services.kit.ids import uuid7


class TokenAnswer(Answer):
    """An access token; send it as `Authorization: Bearer …`."""

    access_token: str = Field(repr=False)
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the word of RFC 6750
    expires_in: int = Field(description="Seconds until the token is refused.")


def new_token(context: Context, audience: Audience, account_id: UUID, roles: Iterable[Role]) -> TokenAnswer:
    """A token from the clock's instant on."""
    now = context.clock.now()
    text = issue(context.tokens, audience, account_id, roles, now, uuid7(now, context.database.entropy))
    return TokenAnswer(access_token=text, expires_in=int(LIFETIME.total_seconds()))
