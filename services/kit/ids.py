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
    milliseconds = int(instant.timestamp() * 1000) & ((1 << 48) - 1)
    noise = int.from_bytes(entropy.take(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (noise >> 64 & 0xFFF) << 64 | 0b10 << 62
    return UUID(int=value | noise & ((1 << 62) - 1))
