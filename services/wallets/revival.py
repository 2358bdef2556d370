"""Refunds to expired lots: the programme's stated rule, as a pure function."""

from datetime import datetime, timedelta

from services.campaigns.terms import ExpiredRefund, Regime, Terms, six_months_after
from services.kit.clock import civil_date, end_of
from services.wallets.lots import Lot


def revived_until(terms: Terms, lot: Lot, now: datetime) -> datetime | None:
    """Until when a refund to an expired lot is usable; None if it expires at once.

    Revived value lives through the `revive_days`-th civil day after the refund. Where the
    programme relies on the six-month exemption it never lives longer than six months from
    the lot's issue.
    """
    if terms.expired_refund is ExpiredRefund.FORFEIT or terms.revive_days == 0:
        return None
    until = end_of(civil_date(now) + timedelta(days=terms.revive_days))
    if terms.issuer.regime is Regime.SIX_MONTHS_EXEMPT:
        until = min(until, six_months_after(lot.issued_at))
    return until if until > now else None
