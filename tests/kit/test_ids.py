"""Ids: UUIDv7 of the deed's instant, ordered by it, repeatable from a seed."""

from datetime import UTC, datetime, timedelta
from uuid import RFC_4122

from hypothesis import given
from hypothesis import strategies as st

from services.kit.ids import SecretEntropy, SeededEntropy, uuid7

INSTANTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)


class Fixed:
    """Entropy of one byte, repeated."""

    def __init__(self, byte: int) -> None:
        self._byte = byte

    def take(self, count: int) -> bytes:
        return bytes([self._byte]) * count


@given(INSTANTS, st.integers(0, 255))
def test_an_id_is_a_version_7_uuid_of_its_millisecond(instant: datetime, byte: int) -> None:
    made = uuid7(instant, Fixed(byte))
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == int(instant.timestamp() * 1000)


@given(INSTANTS, st.integers(1, 10**9))
def test_a_later_millisecond_gives_a_greater_id_whatever_the_noise(instant: datetime, milliseconds: int) -> None:
    later = instant + timedelta(milliseconds=milliseconds)
    assert uuid7(instant, Fixed(255)) < uuid7(later, Fixed(0))


def test_the_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6: 017F22E2-79B0-7CC3-98C4-DC0C0C07398F."""

    class Noise:
        def take(self, count: int) -> bytes:
            assert count == 10
            return (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10, "big")

    instant = datetime(2022, 2, 22, 19, 22, 22, tzinfo=UTC)
    assert str(uuid7(instant, Noise())).upper() == "017F22E2-79B0-7CC3-98C4-DC0C0C07398F"


def test_equal_seeds_give_equal_ids_and_different_seeds_others() -> None:
    one, two, other = SeededEntropy(1), SeededEntropy(1), SeededEntropy(2)
    first = [uuid7(NOON, one) for _ in range(100)]
    assert first == [uuid7(NOON, two) for _ in range(100)]
    assert not set(first) & {uuid7(NOON, other) for _ in range(100)}


def test_ids_of_one_millisecond_differ() -> None:
    entropy = SecretEntropy()
    assert len({uuid7(NOON, entropy) for _ in range(1_000)}) == 1_000
    assert len(entropy.take(16)) == 16
