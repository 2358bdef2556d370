"""Up to which sum a scanned code alone pays, and what an operator sets for all payments.

Law: above it the payer sees store and sum on their own phone first, and says yes there.
"""

from dataclasses import dataclass

from services.kit.errors import Kind, Refusal
from services.payments.velocity import USUAL, Velocity

TAP_ABOVE_YEN = 10_000
"""A city's usual sum up to which a scanned code alone pays; most baskets are a tenth of it."""


@dataclass(frozen=True)
class PayingLimits:
    """What an operator sets for all payments: how much how quickly, and up to which sum a scanned code alone pays."""

    velocity: Velocity = USUAL
    tap_above_yen: int = TAP_ABOVE_YEN


USUAL_LIMITS = PayingLimits()


class TapNeeded(Refusal):
    """Above `most_yen` a scanned code alone pays nothing: let the register ask the customer's phone."""

    code = "tap_needed"
    kind = Kind.CONFLICT
