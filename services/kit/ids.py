"""Ids are UUIDv7 (RFC 9562 section 5.7), made from the deed's instant and the entropy port."""

import random
import secrets
from datetime import datetime
from typing import Protocol
from uuid import UUID


class Entropy(Protocol):
    """A source of random bytes: secret in production, seeded in a simulation."""

    def take(self, count: int) -> bytes: ...


class SecretEntropy:
    def take(self, count: int) -> bytes:
        return secrets.token_bytes(count)


class SeededEntropy:
    """Repeatable bytes for tests and simulations; never for secrets."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def take(self, count: int) -> bytes:
        return self._random.randbytes(count)


def uuid7(instant: datetime, entropy: Entropy) -> UUID:
    """A UUIDv7 of `instant` in milliseconds, the rest random."""
    return UUID(bytes=uuid7_bytes(int(instant.timestamp() * 1000), entropy.take(NOISE_BYTES)))


def first_id_of(instant: datetime) -> UUID:
    """The bound below which every id of an earlier millisecond lies, and no id of this one."""
    return UUID(int=int(instant.timestamp() * 1000) << 80)


NOISE_BYTES = 10


def uuid7_bytes(milliseconds: int, noise: bytes) -> bytes:
    """The sixteen bytes of a UUIDv7; of the ten bytes of `noise` six bits give way to version and variant."""
    version, variant = 0x70 | noise[0] & 0x0F, 0x80 | noise[2] & 0x3F
    return milliseconds.to_bytes(6, "big") + bytes((version, noise[1], variant)) + noise[3:]
