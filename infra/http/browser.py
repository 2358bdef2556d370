"""Sign-ins that a browser keeps in cookies, and how a page of ours is told from anybody else's.

Law: a token in a cookie is out of reach of every script, and comes along with requests that other sites
make. So a request that is judged by its cookie must have been made by a page of ours: what browsers say of
its origin must be ours, and whatever changes something carries a header that no other site can have sent
without asking first. Where an Authorization header came along, it alone is judged, be it good or bad: it is
never sent by itself, and a bad one does not fall back to a cookie.
Source: RFC 6265bis section 4.1.3.2 (`__Host-`), Fetch Metadata (`Sec-Fetch-Site`), docs/decisions/0032.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, Response

import locales
from services.identity.session import reminder
from services.identity.tokens import Audience
from services.kit.errors import Kind, Refusal

GUARD_HEADER, GUARD_VALUE = "X-Tanabata-Page", "1"
"""Any header of its own makes a browser ask first (CORS preflight), and we let no other site in."""
REMINDER_SECONDS = 400 * 24 * 3_600
"""As long as browsers keep a cookie at most."""
SAFE_METHODS = frozenset({"GET", "HEAD"})


class CrossSite(Refusal):
    """A browser sent our cookie for a page that is not ours, or without the header that ours sends."""

    code = "cross_site"
    kind = Kind.FORBIDDEN


class CookieUnclear(Refusal):
    """A cookie of ours came twice: one of them is not ours."""

    code = "cookie_unclear"
    kind = Kind.UNAUTHENTICATED


@dataclass(frozen=True)
class CookieNames:
    """The cookies of an API. The prefix has browsers refuse them from subdomains and over plain HTTP.

    `reminder` outlives signing out: it tells a browser that was here from a stranger who guesses a password.
    """

    access: str
    refresh: str
    reminder: str


NAMES = {
    audience: CookieNames(*(f"__Host-{audience.value}{kind}" for kind in ("", "-refresh", "-reminder")))
    for audience in Audience
}


@dataclass(frozen=True)
class CookieTokens:
    """What a browser shall keep, and until when."""

    access: str
    access_seconds: int
    refresh: str
    expires_at: datetime


@dataclass(frozen=True)
class Visit:
    """A request and its answer, for endpoints that read or set cookies."""

    request: Request
    response: Response

    @property
    def client(self) -> str:
        return self.request.headers.get("user-agent", "")

    @property
    def language(self) -> str | None:
        """What the client asks for, of the languages that there are texts in; None where it asks for nothing."""
        asked = self.request.headers.get("accept-language")
        return None if asked is None else locales.choose(asked)


async def _visit(request: Request, response: Response) -> Visit:
    return Visit(request, response)


Visiting = Annotated[Visit, Depends(_visit)]


def require_own_page(request: Request, public_url: str) -> None:
    """Raise CrossSite unless a page at `public_url` made this request.

    Reading is let pass where a browser says nothing of its origin; what changes something is not.
    """
    safe = request.method in SAFE_METHODS
    origins, sites = request.headers.getlist("origin"), request.headers.getlist("sec-fetch-site")
    if sites and sites != ["same-origin"]:
        raise CrossSite
    if (origins or not safe) and origins != [origin_of(public_url)]:
        raise CrossSite
    if not safe and request.headers.getlist(GUARD_HEADER) != [GUARD_VALUE]:
        raise CrossSite


def origin_of(url: str) -> str:
    """An address's origin as browsers write it: scheme, host, and the port where it is not the usual one."""
    parts = urlsplit(url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def cookie(request: Request, name: str) -> str | None:
    """The value of a cookie that came once, None where it did not come. Raises CookieUnclear."""
    found = []
    for header in request.headers.getlist("cookie"):
        for pair in header.split(";"):
            key, _, value = pair.strip().partition("=")
            if key == name:
                found.append(value)
    if len(found) > 1:
        raise CookieUnclear
    return found[0] if found else None


def keep_tokens(response: Response, audience: Audience, tokens: CookieTokens, now: datetime) -> None:
    """Have the browser keep both tokens, out of reach of scripts and of other sites' requests."""
    names = NAMES[audience]
    _set(response, names.access, tokens.access, tokens.access_seconds)
    _set(response, names.refresh, tokens.refresh, int((tokens.expires_at - now).total_seconds()))
    _set(response, names.reminder, reminder(tokens.refresh), REMINDER_SECONDS)


def drop_tokens(response: Response, audience: Audience) -> None:
    """Have the browser forget both; the reminder opens nothing and stays."""
    names = NAMES[audience]
    _set(response, names.access, "", 0)
    _set(response, names.refresh, "", 0)


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(name, value, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")
