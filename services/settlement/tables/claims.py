"""Claim what was sold for its stores' statements, a piece at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, Subquery, Text, case, cast, exists, func, insert, literal, select, true, union

from services.kit.db import Tx
from services.kit.sets import as_rows
from services.ledger.clauses import deeds_recorded_late
from services.ledger.journal import JournalKind
from services.payments.clauses import legs_between, legs_of_deeds
from services.settlement.tables.closes import LastClose, unclaimed
from services.settlement.tables.schema import ClaimRow, StatementRow

WORK_MEMORY = "64MB"
"""What a claim may keep in memory at a time: its legs beside the claims of others, not on the disk."""

FIRST_PIECE, SHORTEST_PIECE, LONGEST_PIECE = timedelta(hours=2), timedelta(minutes=1), timedelta(days=64)
LEGS_OF_A_PIECE = 100_000
"""About as many legs are claimed in one statement: half a second of one processor, and two or three seconds with its
pauses. Smaller pieces cost payments more: each has its sums read and added in the program (docs/decisions/0111)."""

SET_BACK = timedelta(hours=1)
"""Should the database's clock have been set back since the last close, by as much at most, it was the day before once
more: what was paid then is recorded before that close. What lies so shortly before its cut-off is looked at again."""

PAUSES = 1
"""Of the 256 last bytes that a leg's number can have, by chance: at so many a statement that pauses does so. From one
pause to the next it works for a millisecond or less."""


class Rest(Protocol):
    """What long work does for those who pay meanwhile, within its transaction."""

    async def __call__(self, tx: Tx) -> None:
        """Rest after a piece of the work."""

    async def pause_s(self, tx: Tx) -> float:
        """How long the next statement should pause each time it does, in seconds; 0 while nobody pays."""


class NoRest:
    """Somebody waits for the work to be done."""

    async def __call__(self, tx: Tx) -> None:
        """None."""

    async def pause_s(self, tx: Tx) -> float:
        """None."""
        return 0.0


NO_REST = NoRest()


@dataclass(frozen=True)
class ClaimedSums:
    """What a store's newly claimed legs come to."""

    payments: int
    gross_yen: int
    cancelled_yen: int
    refunded_yen: int

    def __add__(self, other: "ClaimedSums") -> "ClaimedSums":
        return ClaimedSums(
            self.payments + other.payments,
            self.gross_yen + other.gross_yen,
            self.cancelled_yen + other.cancelled_yen,
            self.refunded_yen + other.refunded_yen,
        )


async def claim(
    tx: Tx,
    programme_id: UUID,
    opened_at: datetime,
    before: datetime,
    last: LastClose | None,
    statement_of: Mapping[UUID, UUID],
    rest: Rest = NO_REST,
) -> dict[UUID, ClaimedSums]:
    """Take every unclaimed leg before an instant into its store's statement; their sums by store.

    It is done in pieces, each an interval of the legs' own instants from the last cut-off on, or from `opened_at`
    where nothing was closed yet; in one where it is not known what came late. While somebody pays, as `rest` says, all
    but the first pause in their midst. A piece sees, claims and sums the same legs, in one search. A deed that commits
    after its piece began, and one at a store that is not among `statement_of` (store to statement), is the next
    close's.
    """
    claimed: dict[UUID, ClaimedSums] = {}
    if not statement_of:
        return claimed
    await tx.connection.execute(select(func.set_config("work_mem", WORK_MEMORY, True)))
    since, length = min(opened_at, before) if last is None else last.cutoff_at, FIRST_PIECE
    await _take(tx, claimed, _left_before(programme_id, since, before, last), statement_of)
    pause_s = await rest.pause_s(tx)
    if last is not None and last.late_since is None:
        return claimed
    # From here on no piece asks what is claimed: the planner knows nothing of rows that are not committed yet.
    while since < before:
        until = min(since + length, before)
        taken = await _take(tx, claimed, legs_between(programme_id, since, until).subquery(), statement_of, pause_s)
        pause_s = await rest.pause_s(tx)
        since, length = until, _next_length(length, taken)
    return claimed


def _next_length(length: timedelta, taken: int) -> timedelta:
    """As long as would have held as many legs as a piece should have, and at most twice as long."""
    fits = 2.0 if taken == 0 else min(LEGS_OF_A_PIECE / taken, 2.0)
    return min(max(length * fits, SHORTEST_PIECE), LONGEST_PIECE)


async def _take(
    tx: Tx,
    claimed: dict[UUID, ClaimedSums],
    unclaimed_legs: Subquery,
    statement_of: Mapping[UUID, UUID],
    pause_s: float = 0.0,
) -> int:
    """Claim these legs and add them to what was claimed; how many payments there were.

    The legs are found first and then claimed, and the statement pauses in both.
    """
    rows = [{"store_id": store_id, "id": statement_id} for store_id, statement_id in statement_of.items()]
    told = as_rows("told", [StatementRow.store_id, StatementRow.id], rows)
    legs = (
        select(unclaimed_legs.c.id.label("leg_id"), unclaimed_legs.c.store_id)
        .add_columns(unclaimed_legs.c.kind, unclaimed_legs.c.amount_yen, told.c.id.label("statement_id"))
        .join(told, told.c.store_id == unclaimed_legs.c.store_id)
        .where(_pauses(unclaimed_legs.c.id, pause_s))
        .cte("leg")
    )
    taking = select(legs.c.leg_id, legs.c.statement_id).where(_pauses(legs.c.leg_id, pause_s))
    inserted = insert(ClaimRow).from_select(["leg_id", "statement_id"], taking)
    yen = (func.sum(legs.c.amount_yen).filter(legs.c.kind == kind) for kind in ("payment", "cancel", "refund"))
    query = (
        select(
            legs.c.store_id, func.count().filter(legs.c.kind == "payment"), *(func.coalesce(each, 0) for each in yen)
        )
        .group_by(legs.c.store_id)
        .add_cte(inserted.cte("claimed"))
    )
    payments = 0
    for row in await tx.connection.execute(query):
        sums = ClaimedSums(row[1], int(row[2]), int(row[3]), int(row[4]))
        claimed[row[0]] = claimed[row[0]] + sums if row[0] in claimed else sums
        payments += sums.payments
    return payments


def _pauses(leg_id: ColumnElement[UUID], pause_s: float) -> ColumnElement[bool]:
    """True of every leg; of `PAUSES` in 256 after a pause."""
    if pause_s <= 0:
        return true()
    chosen = func.get_byte(func.uuid_send(leg_id), literal(15)) < PAUSES
    # What sleeps has to be asked after what chooses, which AND does not promise. Void is the empty text.
    return case((chosen, cast(func.pg_sleep(literal(pause_s)), Text) == ""), else_=true())


def _left_before(programme_id: UUID, since: datetime, before: datetime, last: LastClose | None) -> Subquery:
    """Every unclaimed leg before `since`, without a look at what earlier closes have surely taken.

    What lies before the last cut-off, and was not there to be seen, was recorded since, or lies within `SET_BACK` of
    it. Where it is not known since when, it is every unclaimed leg before `before`.
    """
    if last is None:
        return legs_between(programme_id, None, since).subquery()
    if last.late_since is None:
        return unclaimed([programme_id], before)
    kinds = (JournalKind.PAYMENT, JournalKind.CANCEL, JournalKind.REFUND)
    late = legs_of_deeds(deeds_recorded_late(programme_id, kinds, last.late_since, last.cutoff_at))
    again = legs_between(programme_id, last.cutoff_at - SET_BACK, last.cutoff_at)
    leg = union(late, again).subquery("late")
    taken = exists().where(ClaimRow.leg_id == leg.c.id)
    return select(leg).where(leg.c.programme_id == programme_id, ~taken).subquery()
