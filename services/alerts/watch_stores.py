"""Stores that take, or give back, more in an hour or a day than is usual: counted and kept as alerts at once.

Law: a store has one open alert for a window, however often the window is counted, and no window is counted without
its alert. An alert names no resident: whom a store was paid by is another rule's business.
"""

from hashlib import sha256

from services.alerts.alert import Finding
from services.alerts.keep import KeepFindings, keep_findings
from services.kit.db import Tx
from services.payments.count_stores import CountDay, StoreRush, count_day


async def watch_stores(tx: Tx, command: CountDay) -> int:
    """Count a day and keep what stands out; how many alerts are new, or told anew after a review."""
    found = await count_day(tx, command)
    if not found:
        return 0
    findings = tuple(map(finding_of, found))
    kept = await keep_findings(tx, KeepFindings(findings, command.day, command.day))
    return kept.new + kept.anew


def finding_of(found: StoreRush) -> Finding:
    """The same store, rule and window make the same key."""
    rush = found.rush
    key = sha256(f"{rush.rule}|{found.store_code}|{rush.window.began_at.timestamp():.0f}".encode()).hexdigest()[:16]
    return Finding(key, rush.rule, f"store:{found.store_code}", rush.score_permille, rush.figures, (), rush.rests_on)
