"""Ids of requests: random UUIDs, their randomness drawn from the system many at a time."""

import os

_ID_BYTES = 16
_BLOCK_IDS = 256
_VARIANTS = "89ab"


class RequestIds:
    """A source of UUIDv4 as text, for one process."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def take(self) -> str:
        if not self._waiting:
            block = os.urandom(_ID_BYTES * _BLOCK_IDS).hex()
            self._waiting = [_uuid4(block[at : at + 32]) for at in range(0, len(block), 32)]
        return self._waiting.pop()


def _uuid4(digits: str) -> str:
    """32 random hexadecimal digits with version and variant set (RFC 9562 section 5.4)."""
    variant = _VARIANTS[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
