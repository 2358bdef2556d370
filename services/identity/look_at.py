"""Look at people: written down with its reason in the deed's own transaction, and counted exactly.

Law: whoever shows one of the city's staff what is personal comes through here first. A look that cannot be recorded
shows nothing, and neither does one beyond the limit.
"""

from collections.abc import Sequence
from uuid import UUID

from services.identity.bulk_reading import LENGTH, Looker, Span, TooManyLooks, goes_beyond, wait_seconds
from services.identity.tables import looks
from services.kit import audit
from services.kit.db import Tx


async def look_at(
    tx: Tx, looker: Looker, action: str, people: Sequence[UUID], *, about: Sequence[UUID] = (), **said: object
) -> None:
    """Record that somebody looks at `people`, by an entry for each of `about` (the people themselves if empty).

    `people` empty: nobody was found, which counts as one person. Raises TooManyLooks.
    """
    await _count(tx, looker, people)
    for subject_id in about or people or (None,):
        await audit.record(tx, looker.account_id, action, subject_id, **said)


async def _count(tx: Tx, looker: Looker, people: Sequence[UUID]) -> None:
    await looks.take_turn(tx, looker.account_id)
    subjects = list(people) or [tx.new_id()]
    spans = list(Span)
    since = [tx.now - LENGTH[span] for span in spans]
    before = await looks.people_since(tx, looker.account_id, since)
    await looks.note_looks(tx, looker.account_id, subjects)
    after = await looks.people_since(tx, looker.account_id, since)
    for span, had, has in zip(spans, before, after, strict=True):
        limit = looker.limits.of(span)
        if goes_beyond(had, has, limit.stop):
            oldest = await looks.nth_oldest(tx, looker.account_id, LENGTH[span], has - limit.stop, subjects)
            raise TooManyLooks(retry_after_seconds=wait_seconds(oldest or tx.now, tx.now, span))
        if goes_beyond(had, has, limit.alarm):
            raised = await looks.raise_alarm(tx, looker.account_id, span, has, limit.alarm)
            if raised is not None:
                await audit.record(
                    tx, None, "look.alarm_raised", looker.account_id, alarm=raised, span=span, people=has
                )
