"""How often somebody may ask: a request is counted before anything of it is read.

Law: who shows a sign-in of ours is counted as its account, whatever network they sit in; who shows none is counted
by network address. So a family, a market hall or a carrier's whole customers behind one address keep nobody from
paying. Of N + 1 requests at once exactly N pass: counting is one step of a program that does one step at a time.

A count is one instant, the one at which everything asked for will have been worked off (GCRA, the virtual scheduling
algorithm of ITU-T I.371); it is kept in the memory of one process. The address is that of the connection. What a
request says of where it comes from is not read, because whoever asks can write it.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address

from services.kit.errors import Kind, Refusal

MOST_COUNTED = 65_536
"""Whoever asked longest ago is forgotten first, and may then ask a full number again."""
UNCOUNTED = ("/checkout/webhook",)
"""The payment channel's word: signed, all from few addresses, and as frequent as people buy."""
_MINUTE_NS = 60_000_000_000
_SECOND_NS = 1_000_000_000
_HOME_BITS = 64
"""What one household is given of IPv6; a single device takes a new address of it whenever it likes."""


class TooManyRequests(Refusal):
    """More requests in a short time than anybody needs; none of this one was read."""

    code = "too_many_requests"
    kind = Kind.THROTTLED


class Meter:
    """Up to `a_minute` at once, which come back at the same pace; 0 counts nothing. `now` is in nanoseconds."""

    def __init__(self, a_minute: int, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._step = _MINUTE_NS // a_minute if a_minute else 0
        self._slack = self._step * a_minute
        self._now = now
        self._until: OrderedDict[Hashable, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def has_room(self, whose: Hashable) -> bool:
        """Count one more, if there is room for it."""
        if not self._step:
            return True
        now = self._now()
        until = self._until.get(whose, now)
        until = (until if until > now else now) + self._step
        if until - now > self._slack:
            return False
        self._until[whose] = until
        self._until.move_to_end(whose)
        if len(self._until) > MOST_COUNTED:
            self._until.popitem(last=False)
        return True

    def take(self, whose: Hashable) -> None:
        """Count one more. Raises TooManyRequests, which counts nothing."""
        if not self.has_room(whose):
            over = self._until[whose] + self._step - self._slack - self._now()
            raise TooManyRequests(retry_after_seconds=max(1, -(-over // _SECOND_NS)))


@dataclass(frozen=True)
class Rates:
    """Both counts of a city's server, over all its APIs. As made here nothing is limited."""

    accounts: Meter = field(default_factory=lambda: Meter(0))
    addresses: Meter = field(default_factory=lambda: Meter(0))

    def take_address(self, address: str) -> None:
        """Count a request without a sign-in. Raises TooManyRequests."""
        whose = counted_address(address)
        if whose is not None:
            self.addresses.take(whose)


def counted_address(address: str) -> str | None:
    """What a connection's address is counted as: an IPv6 address as its household's network; None: not at all.

    Only addresses of the public internet are counted. Others are this machine, or a proxy of the operator's, who
    counts in front of us: everybody comes from there.
    """
    try:
        found = ip_address(address)
    except ValueError:
        return None
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is None:
            return f"{int(found) >> _HOME_BITS:x}" if found.is_global else None
        found = found.ipv4_mapped
    return str(found) if found.is_global else None
