"""The web server's settings, the same wherever the platform's app is served: by `tanabata up` and by benchmarks."""

from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from infra.collector import calm_collector
from infra.http.lane import Lane

GRACE_S = 10
IDLE_S = 75


class WebServer(uvicorn.Server):
    """uvicorn without its own signal handlers, which end the process as soon as the server has stopped."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def web_server(app: ASGIApp) -> WebServer:
    """A server for one process, to be given its sockets, when everything is loaded; who starts it heeds the signals."""
    calm_collector()
    return WebServer(
        uvicorn.Config(
            app,
            http=Lane,
            ws="none",  # whatever else may be installed: nothing here speaks WebSocket
            log_level="warning",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=GRACE_S,
        )
    )
