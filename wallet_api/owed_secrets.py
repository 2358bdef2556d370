"""What a new phone owes that came by a one-time code alone: a secret, before it adds what signs or enters."""

from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Resident
from infra.http.context import Context, Here
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Secret
from services.identity import read
from services.identity.owed_secret import SecretExhausted, SecretRefused, require_nothing_owed
from services.identity.tokens import AccessToken
from services.kit.db import Tx
from services.wallets.show_secret import ShowSecret, show_secret

routes = router("secrets")


class SecretRequest(Body):
    """What was in the city's letter, or on the printed code that blocks lost phones."""

    code: Secret = Field(repr=False, description="In any width, case and grouping; it works once.")


class SecretAnswer(Answer):
    """This sign-in may add a phone, a passkey and a printed code; the first day's limit stays."""

    secret_owed: bool


@routes.post("/sessions/secret", responses=refuses(SecretRefused, SecretExhausted))
async def show_own_secret(body: SecretRequest, token: Resident, here: Here) -> SecretAnswer:
    """Show the secret that this sign-in owes. A wrong one costs one of its five tries, and nobody else's.

    It needs no `Idempotency-Key`: where nothing is owed any more, nothing happens.
    """
    person_id = await here.database.transact(_own_person, token)
    asked = ShowSecret(token.account_id, token.session_id, person_id, body.code, here.code_key, here.password_cost)
    await show_secret(here.database, asked)
    return SecretAnswer(secret_owed=False)


async def must_be_settled(here: Context, token: AccessToken) -> None:
    """Raises SecretOwed while this sign-in owes its secret. What was settled is not owed again."""

    async def ask(tx: Tx, _: None) -> None:
        await require_nothing_owed(tx, token.account_id, token.session_id)

    await here.database.transact(ask, None, direct=True)


async def _own_person(tx: Tx, token: AccessToken) -> UUID:
    return (await read.persons(tx, token.account_id))[0]
