"""Pages of the local ports: where to go, the outbox of text messages, the sandbox checkout.

They work without JavaScript, and exist only where the local ports do. A POST from another
site is refused: nobody's page may press these buttons.
"""

from collections.abc import Callable
from html import escape
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

import locales
from infra.ports.outbox import LocalOutbox
from infra.ports.sandbox_checkout import CheckoutEnded, SandboxCheckout
from services.kit.clock import TOKYO
from services.kit.errors import Forbidden, Missing
from services.wallets.checkout import CheckoutState

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)  # fmt: skip
STYLE = """
:root { color-scheme: light; font-family: system-ui, sans-serif; line-height: 1.6; }
body { margin: 0 auto; max-width: 40rem; padding: 1.5rem; color: #1a1a1a; background: #fff; }
h1 { font-size: 1.4rem; }
.note { border-left: 4px solid #b45309; padding-left: .75rem; }
.amount { font-size: 2rem; font-weight: 700; }
form { display: inline-block; margin: .5rem 1rem .5rem 0; }
button { font: inherit; min-height: 44px; padding: .5rem 1.5rem; border-radius: .5rem; border: 2px solid #1d4ed8; }
.primary { background: #1d4ed8; color: #fff; }
.secondary { background: #fff; color: #1d4ed8; }
:focus-visible { outline: 3px solid #b45309; outline-offset: 2px; }
li { margin-bottom: .75rem; overflow-wrap: anywhere; }
time { color: #555; }
"""


def pages(outbox: LocalOutbox, checkout: SandboxCheckout) -> list[Route]:
    """The routes of all local pages."""
    return [
        Route("/", _index, methods=["GET"]),
        Route("/local.css", _style, methods=["GET"]),
        Route("/outbox", _outbox(outbox), methods=["GET"]),
        Route("/sandbox/checkout/{checkout_id}", _show(checkout), methods=["GET"], name="checkout"),
        Route("/sandbox/checkout/{checkout_id}/{choice}", _choose(checkout), methods=["POST"]),
    ]


Endpoint = Callable[[Request], object]


def _page(request: Request, title_key: str, body: str, status: int = 200) -> Response:
    language = _language(request)
    title = escape(locales.text(language, title_key))
    html = (
        f'<!doctype html><html lang="{"en" if language == "en" else "ja"}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>'
        f'<link rel="stylesheet" href="/local.css"></head><body><main><h1>{title}</h1>{body}</main></body></html>'
    )
    return HTMLResponse(html, status, {"Content-Security-Policy": POLICY, "Content-Language": language})


def _language(request: Request) -> str:
    """`?lang=`, else what the browser asks for."""
    return locales.choose(f"{request.query_params.get('lang', '')},{request.headers.get('accept-language', '')}")


def _say(request: Request, key: str, **params: object) -> str:
    return escape(locales.text(_language(request), key, **params))


async def _index(request: Request) -> Response:
    apis = "".join(
        f'<li><a href="/api/{name}/v1/openapi.json">/api/{name}/v1</a> — {_say(request, f"page.index.{name}")}</li>'
        for name in ("wallet", "merchant", "city")
    )
    outbox = f'<li><a href="/outbox">/outbox</a> — {_say(request, "page.outbox.title")}</li>'
    return _page(request, "page.index.title", f"<p>{_say(request, 'page.index.intro')}</p><ul>{apis}{outbox}</ul>")


async def _style(_request: Request) -> Response:
    return Response(STYLE, media_type="text/css")


def _outbox(outbox: LocalOutbox) -> Endpoint:
    async def show(request: Request) -> Response:
        items = "".join(
            f"<li><time>{message.sent_at.astimezone(TOKYO):%Y-%m-%d %H:%M:%S}</time> "
            f"<b>{escape(message.phone)}</b><br>{escape(message.text)}</li>"
            for message in outbox.messages()
        )
        listed = f"<ol reversed>{items}</ol>" if items else f"<p>{_say(request, 'page.outbox.empty')}</p>"
        return _page(request, "page.outbox.title", f'<p class="note">{_say(request, "page.outbox.note")}</p>{listed}')

    return show


def _show(checkout: SandboxCheckout) -> Endpoint:
    async def show(request: Request) -> Response:
        found = checkout.look(request.path_params["checkout_id"])
        body = (
            f'<p class="note">{_say(request, "page.checkout.note")}</p><p>{escape(found.description)}</p>'
            f'<p class="amount">{_say(request, "page.amount_yen", amount=f"{found.amount_yen:,}")}</p>'
        )
        if found.state is CheckoutState.OPEN:
            body += _button(request, "pay", "primary") + _button(request, "decline", "secondary")
        else:
            body += f'<p role="status">{_say(request, f"page.checkout.{found.state.value}")}</p>'
            if urlsplit(found.return_url).scheme in {"http", "https"}:
                back = _say(request, "page.checkout.back")
                body += f'<p><a href="{escape(found.return_url)}">{back}</a></p>'
        return _page(request, "page.checkout.title", body)

    return show


def _button(request: Request, choice: str, look: str) -> str:
    action = f"/sandbox/checkout/{escape(request.path_params['checkout_id'])}/{choice}?lang={_language(request)}"
    text = _say(request, f"page.checkout.{choice}")
    return f'<form method="post" action="{action}"><button class="{look}">{text}</button></form>'


def _choose(checkout: SandboxCheckout) -> Endpoint:
    async def choose(request: Request) -> Response:
        checkout_id, choice = request.path_params["checkout_id"], request.path_params["choice"]
        if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            raise Forbidden
        checkout.look(checkout_id)
        try:
            if choice == "pay":
                await checkout.pay(checkout_id)
            elif choice == "decline":
                await checkout.decline(checkout_id)
            else:
                raise Missing
        except CheckoutEnded:
            pass  # the page that follows says how it ended
        return RedirectResponse(f"/sandbox/checkout/{checkout_id}?lang={_language(request)}", 303)

    return choose
