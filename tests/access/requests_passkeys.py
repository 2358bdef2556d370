"""Right requests for passkeys, which all three APIs have: a software authenticator answers the challenges."""

from uuid import UUID

from infra.access.callers import Caller
from services.identity.passkeys import RelyingParty
from services.identity.people import AccountKind
from services.identity.register_passkey import (
    AskPasskey,
    RegisterPasskey,
    ask_passkey,
    register_passkey,
)
from services.identity.tables.passkeys import end_passkeys
from services.identity.use_passkey import AskUse, ask_use
from services.kit.db import Tx
from tests.access.requests import Ask, Exemplar, is_right, plain
from tests.access.requests_factors import APIS, begin
from tests.access.stage import StagedTown, namesake
from tests.authenticator import SoftAuthenticator
from tests.http_town import URL

PARTY = RelyingParty.at(URL)


def _account(town: StagedTown, caller: Caller) -> UUID:
    """The caller's own; nobody's is the resident's."""
    return town.stage.accounts[namesake(caller) if caller.audience is not None else "resident"]


async def _registered(town: StagedTown, account_id: UUID) -> tuple[SoftAuthenticator, UUID]:
    key = SoftAuthenticator(town.entropy.take(32))
    asked = await town.do(ask_passkey, AskPasskey(account_id, PARTY))
    answer = key.create(asked.options)
    made = await town.do(register_passkey, RegisterPasskey(account_id, asked.challenge_id, "key", answer, PARTY))
    return key, made.id


async def _add(town: StagedTown, caller: Caller) -> Ask:
    """With a challenge that the stage holds ready for the caller, so that nothing is written for the asking."""
    challenge_id, options = town.stage.challenges[namesake(caller) if caller.audience is not None else "resident"]
    answer = SoftAuthenticator(town.entropy.take(32)).create(options)
    return Ask("/passkeys", {"challenge_id": str(challenge_id), "name": "key", "credential": answer}, 201)


async def _remove(town: StagedTown, caller: Caller) -> Ask:
    whose = namesake(caller) if caller.audience is not None else "resident"
    return Ask(f"/passkeys/{town.stage.passkeys[whose]}/removal")


@is_right("wallet POST /sign-in/passkey")
async def _sign_in(town: StagedTown, _caller: Caller) -> Ask:
    async def end_all(tx: Tx, account_id: UUID) -> int:
        """An account has so many at most, and this one is asked for often."""
        return await end_passkeys(tx, account_id, "removed")

    await town.do(end_all, town.stage.accounts["neighbour"])
    key, _ = await _registered(town, town.stage.accounts["neighbour"])
    asked = await town.do(ask_use, AskUse(AccountKind.RESIDENT, PARTY))
    return Ask("/sign-in/passkey", {"challenge_id": str(asked.challenge_id), "credential": key.get(asked.options)})


def _factor_challenge(name: str) -> Exemplar:
    async def exemplar(town: StagedTown, _caller: Caller) -> Ask:
        return Ask("/sign-in/second-factor/passkey/challenge", {"attempt_id": str(await begin(town, name))})

    return exemplar


def _factor(kind: AccountKind, name: str) -> Exemplar:
    async def exemplar(town: StagedTown, _caller: Caller) -> Ask:
        attempt_id = await begin(town, name)
        key, _ = await _registered(town, town.stage.accounts[name])
        asked = await town.do(ask_use, AskUse(kind, PARTY, attempt_id))
        body = {"attempt_id": str(attempt_id), "challenge_id": str(asked.challenge_id)}
        return Ask("/sign-in/second-factor/passkey", body | {"credential": key.get(asked.options)})

    return exemplar


plain("wallet POST /sign-in/passkey/challenge", lambda _: Ask("/sign-in/passkey/challenge"))
for _api in ("wallet", "merchant", "city"):
    plain(f"{_api} POST /passkeys/challenge", lambda _: Ask("/passkeys/challenge", status=201))
    plain(f"{_api} GET /passkeys", lambda _: Ask("/passkeys"))
    is_right(f"{_api} POST /passkeys")(_add)
    is_right(f"{_api} POST /passkeys/{{passkey_id}}/removal")(_remove)
for _api, (_kind, _name) in APIS.items():
    is_right(f"{_api} POST /sign-in/second-factor/passkey/challenge")(_factor_challenge(_name))
    is_right(f"{_api} POST /sign-in/second-factor/passkey")(_factor(_kind, _name))
