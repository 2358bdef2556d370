"""The web server's settings, the same wherever the platform's app is served: by `tanabata up` and by benchmarks."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from infra.http.lane import Lane

GRACE_S = 10
IDLE_S = 75

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 20
"""When Python looks for cycles: what a batch of payments makes is gone again before it would pay to look."""


class WebServer(uvicorn.Server):
    """uvicorn without its own signal handlers, which end the process as soon as the server has stopped."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield


def web_server(app: ASGIApp) -> WebServer:
    """A server for one process, to be given its sockets; who starts it heeds the signals.

    Everything that was loaded so far stays for the life of the process, so the collector of cycles
    leaves it alone from here on. Otherwise it takes a fifth of the time of a busy server.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
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
            h11_max_incomplete_event_size=64 * 1024,
        )
    )
