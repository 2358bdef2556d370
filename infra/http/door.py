"""The fast door: a small ASGI endpoint before the apps, for the operations that are asked all day.

Law: it answers as the app behind it would, byte for byte, or not at all. It takes a request only
when everything about it is in the plainest form; whatever is not, is handed through as it came, so
that every refusal of form is worded in one place. It decides nothing about money: the deed, its
fingerprint, its refusals and the rule of who may come in are those of the plain endpoint.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.types import Message, Receive, Scope, Send

from infra.http.context import Context
from infra.http.deadlines import Deadlines
from infra.http.edge import DEADLINE, last_resort
from infra.http.head import MOST_BYTES, Form, Head, read_head
from infra.http.hot import Hot, Order
from infra.http.idempotency import REPLAY_HEADER
from infra.http.problems import REQUEST_ID
from infra.http.request_ids import RequestIds
from infra.http.security import standard_headers
from services.kit.deeds import Deed, Done, fingerprint

_REPLAYED = (REPLAY_HEADER.lower().encode(), b"true")
_JSON = (b"content-type", b"application/json")
_CREATED = 201


class Asked(msgspec.Struct, frozen=True):
    """A plain request by somebody who may ask."""

    deed: Deed
    order: Order


Give = Callable[[int, list[tuple[bytes, bytes]], bytes], None]
"""Takes an answer: status, the headers that are this answer's own, content."""


class Door:
    """Takes the hot operations itself and hands everything else to `plain`, before which it stands."""

    def __init__(
        self, plain: Starlette, context: Context, hot: Sequence[Hot[Any]], *, seconds: float, secure: bool
    ) -> None:
        self.plain = plain
        self.taken = 0
        """How many deeds were asked for here; everything else went through."""
        self._context = context
        self.hot = tuple(hot)
        self._forms = tuple(map(Form, hot))
        self._deadlines = Deadlines(seconds)
        self._ids = RequestIds()
        self._standard = [
            (name.lower().encode(), value.encode()) for name, value in standard_headers(secure=secure).items()
        ]
        self.standard_lines = b"".join(b"%b: %b\r\n" % pair for pair in self._standard)
        """The headers that every answer ends with, as they are written."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            head = None
            if not scope["query_string"] and not scope.get("root_path"):
                head = self._head(scope["path"], scope["headers"])
            if head is not None:
                await self._take(scope, receive, send, head)
                return
        await self.plain(scope, receive, send)

    def head(self, target: bytes, headers: list[tuple[bytes, bytes]]) -> Head | None:
        """What a POST says before its body, if it is plain and hot; `target` as it was sent."""
        try:
            return self._head(target.decode("ascii"), headers)
        except UnicodeDecodeError:
            return None

    def _head(self, path: str, headers: list[tuple[bytes, bytes]]) -> Head | None:
        for hot in self.hot:
            head = read_head(path, headers, hot)
            if head is not None:
                return head
        return None

    def read_whole(self, sent: bytes) -> Asked | None:
        """The deed that these bytes ask for, if they are one plain request and nothing else; None as `read` says."""
        if len(sent) <= MOST_BYTES:
            for form in self._forms:
                found = form.read(sent)
                if found is not None:
                    return self.read(*found)
        return None

    def read(self, head: Head, content: bytes) -> Asked | None:
        """The deed that is asked for; None for what the plain endpoint shall judge, be it good or bad."""
        if len(content) != head.body_bytes:
            return None
        hot = head.hot
        try:
            token = hot.rule.admit(self._context, head.token)
            body = hot.read(content)
            order = None if body is None else hot.order(body, head.place, token.account_id)
        except Exception:  # whatever it is, the plain endpoint meets it again and words it
            return None
        if order is None or not self._context.rates.accounts.has_room(token.account_id):
            return None  # who asks too often hears it from the plain endpoint
        return Asked(
            Deed(token.account_id, head.key, fingerprint(order.operation, order.command), token.session_id), order
        )

    def new_request_id(self) -> str:
        return self._ids.take()

    def begin(self, asked: Asked, request_id: str, give: Give) -> None:
        """Have the deed done, and its answer given when it is there or when its time is over."""
        self.taken += 1
        try:
            future = self._context.payments.begin(asked.deed, asked.order.command)
        except Exception as error:  # as at the edge: whatever it is, it becomes a problem or a logged 500
            give(*_refusal(request_id, error))
            return
        self._deadlines.start(future)

        def told(done: asyncio.Future[Done[Any]]) -> None:
            self._deadlines.forget(done)
            if done.cancelled():
                give(*_refusal(request_id, TimeoutError()))
                return
            try:
                answer = _answer(done.result())
            except Exception as error:  # as at the edge
                answer = _refusal(request_id, error)
            give(*answer)

        future.add_done_callback(told)

    async def _take(self, scope: Scope, receive: Receive, send: Send, head: Head) -> None:
        due = self._deadlines.due()
        messages: list[Message] = []
        started = False

        async def work() -> bool:
            nonlocal started
            content = await _read_body(receive, messages, head.body_bytes)
            asked = None if content is None else self.read(head, content)
            if asked is None:
                return False
            scope[REQUEST_ID] = request_id = self._ids.take()
            start, body = await self._perform(request_id, asked)
            started = True
            await send(start)
            await send(body)
            return True

        try:
            if await self._deadlines.within(due, work()):
                return
        except TimeoutError as error:
            if started:
                raise
            request_id = scope.setdefault(REQUEST_ID, self._ids.take())
            for message in self._messages(request_id, *_refusal(request_id, error)):
                await send(message)
            return
        scope[DEADLINE] = due
        await self.plain(scope, _again(messages, receive), send)

    async def _perform(self, request_id: str, asked: Asked) -> tuple[Message, Message]:
        self.taken += 1
        try:
            answer = _answer(await self._context.payments.perform(asked.deed, asked.order.command))
        except Exception as error:  # as at the edge: whatever it is, it becomes a problem or a logged 500
            answer = _refusal(request_id, error)
        return self._messages(request_id, *answer)

    def _messages(
        self, request_id: str, status: int, headers: list[tuple[bytes, bytes]], content: bytes
    ) -> tuple[Message, Message]:
        stamped = [*headers, (b"x-request-id", request_id.encode()), *self._standard]
        return (
            {"type": "http.response.start", "status": status, "headers": stamped},
            {"type": "http.response.body", "body": content, "more_body": False},
        )


def _answer(done: Done[Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    content = msgspec.json.encode(done.result)
    headers = [(b"content-length", str(len(content)).encode()), _JSON]
    if done.replayed:
        headers.append(_REPLAYED)
    return _CREATED, headers, content


def _refusal(request_id: str, error: Exception) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    problem = last_resort({REQUEST_ID: request_id}, error)
    return problem.status_code, problem.raw_headers, bytes(problem.body)


async def _read_body(receive: Receive, messages: list[Message], body_bytes: int) -> bytes | None:
    """A body of exactly this length; `messages` keeps whatever was received, for whoever reads it again."""
    content = b""
    while len(content) <= body_bytes:
        message = await receive()
        messages.append(message)
        if message["type"] != "http.request":
            return None
        content += message.get("body", b"")
        if not message.get("more_body", False):
            return content if len(content) == body_bytes else None
    return None


def _again(messages: list[Message], receive: Receive) -> Receive:
    """`receive`, beginning with what was received already."""
    waiting = iter(messages)

    async def again() -> Message:
        for message in waiting:
            return message
        return await receive()

    return again
