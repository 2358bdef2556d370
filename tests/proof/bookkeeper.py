"""A bookkeeper of the tests' own: writes rows that agree with each other, without the product's code.

The auditor is tried on what it makes, so that a mistake shared by the product's verbs and the
auditor cannot hide. Each method is one deed and writes every table that the deed touches.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

Row = dict[str, Any]
Line = tuple[str, UUID | None, int]
Take = tuple[Row, int, int]
OFFICER, APPROVER, CLERK = UUID(int=0xA1), UUID(int=0xA2), UUID(int=0xC1)
JST = timedelta(hours=9)

ORDER = (
    *("person", "account", "programme", "programme_version", "programme_approval", "programme_stock"),
    *("proposed_change", "merchant", "payout_account", "store", "wallet", "wallet_merge", "purchase", "wallet_grant"),
    *("lot", "lot_move", "bought", "spent_today"),
    *("expiry", "payment", "till_code", "code_use", "payment_return", "payment_returned", "payment_leg"),
    *("care", "care_deed"),
    *("payment_allocation", "settlement_close", "statement", "statement_claim", "bank_file", "bank_transfer"),
    *("payout", "money_in", "ledger_journal", "ledger_posting", "ledger_seal", "audit_entry"),
)
"""Tables in the order in which foreign keys allow them to be filled."""


def tokyo(month: int, day: int, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC) - JST


class Bookkeeper:
    """Rows by table, all of them consistent, until a test breaks one."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self._ids = 0

    def new_id(self, at: datetime) -> UUID:
        """A UUIDv7 of an instant, counting up where the standard has it random."""
        self._ids += 1
        milliseconds = (at - datetime.fromtimestamp(0, UTC)) // timedelta(milliseconds=1)
        return UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | self._ids)

    def add(self, table: str, **row: Any) -> Row:
        self.rows[table].append(row)
        return row

    def journal(
        self,
        programme_id: UUID,
        kind: str,
        deed_id: UUID,
        at: datetime,
        lines: Iterable[Line],
        reverses_id: UUID | None = None,
    ) -> Row:
        """A journal of the lines that are not zero; debit above zero."""
        head = self.add(
            "ledger_journal",
            id=self.new_id(at),
            programme_id=programme_id,
            kind=kind,
            deed_id=deed_id,
            reverses_id=reverses_id,
            effective_at=at,
            recorded_at=at,
        )
        for number, (account, owner_id, yen) in enumerate((line for line in lines if line[2]), start=1):
            self.add(
                "ledger_posting",
                journal_id=head["id"],
                line=number,
                account=account,
                owner_id=owner_id,
                amount_yen=yen,
            )
        return head

    def seal(self, count: int) -> None:
        """Seal the first `count` journals, in the order of their record."""
        previous = b""
        recorded = sorted(self.rows["ledger_journal"], key=lambda journal: (journal["recorded_at"], journal["id"]))
        for position, journal in enumerate(recorded[:count], start=1):
            lines = ",".join(
                f"{line['line']}:{line['account']}:{line['owner_id'] or '-'}:{line['amount_yen']}"
                for line in self.rows["ledger_posting"]
                if line["journal_id"] == journal["id"]
            )
            micros = int(journal["effective_at"].timestamp()) * 1_000_000
            head = (journal["id"], journal["programme_id"], journal["kind"], journal["deed_id"])
            content = "|".join(map(str, (*head, journal["reverses_id"] or "-", micros, lines)))
            previous = hashlib.sha256(previous + content.encode()).digest()
            self.add("ledger_seal", position=position, journal_id=journal["id"], hash=previous)

    def counter(self, table: str, name: str, yen: int, limit: tuple[str, int], **key: Any) -> None:
        """Add to the counter with this key, which begins at zero."""
        for row in self.rows[table]:
            if all(row[column] == value for column, value in key.items()):
                row[name] += yen
                return
        self.add(table, **key, **{name: yen, limit[0]: limit[1]})

    def pay(self, wallet: Row, store: Row, mode: str, at: datetime, takes: Sequence[Take]) -> Row:
        """Take (lot, paid, premium) from lots of one wallet."""
        total = sum(paid + premium for _, paid, premium in takes)
        payment = self.add(
            "payment",
            id=self.new_id(at),
            number=f"P{self._ids}",
            wallet_id=wallet["id"],
            store_id=store["id"],
            mode=mode,
            amount_yen=total,
            balance_after_yen=0,
            acted_by=CLERK,
            effective_at=at,
        )
        code_id = self.new_id(at)
        if mode == "till":
            self.add(
                "till_code",
                id=code_id,
                number=f"T{self._ids}",
                store_id=store["id"],
                amount_yen=total,
                made_by=CLERK,
                made_at=at,
                expires_at=at + timedelta(minutes=5),
            )
        if mode != "mpm":
            self.add("code_use", code_id=code_id, payment_id=payment["id"])
        self._move("payment", payment, payment["id"], at, takes, +1)
        return payment

    def give_back(self, kind: str, payment: Row, at: datetime, takes: Sequence[Take]) -> Row:
        """Cancel or refund a payment, to the lots that it came from."""
        total = sum(paid + premium for _, paid, premium in takes)
        given = self.add(
            "payment_return",
            id=self.new_id(at),
            number=f"R{self._ids}",
            payment_id=payment["id"],
            kind=kind,
            amount_yen=total,
            reason="wrong amount",
            acted_by=CLERK,
            effective_at=at,
        )
        paid = ("paid_yen", payment["amount_yen"])
        self.counter("payment_returned", "returned_yen", total, paid, payment_id=payment["id"])
        self._move(kind, payment, given["id"], at, takes, -1)
        return given

    def _move(self, kind: str, payment: Row, deed_id: UUID, at: datetime, takes: Sequence[Take], sign: int) -> None:
        by_programme: dict[UUID, list[tuple[int, Take]]] = defaultdict(list)
        for turn, take in enumerate(takes, start=1):
            by_programme[take[0]["programme_id"]].append((turn, take))
        for programme_id, parts in by_programme.items():
            total = sum(paid + premium for _, (_, paid, premium) in parts)
            leg = self.add(
                "payment_leg",
                id=self.new_id(at),
                deed_id=deed_id,
                kind=kind,
                payment_id=payment["id"],
                programme_id=programme_id,
                store_id=payment["store_id"],
                amount_yen=total,
                effective_at=at,
            )
            lines: list[Line] = [("store_payable", payment["store_id"], -sign * total)]
            for turn, (lot, paid, premium) in parts:
                lot["paid_yen"] -= sign * paid
                lot["premium_yen"] -= sign * premium
                part = {"leg_id": leg["id"], "lot_id": lot["id"], "turn": turn}
                self.add("payment_allocation", **part, paid_yen=paid, premium_yen=premium)
                lines += [
                    ("wallet_paid", lot["id"], sign * paid),
                    ("wallet_premium", lot["id"], sign * premium),
                ]
            self.journal(programme_id, kind, deed_id, at, lines)
            if kind != "refund":
                key = {"wallet_id": payment["wallet_id"], "programme_id": programme_id, "day": (at + JST).date()}
                self.counter("spent_today", "spent_yen", sign * total, ("limit_yen", 100_000), **key)

    async def write(self, connection: AsyncConnection) -> None:
        """Fill the tables, each with one statement."""
        for table in ORDER:
            rows = json.dumps(self.rows[table], default=_plain)
            fill = f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, CAST(:rows AS jsonb))"
            await connection.execute(text(fill), {"rows": rows})


def _plain(value: object) -> str:
    match value:
        case bytes():
            return "\\x" + value.hex()
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
