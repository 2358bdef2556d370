"""Keep what a run over the lake found: each alert once, however often it is found."""

from dataclasses import dataclass
from datetime import date

from services.alerts import tables
from services.alerts.alert import Finding, most_telling, round_of
from services.kit import audit
from services.kit.db import Tx


@dataclass(frozen=True)
class KeepFindings:
    """What the rules found in the payments of these days, both included."""

    findings: tuple[Finding, ...]
    first_day: date
    last_day: date


@dataclass(frozen=True)
class Kept:
    """How many alerts are new, told anew after a review, seen again while open, or judged already and left alone."""

    new: int
    anew: int
    again: int
    judged: int


async def keep_findings(tx: Tx, command: KeepFindings) -> Kept:
    """An open alert never comes to say less than it did: it is rewritten by what rests on as much, or more.

    A run that finds nothing new leaves no entry in the log: what stores take is looked at every minute.
    """
    findings = most_telling(command.findings)
    known = await tables.latest(tx, [each.key for each in findings])
    rounds = {each.key: round_of(each, known.get(each.key)) for each in findings}
    kept = [(each, placed) for each in findings if (placed := rounds[each.key]) is not None]
    await tables.keep(tx, kept, command.first_day, command.last_day)
    new = sum(1 for each, _ in kept if each.key not in known)
    anew = sum(1 for each, placed in kept if each.key in known and placed > known[each.key].round)
    done = Kept(new, anew, len(kept) - new - anew, len(findings) - len(kept))
    if new or anew:
        days = {"first_day": command.first_day, "last_day": command.last_day}
        await audit.record(tx, None, "alerts.found", None, new=new, anew=anew, **days)
    return done
