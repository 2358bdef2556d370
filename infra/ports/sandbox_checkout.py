"""The local twin of a payment channel: a page with two buttons, and the webhook a card company sends.

Law: it speaks to the platform only as a channel would, by the port and by signed webhooks, and
never touches its tables. Its own state is a small SQLite file, so that a restart forgets nothing.
"""

import hashlib
import hmac
import json
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from standardwebhooks import Webhook

from services.kit.clock import Clock
from services.kit.errors import Kind, Missing, Refusal
from services.wallets.checkout import CheckoutRequest, CheckoutSession, CheckoutStanding, CheckoutState

Deliver = Callable[[bytes, Mapping[str, str]], Awaitable[int]]
"""Carries a webhook's body and headers to the platform and returns the HTTP status."""

log = logging.getLogger(__name__)

_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkout (
  id TEXT PRIMARY KEY, purchase_id TEXT NOT NULL UNIQUE, amount_yen INTEGER NOT NULL, description TEXT NOT NULL,
  return_url TEXT NOT NULL, expires_at TEXT NOT NULL, state TEXT NOT NULL, refunded_yen INTEGER NOT NULL DEFAULT 0,
  paid_yen INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE IF NOT EXISTS refund (
  id TEXT PRIMARY KEY, checkout_id TEXT NOT NULL REFERENCES checkout (id), amount_yen INTEGER NOT NULL
) STRICT;
"""


class CheckoutEnded(Refusal):
    """The payer came too late, or the payment is decided already; `state` says how."""

    code = "checkout_ended"
    kind = Kind.CONFLICT


class CheckoutRefundRefused(Refusal):
    """The channel holds no such money to return."""

    code = "checkout_refund_refused"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Checkout:
    """One payment as the channel knows it; amounts in yen. `paid_yen` is what it took, as a rule `amount_yen`."""

    id: str
    purchase_id: UUID
    amount_yen: int
    description: str
    return_url: str
    expires_at: datetime
    state: CheckoutState
    refunded_yen: int
    paid_yen: int


class SandboxCheckout:
    """Implements `services.wallets.checkout.CheckoutPort`, and what a payer does on the channel's page."""

    def __init__(self, *, path: Path | None, public_url: str, secret: str, clock: Clock, deliver: Deliver) -> None:
        """`path` None keeps the state in memory, for simulations and tests; `secret` is `whsec_…`."""
        if path is not None:
            path.touch(mode=0o600)  # before SQLite, whose other files take this one's mode
        self._file = sqlite3.connect(path or ":memory:", check_same_thread=False, isolation_level=None)
        self._file.executescript("PRAGMA journal_mode = WAL;" + _SCHEMA)
        self._public_url = public_url
        self._secret = secret
        self._clock = clock
        self._deliver = deliver

    def close(self) -> None:
        self._file.close()

    async def create(self, request: CheckoutRequest) -> CheckoutSession:
        # The id follows from the purchase: a second `create` finds the first, and nobody guesses one.
        name = f"checkout:{request.purchase_id}".encode()
        checkout_id = hmac.new(self._secret.encode(), name, hashlib.sha256).hexdigest()[:32]
        self._file.execute(
            "INSERT INTO checkout (id, purchase_id, amount_yen, description, return_url, expires_at, state)"
            " VALUES (?, ?, ?, ?, ?, ?, 'open') ON CONFLICT DO NOTHING",
            (
                checkout_id,
                str(request.purchase_id),
                request.amount_yen,
                request.description,
                request.return_url,
                request.expires_at.isoformat(),
            ),
        )
        return CheckoutSession(checkout_id, f"{self._public_url}/sandbox/checkout/{checkout_id}")

    async def status(self, checkout_id: str) -> CheckoutStanding:
        found = self.look(checkout_id)
        return CheckoutStanding(found.state, found.paid_yen)

    async def refund(self, checkout_id: str, amount_yen: int, refund_id: UUID) -> None:
        """Return money to the payer. Raises CheckoutRefundRefused unless that much was paid."""
        self.look(checkout_id)
        self._file.execute("BEGIN IMMEDIATE")
        try:
            known = self._file.execute("SELECT 1 FROM refund WHERE id = ?", (str(refund_id),)).fetchone()
            if known is None:
                self._refund_once(checkout_id, amount_yen, refund_id)
            self._file.execute("COMMIT")
        except BaseException:
            self._file.execute("ROLLBACK")
            raise

    def _refund_once(self, checkout_id: str, amount_yen: int, refund_id: UUID) -> None:
        moved = self._file.execute(
            "UPDATE checkout SET refunded_yen = refunded_yen + ?1"
            " WHERE id = ?2 AND state = 'paid' AND ?1 > 0 AND refunded_yen + ?1 <= paid_yen",
            (amount_yen, checkout_id),
        )
        if moved.rowcount != 1:
            raise CheckoutRefundRefused(checkout_id=checkout_id, amount_yen=amount_yen)
        row = (str(refund_id), checkout_id, amount_yen)
        self._file.execute("INSERT INTO refund (id, checkout_id, amount_yen) VALUES (?, ?, ?)", row)

    def look(self, checkout_id: str) -> Checkout:
        """A checkout as its page shows it; one that nobody paid in time is cancelled. Raises Missing."""
        row = self._file.execute(
            "SELECT id, purchase_id, amount_yen, description, return_url, expires_at, state, refunded_yen,"
            " paid_yen FROM checkout WHERE id = ?",
            (checkout_id,),
        ).fetchone()
        if row is None:
            raise Missing
        expires_at, state = datetime.fromisoformat(row[5]), CheckoutState(row[6])
        if state is CheckoutState.OPEN and self._clock.now() >= expires_at:
            state = CheckoutState.CANCELLED
        return Checkout(row[0], UUID(row[1]), row[2], row[3], row[4], expires_at, state, row[7], row[8])

    async def pay(self, checkout_id: str, *, notify: bool = True, amount_yen: int | None = None) -> None:
        """The payer pays. Raises CheckoutEnded when it is decided or too late.

        `notify` False plays the webhook that never comes: `notify` sends it later. `amount_yen`
        plays a counter that takes another sum than it was asked to.
        """
        asked_yen = self.look(checkout_id).amount_yen
        self._decide(checkout_id, CheckoutState.PAID, asked_yen if amount_yen is None else amount_yen)
        if notify:
            await self.notify(checkout_id)

    async def decline(self, checkout_id: str) -> None:
        """The payer turns back."""
        self._decide(checkout_id, CheckoutState.CANCELLED)
        await self.notify(checkout_id)

    def _decide(self, checkout_id: str, state: CheckoutState, paid_yen: int = 0) -> None:
        found = self.look(checkout_id)
        moved = 0
        if found.state is CheckoutState.OPEN:
            update = "UPDATE checkout SET state = ?, paid_yen = ? WHERE id = ? AND state = 'open'"
            moved = self._file.execute(update, (state.value, paid_yen, checkout_id)).rowcount
        if moved != 1:
            raise CheckoutEnded(state=found.state.value)

    async def notify(self, checkout_id: str) -> int:
        """Send the webhook of a decided checkout, once more if need be; the platform's HTTP status.

        A delivery that fails is only logged, as at a channel: the platform asks when it hears nothing.
        """
        found = self.look(checkout_id)
        now = self._clock.now()
        message_id = f"msg_{found.id}_{found.state.value}"
        yen = found.paid_yen or found.amount_yen
        data = {"checkout_id": found.id, "purchase_id": str(found.purchase_id), "amount_yen": yen}
        body = json.dumps({"type": f"checkout.{found.state.value}", "data": data}, separators=(",", ":"))
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(message_id, now, body),
        }
        status = await self._deliver(body.encode(), headers)
        if not 200 <= status < 300:
            log.warning("the platform answered a checkout webhook with %d", status)
        return status
