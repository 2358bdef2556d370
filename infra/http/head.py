"""What a plain hot request says before its body: by the headers that a parser found, or by its very bytes.

Law: less is taken here than uvicorn's parser takes, or the same, and it is read to the same values; what is not
taken is left to the parser untouched. By its bytes a request is plain that is a POST to the operation by HTTP/1.1,
its lines ended by CR and LF and each of the form `Name: value` in visible ASCII, with no name twice, with the four
headers that are read here, and with none that tells a parser or a server how to go on.
"""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from infra.http.hot import Hot
from infra.http.idempotency import HEADER, read_key
from services.kit.driver_uuid import read_driver_uuid
from services.kit.errors import Refusal

MOST_BYTES = 16_384
"""A longer request is never looked at as bytes; a plain one has less than a thousand."""
_LENGTH_DIGITS = 4
"""A plain body has at most 9,999 bytes, far below what the plain endpoint takes."""
_UUID_CHARACTERS = 36
_BEARER = b"Bearer "
_PLAIN_TYPES = frozenset({b"application/json", b"application/json; charset=utf-8"})
_KEY = HEADER.lower().encode()

_READ = rf"content-length|content-type|authorization|{HEADER}"
_DIRECTING = r"transfer-encoding|connection|proxy-connection|expect|upgrade"
"""All that llhttp and uvicorn act upon, beside the length."""
_UUID_FORM = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_UUID = re.compile(_UUID_FORM, re.ASCII)
_NAME = re.compile(rb"\r\n([^:\r]++):")
_LINES_THAT_DIFFER = 7
"""The first, the four that are read and come once by their form, one other, and the empty one."""
# `(?(2)(?!)|...)` refuses a header whose group 2 is set already: it came before.
_FORM = r"""
    POST\ {before}({uuid}){after}\ HTTP/1\.1\r\n
    (?: (?: (?i:content-length):\ (?(2)(?!)|([1-9][0-9]{{0,3}}))
        |   (?i:content-type):\ (?(3)(?!)|(application/json(?:;\ charset=utf-8)?))
        |   (?i:authorization):\ Bearer\ (?(4)(?!)|([!-~]++))
        |   (?i:{key}):\ (?(6)(?!)|(")?({uuid})(?(5)"))
        |   (?!(?i:{known}):)[A-Za-z0-9-]++:\ [!-~][\ -~]*+
        )\r\n
    )+
    \r\n
"""


class Head(msgspec.Struct, frozen=True):
    """What a plain request says before its body, and to which operation."""

    hot: Hot[Any]
    place: UUID
    key: UUID
    token: str
    body_bytes: int


class Form:
    """The plainest form of one operation's requests."""

    def __init__(self, hot: Hot[Any]) -> None:
        self._hot = hot
        parts = {"uuid": _UUID_FORM, "key": HEADER, "known": f"{_READ}|{_DIRECTING}"}
        pattern = _FORM.format(before=re.escape(hot.before), after=re.escape(hot.after), **parts)
        self._pattern = re.compile(pattern.encode(), re.VERBOSE)

    def read(self, sent: bytes) -> tuple[Head, bytes] | None:
        """What a request says, and what came behind its head; None for what has not this form."""
        found = self._pattern.match(sent)
        if found is None:
            return None
        place, length, content_type, token, _, key = found.groups()
        if None in (length, content_type, token, key):
            return None
        behind = found.end()
        if sent.count(b"\r\n", 0, behind) > _LINES_THAT_DIFFER and _repeats_a_name(sent[:behind]):
            return None
        head = Head(
            self._hot,
            read_driver_uuid(place.decode()),
            read_driver_uuid(key.decode()),
            token.decode(),
            int(length),
        )
        return head, sent[behind:]


def _repeats_a_name(head: bytes) -> bool:
    names = _NAME.findall(head.lower())
    return len(set(names)) < len(names)


def read_head(path: str, sent: Sequence[tuple[bytes, bytes]], hot: Hot[Any]) -> Head | None:
    """What a plain request to this operation says in its path and headers; None for every other request."""
    first = len(hot.before)
    last = first + _UUID_CHARACTERS
    place = path[first:last]
    if path[last:] != hot.after or path[:first] != hot.before or _UUID.fullmatch(place) is None:
        return None
    headers = dict(sent)
    length, bearer, key = headers.get(b"content-length"), headers.get(b"authorization"), headers.get(_KEY)
    if length is None or bearer is None or key is None or len(headers) != len(sent):
        return None
    if headers.get(b"content-type") not in _PLAIN_TYPES or bearer[: len(_BEARER)] != _BEARER or not bearer.isascii():
        return None
    if not length.isdigit() or len(length) > _LENGTH_DIGITS:
        return None
    try:
        named = read_key([key.decode("latin-1")])
    except Refusal:
        return None
    return Head(hot, read_driver_uuid(place), named, bearer[len(_BEARER) :].decode(), int(length))
