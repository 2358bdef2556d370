"""What a repetition sends, decided by a seed before the clock starts.

Payers are uniform, tills follow Zipf's law (s = 1), amounts are 1 to 500 yen. A fifth of the requests
repeat an earlier one under the same Idempotency-Key, as phones do that heard nothing: half of them while
the first is still under way, half after its answer has come.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from itertools import accumulate

DEAREST_YEN = 500
ISSUER = "http://localhost:8000"
"""Who signs access tokens: the installation's address, whatever port a server happens to listen on."""
REPEATED_SHARE = 0.2
"""Of all requests; so of the payments a quarter is sent twice."""


class Door(StrEnum):
    """Which endpoint is paid at."""

    WALLET = "wallet"
    """The resident scans the store's code: POST to the wallet API."""
    STORE = "store"
    """The clerk scans the resident's signed code: POST to the merchant API."""
    NAIVE = "naive"
    """The small ORM application that stands beside for scale."""


class Repeat(IntEnum):
    """Whether a payment's request is sent a second time, and when."""

    NEVER = 0
    AT_ONCE = 1
    AFTERWARDS = 2


@dataclass(frozen=True)
class Order:
    """One repetition, as the load generator is asked for it.

    Payments come from the first `payers` payers and go to the first `tills` tills. Without `per_s` each
    of the connections sends its next request when the last was answered; with it, requests for new
    payments arrive by a Poisson process at that rate, whether or not earlier ones have been answered.
    `warm_up` sends one payment of every payer instead, and repeats none.
    """

    door: Door
    port: int
    connections: int
    seconds: float
    """No new payment is begun after so long; those begun are waited for."""
    most_payments: int
    payers: int
    tills: int
    seed: int
    acknowledged_file: str
    """Where the ids of acknowledged payments are written, one a line."""
    per_s: float | None = None
    warm_up: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came of it, as the clients saw it."""

    payments: int
    """Payments begun."""
    requests: int
    """Requests answered, repeats included."""
    acknowledged: int
    """Payments that were answered 201, each counted once."""
    elapsed_s: float
    """From the first request to the last answer."""
    load_cpu_s: float
    """Processor time of the generator meanwhile."""
    p50_ms: float
    p99_ms: float
    problems: tuple[str, ...] = field(default=())
    """What should never happen, in sentences; none when all went well."""

    @property
    def per_s(self) -> float:
        """Distinct acknowledged payments a second; repeats are work that counts for nothing."""
        return self.acknowledged / self.elapsed_s


@dataclass(frozen=True, slots=True)
class Payment:
    payer: int
    till: int
    amount_yen: int
    repeat: Repeat


def payments(order: Order, chance: random.Random) -> Iterator[Payment]:
    """The order's payments, in the order of sending."""
    if order.warm_up:
        yield from _everybody_once(order)
        return
    tills = list(range(order.tills))
    weights = list(accumulate(1 / rank for rank in range(1, order.tills + 1)))
    chosen = chance.choices(tills, cum_weights=weights, k=order.most_payments)
    twice = REPEATED_SHARE / (1 - REPEATED_SHARE)
    for till in chosen:
        draw = chance.random()
        repeat = Repeat.NEVER if draw >= twice else Repeat.AT_ONCE if draw < twice / 2 else Repeat.AFTERWARDS
        yield Payment(chance.randrange(order.payers), till, chance.randint(1, DEAREST_YEN), repeat)


def arrivals(per_s: float, count: int, chance: random.Random) -> list[float]:
    """The instants of a Poisson process, in seconds from its start."""
    return list(accumulate(chance.expovariate(per_s) for _ in range(count)))


def _everybody_once(order: Order) -> Iterator[Payment]:
    """Every payer, and with them every till: neither the sender nor the phone that signs is a stranger afterwards."""
    for number in range(min(order.payers, order.most_payments)):
        yield Payment(number % order.payers, number % order.tills, 1, Repeat.NEVER)
