"""The one way out: HTTP to addresses that an installation was told of, and to no other.

Law: a request goes to an origin on the list or is not sent. Redirects are not followed, because they are an
address that somebody else chose; and the environment's proxies are not asked, because they would hear what is ours.
No other module makes a client: `tests/house` holds that.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

import httpx

TIMEOUT_S = 10.0
_PORTS = {"http": 80, "https": 443}
Origin = tuple[str, str, int]


class OutgoingRefused(Exception):
    """The address is not on the list; the message names its origin and nothing that was in it."""


def outgoing(
    allowed: Iterable[str], *, transport: httpx.AsyncBaseTransport | None = None, base_url: str = ""
) -> httpx.AsyncClient:
    """A client that reaches the origins of these URLs only; to be closed by whoever asked for it.

    Its requests raise OutgoingRefused for any other address.
    """
    inner = transport or httpx.AsyncHTTPTransport(trust_env=False)
    guarded = _Guarded(inner, frozenset(_origin(url) for url in allowed))
    return httpx.AsyncClient(
        transport=guarded, base_url=base_url, trust_env=False, follow_redirects=False, timeout=TIMEOUT_S
    )


class _Guarded(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, allowed: frozenset[Origin]) -> None:
        self._inner = inner
        self._allowed = allowed

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        scheme, host, port = origin = _origin(str(request.url))
        if origin not in self._allowed:
            raise OutgoingRefused(f"{scheme}://{host}:{port} is not among the addresses that we speak to")
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()


def _origin(url: str) -> Origin:
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise OutgoingRefused(f"no address on the web: a {parts.scheme or 'nameless'} one")
    return parts.scheme, parts.hostname, parts.port or _PORTS[parts.scheme]
