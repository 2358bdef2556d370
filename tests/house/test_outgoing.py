"""One way out: no module but `infra/ports/outgoing.py` makes what speaks to the web."""

import ast
from collections.abc import Iterator

import httpx
import pytest

from infra.ports.outgoing import OutgoingRefused, outgoing
from tests.house.test_sizes import ROOT, sources

MAKERS = {
    "Client",
    "AsyncClient",
    "AsyncHTTPTransport",
    "HTTPTransport",
    "urlopen",
    "HTTPConnection",
    "HTTPSConnection",
}
CLIENTS = {"requests", "aiohttp", "urllib3", "urllib.request", "http.client", "smtplib", "ftplib", "telnetlib"}
SHORT_CUTS = {"get", "post", "put", "patch", "delete", "head", "options", "request", "stream"}
EXEMPT = {"infra/ports/outgoing.py"}
"""Beside it the benchmarks, which load a server of their own."""


def ways_out(tree: ast.AST) -> Iterator[str]:
    """What in a module would reach the web by itself."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name in CLIENTS)
        elif isinstance(node, ast.ImportFrom) and node.module in CLIENTS:
            yield node.module or ""
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            of_httpx = isinstance(node.func.value, ast.Name) and node.func.value.id == "httpx"
            if of_httpx and node.func.attr in MAKERS | SHORT_CUTS:
                yield f"httpx.{node.func.attr}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS:
            yield node.func.id


def test_nothing_else_speaks_to_the_web() -> None:
    found = {
        str(path.relative_to(ROOT)): list(ways_out(ast.parse(path.read_text())))
        for path in sources()
        if "benchmarks" not in path.parts
    }
    assert {name for name, ways in found.items() if ways} == EXEMPT


def test_the_search_finds_what_it_is_for() -> None:
    for text in ("import requests", "from urllib.request import urlopen", "httpx.get('x')", "AsyncClient()"):
        assert list(ways_out(ast.parse(text))), text


def asked(seen: list[str]) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(302, headers={"location": "https://elsewhere.example/"})

    return httpx.MockTransport(answer)


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",
        "http://bank.example.jp/",
        "https://bank.example.jp:444/",
        "https://bank.example.jp.elsewhere.example/",
        "https://bank.example.jp@elsewhere.example/",
        "https://elsewhere.example/?u=https://bank.example.jp/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://[::1]/",
    ],
)
async def test_an_address_that_is_not_on_the_list_hears_nothing(url: str) -> None:
    seen: list[str] = []
    async with outgoing(["https://bank.example.jp/api"], transport=asked(seen)) as client:
        with pytest.raises(OutgoingRefused):
            await client.post(url, content=b"ours")
    assert seen == []


async def test_a_redirect_is_an_answer_and_no_order() -> None:
    seen: list[str] = []
    async with outgoing(["https://bank.example.jp"], transport=asked(seen)) as client:
        assert (await client.get("https://bank.example.jp:443/x")).status_code == 302
    assert seen == ["https://bank.example.jp/x"]


async def test_the_environments_proxies_hear_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy from the environment would go before the transport that we gave."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    seen: list[str] = []
    async with outgoing(["http://bank.example.jp"], transport=asked(seen)) as client:
        await client.get("http://bank.example.jp/")
    assert seen == ["http://bank.example.jp/"]


@pytest.mark.parametrize("url", ["ftp://bank.example.jp/", "file:///etc/passwd", "bank.example.jp", ""])
def test_a_list_holds_addresses_on_the_web(url: str) -> None:
    with pytest.raises(OutgoingRefused):
        outgoing([url])
