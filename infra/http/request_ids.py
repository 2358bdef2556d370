"""Ids of requests: random UUIDs, their randomness drawn from the system many at a time."""

import os

from services.kit.driver_uuid import driver_uuid

_ID_BYTES = 16
_BLOCK_IDS = 256
_VERSION = bytes(each & 0x0F | 0x40 for each in range(256))
_VARIANT = bytes(each & 0x3F | 0x80 for each in range(256))


class RequestIds:
    """A source of UUIDv4 as text, for one process."""

    def __init__(self) -> None:
        self._waiting: list[str] = []

    def take(self) -> str:
        if not self._waiting:
            self._waiting = _uuids4(os.urandom(_ID_BYTES * _BLOCK_IDS))
        return self._waiting.pop()


def _uuids4(drawn: bytes) -> list[str]:
    """Random bytes with version and variant set (RFC 9562 section 5.4), written as UUIDs."""
    block = bytearray(drawn)
    block[6::_ID_BYTES] = block[6::_ID_BYTES].translate(_VERSION)
    block[8::_ID_BYTES] = block[8::_ID_BYTES].translate(_VARIANT)
    made = bytes(block)
    return [str(driver_uuid(made[at : at + _ID_BYTES])) for at in range(0, len(made), _ID_BYTES)]
