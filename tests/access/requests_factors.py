"""Right requests for the second half of a staff sign-in, which stores and the city have."""

import base64
from uuid import UUID

from infra.access.callers import Caller
from services.identity.people import AccountKind
from services.identity.prove_factor import Enrol, enrol
from services.identity.tables import factors, passkeys
from services.identity.totp import code_at, step_of
from services.kit.db import Tx
from tests.access.requests import Ask, Exemplar, is_right
from tests.access.stage import StagedTown
from tests.http_town import town_keys

APIS = {"merchant": (AccountKind.MERCHANT, "stranger"), "city": (AccountKind.CITY, "auditor")}
"""Whose attempt it is: of accounts that enrol anew each time."""


async def begin(town: StagedTown, name: str) -> UUID:
    """A right password of somebody who has no second factor."""

    async def anew(tx: Tx, account_id: UUID) -> UUID:
        attempt_id = tx.new_id()
        await factors.remove(tx, account_id)
        await passkeys.end_passkeys(tx, account_id, "removed")
        await factors.begin(tx, attempt_id, account_id, tx.now.replace(year=tx.now.year + 1))
        return attempt_id

    return await town.do(anew, town.stage.accounts[name])


def _enrolment(name: str) -> Exemplar:
    async def exemplar(town: StagedTown, _caller: Caller) -> Ask:
        return Ask("/sign-in/second-factor/enrolment", {"attempt_id": str(await begin(town, name))})

    return exemplar


def _factor(kind: AccountKind, name: str) -> Exemplar:
    async def exemplar(town: StagedTown, _caller: Caller) -> Ask:
        attempt_id = await begin(town, name)
        made = await town.do(enrol, Enrol(kind, attempt_id, town_keys().code_key))
        code = code_at(base64.b32decode(made.secret), step_of(town.clock.now()))
        return Ask("/sign-in/second-factor", {"attempt_id": str(attempt_id), "code": code})

    return exemplar


for _api, (_kind, _name) in APIS.items():
    is_right(f"{_api} POST /sign-in/second-factor/enrolment")(_enrolment(_name))
    is_right(f"{_api} POST /sign-in/second-factor")(_factor(_kind, _name))
