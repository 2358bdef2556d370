"""Who bears this token: verified once, then remembered, because checking a signature costs a payment's time.

Law: what is remembered is that one of our keys signed this very text for this very API, never that
it is welcome: each use asks the token's life again against the deed's instant, and a use case reads
from the tables whether the account is open. A text that failed is not remembered. The memory is
bounded, and holds hashes, so that nobody finds a usable token in it.
"""

from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from services.identity.tokens import AccessToken, Audience, SignedClaims, TokenKeys, judge, read
from services.kit.driver_uuid import driver_uuid

MOST_REMEMBERED = 65_536
"""About 50 MB when full; the oldest leaves first. A token lives for ten minutes."""


class Bearers:
    """A city's verified tokens; one for all APIs of a process."""

    def __init__(self, keys: TokenKeys, most: int = MOST_REMEMBERED) -> None:
        self._keys = keys
        self._most = most
        self._signed: OrderedDict[bytes, SignedClaims] = OrderedDict()

    def __len__(self) -> int:
        return len(self._signed)

    def verify(self, token: str, audience: Audience, now: datetime) -> AccessToken:
        """As `services.identity.tokens.verify`. Raises TokenInvalid and TokenExpired."""
        name = sha256(token.encode("utf-8", "surrogatepass")).digest()
        claims = self._signed.get(name)
        if claims is None or claims.token.audience is not audience:  # a token is for one API: elsewhere it is refused
            claims = _for_the_driver(read(self._keys, token, audience))
            if len(self._signed) >= self._most:
                self._signed.popitem(last=False)
            self._signed[name] = claims
        return judge(claims, now)


def _for_the_driver(claims: SignedClaims) -> SignedClaims:
    """The same claims; the ids, which the statements of its deeds will carry, are quick to write."""
    token = claims.token
    account_id, session_id = driver_uuid(token.account_id.bytes), driver_uuid(token.session_id.bytes)
    return replace(claims, token=replace(token, account_id=account_id, session_id=session_id))
