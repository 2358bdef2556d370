"""The fast door at the wire: a hot request that came whole is answered without a task, a scope or messages.

Law: it writes the very bytes that the ordinary protocol would write for the door's answer. Only a plain
request that arrives in one piece on an idle connection is taken here; every other goes the ordinary way,
before anything was done about it. So whatever is slow, cut in pieces, pipelined or odd is uvicorn's.

Where the parser has nothing half read and no answer is due, a plain request is recognised by its bytes, without
the parser (`head.Form`); it is left in the state in which it would be between two requests. See docs/decisions/0095.

One answer is one write to the socket; through ASGI's two messages it would be two.
"""

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from infra.http.bounded import Bounded
from infra.http.door import Asked, Door
from infra.http.head import Head
from infra.http.waiting import Waiting

_Fields = Sequence[tuple[bytes, bytes]]


class Lane(Bounded):
    """uvicorn's protocol, bounded, with a short way for the door's operations."""

    _head: Head | None = None
    """A hot request whose headers were read and whose body has not ended."""
    _content = b""
    _door: Door | None = None
    _between = True
    """The parser has read every request to its end, and stands where it stood at first."""

    # Any: uvicorn's own parameters, handed on as they come.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        app = self.config.app
        if isinstance(app, Waiting):
            app = app.now
        if isinstance(app, Door):
            self._door = app

    def data_received(self, data: bytes) -> None:
        door = self._door
        if door is not None and self._between and self._is_idle():
            asked = door.read_whole(data)
            if asked is not None:
                self._begin(door, asked)
                return
        super().data_received(data)

    def feed(self, data: bytes) -> None:
        super().feed(data)
        if self._head is not None:
            self._give_way()  # the rest of it is still on its way

    def on_answered(self) -> None:
        """As `on_response_complete`; a timer that runs since an earlier answer runs on, and will see this one."""
        self.quiet_since = self.loop.time()
        waits = self.pipeline or self.kept
        if self.timeout_keep_alive_task is None or waits or self.said_all or self.transport.is_closing():
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1

    def on_message_begin(self) -> None:
        self.begin_head()
        self._between = False
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        self.end_head()
        door = self._door
        if door is not None and self._is_ordinary_post():
            self._head = door.head(self.url, self.headers)
        if self._head is None:
            self._begin_ordinary()
        else:
            self._content = b""

    def _is_idle(self) -> bool:
        """No answer is due, and what was answered is on its way: who does not read is left to uvicorn, which waits."""
        return self.is_quiet() and not self.flow.write_paused and not self.kept

    def _is_ordinary_post(self) -> bool:
        """A POST by HTTP/1.1 on a connection that is idle and stays, with nothing special asked for."""
        parser = self.parser
        return (
            self._is_idle()
            and not self.expect_100_continue
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        )

    def on_body(self, body: bytes) -> None:
        if self._head is None:
            super().on_body(body)
        else:
            self.unread = 0
            self._content += body

    def on_message_complete(self) -> None:
        self.end_message()
        self._between = not self.parser.should_upgrade()
        head, door = self._head, self._door
        if head is None or door is None:
            super().on_message_complete()
            return
        asked = door.read(head, self._content)
        if asked is None:
            self._give_way()
            super().on_message_complete()
            return
        self._head = None
        self._begin(door, asked)

    def _begin(self, door: Door, asked: Asked) -> None:
        self.unread = 0
        request_id = door.new_request_id()
        answer = Answer(self, door, request_id)
        # It is all that the protocol asks of a request that is under way.
        self.cycle = answer  # type: ignore[assignment]
        door.begin(asked, request_id, answer.give)

    def _begin_ordinary(self) -> None:
        """Let uvicorn have a request whose headers are complete, as if it had read them itself."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers.extend(headers)
        super().on_headers_complete()

    def _give_way(self) -> None:
        self._head = None
        self._begin_ordinary()
        if self._content:
            super().on_body(self._content)


class Answer:
    """A request of ours under way, as the protocol sees it, until its answer is written."""

    def __init__(self, protocol: Lane, door: Door, request_id: str) -> None:
        self._protocol = protocol
        self._door = door
        self._request_id = request_id
        self.response_complete = False
        self.disconnected = False
        self.keep_alive = True

    @property
    def message_event(self) -> "Answer":
        """Ourselves, who need no telling; kept as a field it would be a cycle, and left to the collector."""
        return self

    def set(self) -> None:
        """Nobody of ours waits for the client to say more."""

    def give(self, status: int, fields: _Fields, content: bytes) -> None:
        """Write the answer, unless nobody is there any more."""
        protocol = self._protocol
        self.response_complete = True
        transport = protocol.transport
        if self.disconnected or transport.is_closing():
            return
        lines = [STATUS_LINE[status]]
        for name, value in protocol.server_state.default_headers:
            lines += (name, b": ", value, b"\r\n")
        for name, value in fields:
            lines += (name, b": ", value, b"\r\n")
        lines += (b"x-request-id: ", self._request_id.encode(), b"\r\n", self._door.standard_lines)
        lines.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        lines.append(content)
        transport.write(b"".join(lines))
        if not self.keep_alive:
            transport.close()
        protocol.on_answered()
