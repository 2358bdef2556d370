"""Right requests for the routes by which sessions go on and end, which all three APIs have."""

from infra.access.callers import Caller
from services.identity.open_session import BY_BEARER, OpenSession, open_session
from services.identity.people import AccountKind
from tests.access.requests import Ask, Exemplar, is_right, plain
from tests.access.stage import StagedTown, namesake

APIS = {
    "wallet": (AccountKind.RESIDENT, "neighbour"),
    "merchant": (AccountKind.MERCHANT, "spare clerk"),
    "city": (AccountKind.CITY, "proposer"),
}
"""Whose session is refreshed: a new one each time, of accounts that do nothing else, as each has so many at most."""


def _refresh(kind: AccountKind, name: str) -> Exemplar:
    async def exemplar(town: StagedTown, _caller: Caller) -> Ask:
        opened = await town.do(open_session, OpenSession(town.stage.accounts[name], kind, BY_BEARER))
        return Ask("/sign-in/refresh", {"refresh_token": opened.refresh_token})

    return exemplar


async def _end(town: StagedTown, caller: Caller) -> Ask:
    """The caller's own session on another client; nobody's own, for who has none: the resident's."""
    whose = namesake(caller) if caller.audience is not None else "resident"
    return Ask(f"/sessions/{town.stage.other_sessions[whose]}/end")


for _api, (_kind, _name) in APIS.items():
    is_right(f"{_api} POST /sign-in/refresh")(_refresh(_kind, _name))
    plain(f"{_api} POST /sign-out", lambda _: Ask("/sign-out", {"everywhere": False}))
    plain(f"{_api} GET /sessions", lambda _: Ask("/sessions"))
    is_right(f"{_api} POST /sessions/{{session_id}}/end")(_end)

# Who owes nothing is told so, whatever was typed.
plain("wallet POST /sessions/secret", lambda _: Ask("/sessions/secret", {"code": "K0000-0000"}))
