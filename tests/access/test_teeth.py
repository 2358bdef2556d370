"""The matrix has teeth: take one guard away, and cells that it held are found."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any
from uuid import UUID

import pytest

from infra.access.callers import Caller
from infra.access.matrix import EntryMissing, Place, places, verdict
from infra.access.reach import EVERYBODY, OFFICE, REACH
from infra.http.apps import router
from infra.http.auth import PUBLIC, Allowed
from infra.http.bearers import Bearers
from services.identity.people import Role
from services.identity.tokens import AccessToken, Audience, TokenInvalid
from services.kit.db import Tx
from services.wallets.wallet import Held, Wallet
from tests.access.every import PLACES
from tests.access.ground import Ground, disagreements
from tests.http_town import HttpTown

pytestmark = pytest.mark.asyncio(loop_scope="session")
Patch = Callable[[pytest.MonkeyPatch], None]


def tables_are_not_asked(patch: pytest.MonkeyPatch) -> None:
    async def still_holds(_self: Allowed, _tx: Tx, _token: AccessToken) -> None: ...

    patch.setattr(Allowed, "_still_holds", still_holds)


def audiences_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    real = Bearers.verify

    def verify(self: Bearers, token: str, _audience: Audience, now: datetime) -> AccessToken:
        for audience in Audience:
            try:
                return real(self, token, audience, now)
            except TokenInvalid:
                continue
        raise TokenInvalid

    patch.setattr(Bearers, "verify", verify)


def roles_are_not_compared(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Allowed, "_require_role", lambda *_: None)


def no_role_is_asked_for(patch: pytest.MonkeyPatch) -> None:
    roles_are_not_compared(patch)
    tables_are_not_asked(patch)


def wallets_are_everybodys(patch: pytest.MonkeyPatch) -> None:
    from services.wallets import read
    from services.wallets.tables import access

    async def held_wallet(tx: Tx, wallet_id: UUID, _account_id: UUID) -> Held:
        found = await access.find_wallet(tx, wallet_id=wallet_id)
        assert found is not None
        return Held(found)

    patch.setattr(read, "held_wallet", held_wallet)


def carers_are_holders(patch: pytest.MonkeyPatch) -> None:
    from services.wallets import read

    held_wallet = read.held_wallet

    async def wallet_for(tx: Tx, wallet_id: UUID, account_id: UUID) -> Wallet:
        return (await held_wallet(tx, wallet_id, account_id)).wallet

    patch.setattr(read, "wallet_for", wallet_for)


def tills_are_everybodys(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("services.payments.read.must_be_staff", lambda store, _roles: store)


def ranks_are_alike(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("services.merchants.appoint.may_appoint", lambda _acting, _role: True)


def books_are_open(patch: pytest.MonkeyPatch) -> None:
    async def must_see(*_: Any) -> None: ...

    patch.setattr("services.settlement.read._must_see", must_see)


def refusals_leave_something(patch: pytest.MonkeyPatch) -> None:
    """Whoever is refused for their role has written an audit entry all the same."""
    from services.kit import audit
    from services.kit.errors import Forbidden

    real = Allowed.__call__

    @wraps(real)  # FastAPI reads the parameters
    async def call(self: Allowed, request: Any, credentials: Any) -> AccessToken:
        try:
            return await real(self, request, credentials)
        except Forbidden:
            async with request.app.state.context.database.begin() as tx:
                await audit.record(tx, None, "account.opened", UUID(int=1))
            raise

    patch.setattr(Allowed, "__call__", call)


MUTANTS: list[tuple[Patch, str, set[str]]] = [
    (tables_are_not_asked, "city GET /programmes", {"closed officer", "former officer"}),
    (audiences_are_not_compared, "wallet GET /wallets", {"owner", "resident at merchant", "resident at city"}),
    (roles_are_not_compared, "wallet POST /wallets/{wallet_id}/payments", {"owner at wallet", "officer at wallet"}),
    (no_role_is_asked_for, "wallet GET /wallets", {"owner at wallet", "officer at wallet"}),
    (wallets_are_everybodys, "wallet GET /wallets/{wallet_id}", {"neighbour"}),
    (carers_are_holders, "wallet GET /wallets/{wallet_id}/residency", {"carer"}),
    (tills_are_everybodys, "merchant GET /stores/{store_id}/payments", {"stranger", "removed clerk"}),
    (ranks_are_alike, "merchant POST /stores/{store_id}/members", {"clerk"}),
    (books_are_open, "merchant GET /stores/{store_id}/statements", {"clerk", "stranger"}),
    (refusals_leave_something, "city POST /grants", {"what was refused changed audit_entry"}),
]


@pytest.mark.parametrize(("mutant", "name", "found"), MUTANTS, ids=[mutant.__name__ for mutant, _, _ in MUTANTS])
async def test_a_guard_that_is_gone_is_missed(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, mutant: Patch, name: str, found: set[str]
) -> None:
    [place] = [each for each in PLACES if f"{each.api} {each.name}" == name]
    mutant(monkeypatch)
    said = "\n".join(await disagreements(ground, place))
    assert {who for who in found if who in said} == found, said


async def test_a_route_without_an_entry_stops_the_build(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    async with ground.town(shared=True) as town:
        forgotten = router("test")

        @forgotten.get("/forgotten", dependencies=[PUBLIC])
        async def forgotten_place() -> None: ...

        plain: Any = HttpTown(town.database.engine).built.plain
        plain.routes[0].app.include_router(forgotten)
        with pytest.raises(EntryMissing, match="/forgotten"):
            places(plain)
        monkeypatch.setitem(REACH, "pages", {**REACH["pages"], "GET /imagined": EVERYBODY})
        with pytest.raises(EntryMissing, match="/imagined"):
            places(town.built.plain)


async def test_a_tie_that_nobody_thought_of_stops_the_build() -> None:
    place = Place("wallet", "GET", "/x", Allowed(Audience.WALLET, Role.RESIDENT), OFFICE)
    with pytest.raises(EntryMissing, match="resident"):
        verdict(place, Caller("resident", "", Audience.WALLET, Role.RESIDENT))
