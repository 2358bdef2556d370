"""uvicorn's protocol with limits on what it lacks them for: heads, silence, what is asked ahead, and what is no HTTP.

Laws: what a client sends before a request is whole has a greatest length and a last moment, so that nobody fills the
memory or keeps a connection by saying half a head. A trailer is no header: it comes when the headers were
believed already (RFC 9110 section 6.5.1). What the parser does not understand is refused by a problem, as
everything is, and behind the answers that are due before it: a payment that was understood is not told to be malformed
because of the noise after it (RFC 9112 section 9.3.2). Of requests that are sent ahead of their answers a few kilobytes
are looked at, the rest stays the bytes that it is, and of these no more are read until it is their turn. Who says no
more but still listens hears what was asked whole.
"""

from typing import Any
from uuid import uuid4

from starlette.responses import Response
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from infra.http.problems import REQUEST_ID, problem_response
from infra.http.security import standard_headers

MOST_HEAD_BYTES = 65_536
"""Of one request's first line and headers; and what may come of trailers, or around chunks, with no body between."""
HEAD_S = 20.0
"""From a request's first byte to the end of its headers."""
_AROUND = len(": \r\n")
PIECE_BYTES = 4_096
"""So much is given to the parser at a time, which makes something a hundred times as large of the shortest requests."""


class _Flow(FlowControl):
    """uvicorn's, that does not let more be read while there is something to be looked at first."""

    keeps = False

    def resume_reading(self) -> None:
        if not self.keeps:
            super().resume_reading()


class Bounded(HttpToolsProtocol):
    """One connection."""

    in_head = False
    """The first byte of a request has come, and its headers have not ended."""
    quiet_since = 0.0
    """When the connection began or its last answer was written, by the loop's clock."""
    unread = 0
    """Bytes that came since the parser last had something whole to tell; a little more, as whole reads are counted."""
    _head_since = 0.0
    _in_body = False
    """A request's headers are complete, and its body has not ended."""
    said_all = False
    """The client has closed its side while an answer was due: the connection ends behind the last that is."""
    _refusal: Response | None = None
    """What is said when nothing is due any more; then the connection ends. Nothing is read after it."""
    _too_long = False
    kept = b""
    """What was sent ahead and is not looked at before those before it have their answers."""
    flow: _Flow

    # Any: uvicorn's own type of a transport.
    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.flow = _Flow(transport)
        self.quiet_since = self.loop.time()
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        if self.kept:
            self._keep(self.kept + data)
        else:
            self.feed(data)

    def feed(self, data: bytes) -> None:
        """Have the parser read as much as nobody has to wait for, and keep the rest."""
        for start in range(0, len(data), PIECE_BYTES):
            if self.pipeline:
                self._keep(data[start:])
                break
            piece = data[start : start + PIECE_BYTES]
            self.unread += len(piece)
            super().data_received(piece)
            if self.unread > MOST_HEAD_BYTES and self._refusal is None:
                self._too_long = True
                self.send_400_response("A head is too long.")
            if self._refusal is not None:
                break
        self._watch()

    def _keep(self, data: bytes) -> None:
        self.kept = data
        self.flow.pause_reading()
        self.flow.keeps = True

    def _go_on(self) -> None:
        """Look at what was kept, now that nobody waits."""
        data, self.kept, self.flow.keeps = self.kept, b"", False
        if data and not self.transport.is_closing():
            self.feed(data)
            if not self.pipeline:
                self.flow.resume_reading()

    # asyncio asks whether to stay; uvicorn's own has no answer.
    def eof_received(self) -> bool:  # type: ignore[override]
        """The client says no more: keep the connection, by True, while it asked for anything whole and hears of it."""
        self.said_all = not self._is_over()
        return self.said_all

    def is_quiet(self) -> bool:
        """Whether no answer is due."""
        return self.cycle is None or self.cycle.response_complete

    def _watch(self) -> None:
        """Where nothing is under way, see to it that the connection does not stay so for ever."""
        if self.timeout_keep_alive_task is None and self.is_quiet() and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(self._left(), self.timeout_keep_alive_handler)

    def _left(self) -> float:
        """Seconds that a connection still has that waits for its client."""
        ends = self._head_since + HEAD_S if self.in_head else self.quiet_since + self.timeout_keep_alive
        return ends - self.loop.time()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was quiet for its time; a timer each for every request would cost more."""
        self.timeout_keep_alive_task = None
        if not self.is_quiet():
            return  # its answer will set the timer anew
        if self._left() > 0:
            self._watch()
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        self.begin_head()
        super().on_message_begin()

    def begin_head(self) -> None:
        """To be called at a request's first byte."""
        self.in_head = True
        self._head_since = self.loop.time()

    def end_head(self) -> None:
        """To be called when a request's headers are complete. Raises ValueError, to stop the parser, if too long."""
        if self.unread > MOST_HEAD_BYTES and self._head_bytes() > MOST_HEAD_BYTES:
            self._too_long = True
            raise ValueError("a head is too long")
        self.in_head, self._in_body = False, True

    def end_message(self) -> None:
        """To be called at a request's last byte."""
        self._in_body = False
        self.unread = 0

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + _AROUND for name, value in self.headers)

    def on_headers_complete(self) -> None:
        self.end_head()
        super().on_headers_complete()
        self.headers = self.headers.copy()  # what the parser adds from now on, trailers, the app does not see

    def on_body(self, body: bytes) -> None:
        self.unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.end_message()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.quiet_since = self.loop.time()
        if self._refusal is None or self.pipeline:
            is_last = not self.pipeline
            super().on_response_complete()
            if self.said_all and is_last:
                self.transport.close()
            if self.kept and not self.pipeline:
                self.loop.call_soon(self._go_on)  # we may be within the parser
        else:
            self.server_state.total_requests += 1
            self._refuse(self._refusal)

    def send_400_response(self, msg: str) -> None:
        """Refuse what the parser did not understand, once everything before it is answered; `msg` is uvicorn's."""
        request_id = str(uuid4())
        headers = {"X-Request-Id": request_id, **standard_headers(secure=False), "Connection": "close"}
        status = 431 if self._too_long else 400
        self._refusal = problem_response({REQUEST_ID: request_id}, status, "malformed_request", headers=headers)
        if self._is_over():
            self._refuse(self._refusal)

    def _is_over(self) -> bool:
        """Leave out a request that will never be whole; whether no other is to be answered."""
        if not self._in_body or not self.pipeline:
            return self._in_body or self.is_quiet()
        self.pipeline.popleft()  # what broke off is the last of those that wait for their turn
        self._in_body = False
        return False

    def _refuse(self, refusal: Response) -> None:
        if not self.transport.is_closing():
            lines = [STATUS_LINE[refusal.status_code]]
            for name, value in (*self.server_state.default_headers, *refusal.raw_headers):
                lines += (name, b": ", value, b"\r\n")
            self.transport.write(b"".join([*lines, b"\r\n", bytes(refusal.body)]))
            self.transport.close()
