"""Anchors in a file: a line a head, each signed and each holding the one before it.

Law: a line is on the disk before anybody relies on it, and is never written anew. Of several that
anchor at once each sees the other's lines first. The file is worth as much as its place: where
whoever can alter the database can also alter the file and read the key, it proves nothing.
"""

import asyncio
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.kit.anchors import Anchor, AnchorsBroken, Head

NOTHING_BEFORE = "0" * 64
MOST_LINE_BYTES = 2_000
_MEMBERS = frozenset({"line", "at", "chain", "entries", "head", "before", "signature"})


class LineInvalid(ValueError):
    """A line of the file is not an anchor, or its signature is not of the operator's key."""


@dataclass(frozen=True)
class AnchorLine:
    """One line: an anchor, the digest that it holds of the line before it, and its own."""

    anchor: Anchor
    before: str
    digest: str


def read_line(text: str, key: Ed25519PublicKey) -> AnchorLine:
    """The anchor of a line. Raises LineInvalid."""
    try:
        said: dict[str, Any] = json.loads(text)
        if set(said) != _MEMBERS or text != _text(said):
            raise LineInvalid("not an anchor as we write it")
        signature = bytes.fromhex(said.pop("signature"))
        key.verify(signature, _text(said).encode())
        head = Head(said["chain"], said["entries"], bytes.fromhex(said["head"]))
        anchor = Anchor(head, datetime.fromisoformat(said["at"]), said["line"], signature)
    except (ValueError, TypeError, AttributeError, RecursionError, InvalidSignature) as error:
        raise LineInvalid("not an anchor that this key has signed") from error
    return AnchorLine(anchor, said["before"], _digest(text))


def _write_line(number: int, at: datetime, head: Head, before: str, key: Ed25519PrivateKey) -> tuple[str, Anchor]:
    said = {
        "line": number,
        "at": at.isoformat(),
        "chain": head.chain,
        "entries": head.entries,
        "head": head.hash.hex(),
        "before": before,
    }
    signature = key.sign(_text(said).encode())
    return _text(said | {"signature": signature.hex()}), Anchor(head, at, number, signature)


class AnchorFile:
    """The anchor port as a file on this machine, or on whatever is mounted there."""

    def __init__(self, path: Path, key: Ed25519PrivateKey) -> None:
        self._path = path
        self._key = key

    async def last(self) -> Mapping[str, Head]:
        return await asyncio.to_thread(self._last)

    async def write(self, heads: Sequence[Head], at: datetime) -> Sequence[Anchor]:
        return await asyncio.to_thread(self._append, heads, at)

    def _last(self) -> Mapping[str, Head]:
        with self._opened() as descriptor:
            return _standing(self._lines(descriptor))

    def _append(self, heads: Sequence[Head], at: datetime) -> Sequence[Anchor]:
        with self._opened() as descriptor:
            lines = self._lines(descriptor)
            known = _standing(lines)
            number, before = (lines[-1].anchor.line, lines[-1].digest) if lines else (0, NOTHING_BEFORE)
            nothing = Head("", 0, b"")
            beyond = {head.chain: head.entries - known.get(head.chain, nothing).entries for head in heads}
            if max(beyond.values(), default=0) <= 0:
                return []
            written, texts = [], ""
            for head in (each for each in heads if beyond[each.chain] >= 0):
                number += 1
                text, anchor = _write_line(number, at, head, before, self._key)
                before = _digest(text)
                texts += text + "\n"
                written.append(anchor)
            _append_whole(descriptor, texts.encode())
            return written

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The file, alone with it; made where it is missing."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield descriptor
        finally:
            os.close(descriptor)

    def _lines(self, descriptor: int) -> list[AnchorLine]:
        """The last lines, as far back as one of each chain surely stands. Raises AnchorsBroken."""
        size = os.fstat(descriptor).st_size
        start = max(0, size - 64 * MOST_LINE_BYTES)
        content = os.pread(descriptor, size - start, start)
        whole, _, unfinished = content.rpartition(b"\n")
        if unfinished:
            # A crash cut this line short: it was never relied upon.
            os.ftruncate(descriptor, size - len(unfinished))
        texts = whole.decode("utf-8", "replace").split("\n") if whole else []
        try:
            return [read_line(text, self._key.public_key()) for text in (texts[1:] if start else texts)]
        except LineInvalid as error:
            raise AnchorsBroken(f"{self._path} holds a line that is {error}; run `tanabata audit verify`") from error


def _standing(lines: Sequence[AnchorLine]) -> dict[str, Head]:
    return {line.anchor.head.chain: line.anchor.head for line in lines}


def _append_whole(descriptor: int, content: bytes) -> None:
    """All of it or, as far as a crash allows, nothing; on the disk when this returns."""
    start = os.fstat(descriptor).st_size
    try:
        done = 0
        while done < len(content):
            done += os.write(descriptor, content[done:])
        os.fsync(descriptor)
    except OSError:
        os.ftruncate(descriptor, start)
        raise


def _text(said: Mapping[str, Any]) -> str:
    return json.dumps(said, separators=(",", ":"))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
