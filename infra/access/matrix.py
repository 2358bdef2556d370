"""The matrix: what every caller is answered at every route, from the rules in the code and the table of reach.

Law: a route without an entry, and an entry without a route, stop whatever asks; nothing is assumed of either.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from infra.access.callers import Caller, Standing
from infra.access.reach import REACH, YES, Reach, Verdict
from infra.http.auth import Allowed, Everybody, rules_of
from services.identity.people import Role

PAGES = "pages"
"""What is served beside the three APIs."""


class EntryMissing(Exception):
    """A route is not in the table of reach, or the table speaks of a route that does not exist."""


@dataclass(frozen=True)
class Place:
    """One method and path of one API, with its rule and its reach."""

    api: str
    method: str
    path: str
    rule: Allowed | Everybody
    reach: Reach

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def places(served: Starlette) -> list[Place]:
    """Every route that the platform serves. Raises EntryMissing."""
    found = [
        (api, method, path, rule)
        for api, app in _apps(served)
        for method, path, rule in _routes(app)
        if method != "HEAD"  # the same answer as to GET, without its body
    ]
    named = {(api, f"{method} {path}") for api, method, path, _ in found}
    written = {(api, name) for api, table in REACH.items() for name in table}
    if named != written:
        raise EntryMissing(f"without an entry: {sorted(named - written)}; without a route: {sorted(written - named)}")
    return [Place(api, method, path, rule, REACH[api][f"{method} {path}"]) for api, method, path, rule in found]


def verdict(place: Place, caller: Caller) -> Verdict:
    """What the caller is answered there. Raises EntryMissing for a tie that nobody thought of."""
    rule = place.rule
    if isinstance(rule, Everybody):
        return YES
    if caller.audience is None or caller.audience is not rule.audience:
        return Verdict(401, "token" if caller.audience is None else "audience")
    by_pin = rule.at_register and caller.role is Role.TILL
    if caller.role not in rule.roles and not by_pin:
        return Verdict(403, "role")
    if caller.standing is Standing.GOOD or (caller.standing is Standing.ROLE_TAKEN and rule.of_oneself):
        return _by_tie(place, caller)
    if rule.asks_now:
        return Verdict(401, "ended") if caller.standing is Standing.CLOSED else Verdict(403, "taken")
    if caller.standing is Standing.CLOSED and place.reach.closed is not None:
        return place.reach.closed
    raise EntryMissing(f"{place.name}: nobody says what {caller.name} is answered")


def _by_tie(place: Place, caller: Caller) -> Verdict:
    reach = place.reach
    if (caller.tie in reach.open_to) is (caller.tie in reach.refused):
        raise EntryMissing(f"{place.name}: nobody says what {caller.name} is answered")
    return YES if caller.tie in reach.open_to else reach.refused[caller.tie]


def _apps(served: Starlette) -> Iterator[tuple[str, FastAPI | Starlette]]:
    """Each API by its name, and what is none of them."""
    for mount in served.routes:
        if not isinstance(mount, Mount) or not isinstance(mount.app, Starlette):
            raise EntryMissing(f"{mount} is served beside the APIs")
        yield mount.path.split("/")[2] if mount.path else PAGES, mount.app


def _routes(app: FastAPI | Starlette) -> Iterator[tuple[str, str, Allowed | Everybody]]:
    if isinstance(app, FastAPI):
        for method, path, rules in rules_of(app):
            yield method, path, rules[0]
        return
    for route in app.routes:
        if not isinstance(route, Route):
            raise EntryMissing(f"{route} is no page")
        for method in sorted(route.methods or {"*"}):
            yield method, route.path, Everybody()
