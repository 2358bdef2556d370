"""One's own passkeys: added, looked at, removed."""

from uuid import UUID

from infra.http import passkeys
from infra.http.apps import router
from infra.http.auth import Resident
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.passkeys import (
    NEW_PASSKEY_REFUSALS,
    ChallengeAnswer,
    PasskeyAnswer,
    PasskeyRemovedAnswer,
    PasskeyRequest,
    PasskeysAnswer,
)
from services.identity.owed_secret import SecretOwed
from wallet_api.owed_secrets import must_be_settled

routes = router("passkeys")


@routes.post("/passkeys/challenge", status_code=201, responses=refuses(SecretOwed))
async def ask_for_passkey(token: Resident, here: Here, command: Command) -> ChallengeAnswer:
    """What an authenticator has to sign to be added."""
    await must_be_settled(here, token)
    return await passkeys.challenge_for_new(here, command, token)


@routes.post("/passkeys", status_code=201, responses=refuses(*NEW_PASSKEY_REFUSALS, SecretOwed))
async def add_passkey(body: PasskeyRequest, token: Resident, here: Here, command: Command) -> PasskeyAnswer:
    """Add a passkey to one's account; the account's contact is told."""
    await must_be_settled(here, token)
    return await passkeys.add_passkey(here, command, token, body)


@routes.get("/passkeys")
async def list_passkeys(token: Resident, here: Here) -> PasskeysAnswer:
    """One's own passkeys, the oldest first."""
    return await passkeys.list_own(here, token)


@routes.post("/passkeys/{passkey_id}/removal")
async def remove_passkey(passkey_id: UUID, token: Resident, here: Here, command: Command) -> PasskeyRemovedAnswer:
    """Remove a passkey; the account's contact is told."""
    return await passkeys.drop_passkey(here, command, token, passkey_id)
