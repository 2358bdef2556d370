"""Change one's own password."""

from infra.http.apps import router
from infra.http.auth import StoreStaff
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.staff import PASSWORD_REFUSALS, PasswordAnswer, PasswordRequest, change_own_password

routes = router("password")


@routes.post("/password", responses=refuses(*PASSWORD_REFUSALS))
async def change_password(body: PasswordRequest, token: StoreStaff, here: Here, command: Command) -> PasswordAnswer:
    """Choose a password that nobody else knows; whoever opened the account chose the first."""
    return await change_own_password(here, command, "store.password", token, body)
