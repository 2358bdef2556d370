"""Who lives and sells in a benchmark's town: it follows from the town's size alone.

Law: equal sizes give equal people, so that a load generator knows every id and key without asking the
database. Ids are UUIDv7 whose time is the instant at which somebody came, one after the other.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.kit.ids import Entropy, SeededEntropy, uuid7
from services.kit.numbers import make_number, number_space
from services.merchants.shops import STORE_CODE_LENGTH, STORE_PREFIX

PAYERS, TILLS = 50_000, 1_500
MOST_PAYERS, MOST_TILLS = 1_000_000, 20_000

FIRST_CAME = datetime(2024, 1, 9, tzinfo=UTC)
EACH_AFTER = timedelta(seconds=20)
"""A million residents have come within eight months, before any programme of the town begins."""

_PAYERS_SEED, _TILLS_SEED = 0x7A9E5, 0x7A117


@dataclass(frozen=True, slots=True)
class Payer:
    """A resident with a phone; `secret` is what `infra.phone.SandboxPhone` derives its key from."""

    account_id: UUID
    wallet_id: UUID
    device_id: UUID
    secret: bytes


@dataclass(frozen=True, slots=True)
class Till:
    """A store and the clerk at its till."""

    store_id: UUID
    store_code: str
    clerk_account_id: UUID


@dataclass(frozen=True)
class Ground:
    """Everybody, in the order in which they came."""

    payers: tuple[Payer, ...]
    tills: tuple[Till, ...]


def ground(payers: int = PAYERS, tills: int = TILLS) -> Ground:
    """The people of a town of that size, always the same ones."""
    if not (1 <= payers <= MOST_PAYERS and 1 <= tills <= MOST_TILLS):
        raise ValueError(f"a ground has 1 to {MOST_PAYERS} payers and 1 to {MOST_TILLS} tills")
    phones, counters = SeededEntropy(_PAYERS_SEED), SeededEntropy(_TILLS_SEED)
    return Ground(
        tuple(_payer(came(n), phones) for n in range(payers)),
        tuple(_till(came(n), counters) for n in range(tills)),
    )


def session_of(account_id: UUID) -> UUID:
    """The one session that everybody has; named like its account, and so known without asking."""
    return account_id


def came(n: int) -> datetime:
    """When the n-th resident, or the n-th store, came to the town."""
    return FIRST_CAME + n * EACH_AFTER


def _payer(instant: datetime, entropy: Entropy) -> Payer:
    account_id, wallet_id, device_id = (uuid7(instant, entropy) for _ in range(3))
    return Payer(account_id, wallet_id, device_id, entropy.take(32))


def _till(instant: datetime, entropy: Entropy) -> Till:
    store_id, clerk_account_id = (uuid7(instant, entropy) for _ in range(2))
    body = int.from_bytes(entropy.take(16)) % number_space(STORE_CODE_LENGTH)
    return Till(store_id, make_number(STORE_PREFIX, body, STORE_CODE_LENGTH), clerk_account_id)
