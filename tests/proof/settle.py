"""The bookkeeper's deeds that pay stores: closes, bank files, money that comes in."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from tests.proof.bookkeeper import APPROVER, JST, OFFICER, Bookkeeper, Line, Row, tokyo

FEE_BP, TAX_BP, MINIMUM_YEN = 150, 1_000, 1_000


def money_in(book: Bookkeeper, of: Row, source: str, yen: int) -> None:
    account = {"channel": "cash_receivable", "funder": "funder_receivable", "grant_budget": "grant_receivable"}
    at = tokyo(4, 20)
    deed = book.add(
        "money_in",
        id=book.new_id(at),
        programme_id=of["id"],
        source=source,
        amount_yen=yen,
        recorded_by=OFFICER,
        received_at=at,
    )
    book.journal(of["id"], "channel_settled", deed["id"], at, [("bank", None, yen), (account[source], None, -yen)])


def close(book: Bookkeeper, of: Row, closing_date: date) -> list[Row]:
    """Claim every unclaimed leg of the programme up to the end of a day into statements."""
    cutoff = datetime.combine(closing_date, datetime.min.time(), tokyo(1, 1).tzinfo) + timedelta(days=1) - JST
    head = book.add(
        "settlement_close",
        id=book.new_id(cutoff),
        programme_id=of["id"],
        closing_date=closing_date,
        cutoff_at=cutoff,
        transfer_date=closing_date + timedelta(days=3),
        final=False,
        closed_at=cutoff,
    )
    claimed = {claim["leg_id"] for claim in book.rows["statement_claim"]}
    legs = [
        leg
        for leg in book.rows["payment_leg"]
        if leg["programme_id"] == of["id"] and leg["id"] not in claimed and leg["effective_at"] < cutoff
    ]
    stores = [store for store in book.rows["store"] if any(leg["store_id"] == store["id"] for leg in legs)]
    return [_state(book, head, store, [leg for leg in legs if leg["store_id"] == store["id"]]) for store in stores]


def _state(book: Bookkeeper, head: Row, store: Row, legs: Sequence[Row]) -> Row:
    sums = {
        kind: sum(leg["amount_yen"] for leg in legs if leg["kind"] == kind) for kind in ("payment", "cancel", "refund")
    }
    sales = sums["payment"] - sums["cancel"] - sums["refund"]
    fee = int(sales * FEE_BP / 10_000)
    tax = int(fee * TAX_BP / 10_000)
    key = (head["programme_id"], store["id"])
    before = [row for row in book.rows["statement"] if (row["programme_id"], row["store_id"]) == key][-1:]
    carried_in, receivable_in = (before[0]["carried_out_yen"], before[0]["receivable_out_yen"]) if before else (0, 0)
    due = sales - fee - tax + carried_in - receivable_in
    payout = due if due >= MINIMUM_YEN else 0
    carried, receivable = max(due - payout, 0), max(-due, 0)
    row = book.add(
        "statement",
        id=book.new_id(head["cutoff_at"]),
        number=f"S{len(book.rows['statement'])}",
        close_id=head["id"],
        programme_id=head["programme_id"],
        store_id=store["id"],
        merchant_id=store["merchant_id"],
        payments=sum(1 for leg in legs if leg["kind"] == "payment"),
        gross_yen=sums["payment"],
        cancelled_yen=sums["cancel"],
        refunded_yen=sums["refund"],
        fee_bp=FEE_BP,
        tax_bp=TAX_BP,
        fee_yen=fee,
        fee_tax_yen=tax,
        net_yen=sales - fee - tax,
        carried_in_yen=carried_in,
        receivable_in_yen=receivable_in,
        payout_yen=payout,
        carried_out_yen=carried,
        receivable_out_yen=receivable,
    )
    for leg in legs:
        book.add("statement_claim", leg_id=leg["id"], statement_id=row["id"])
    lines: list[Line] = [
        ("store_payable", store["id"], sales),
        ("fee_income", None, -fee),
        ("fee_tax", None, -tax),
        ("payout_due", store["id"], -(payout + carried - carried_in)),
        ("store_receivable", store["id"], receivable - receivable_in),
    ]
    book.journal(head["programme_id"], "close", row["id"], head["cutoff_at"], lines)
    return row


def bank_file(book: Bookkeeper, statements: Sequence[Row], day: date, status: str) -> Row:
    """One file of the statements' payouts, a transfer a bank account, in any of its states."""
    accounts = {row["merchant_id"]: row for row in book.rows["payout_account"]}
    groups: dict[str, list[Row]] = {}
    for each in statements:
        groups.setdefault(accounts[each["merchant_id"]]["number"], []).append(each)
    transfers = [
        (accounts[group[0]["merchant_id"]], sum(each["payout_yen"] for each in group)) for group in groups.values()
    ]
    content = _zengin(transfers, day)
    at, agreed = tokyo(5, 2), status in ("approved", "sent", "paid")
    row = book.add(
        "bank_file",
        id=book.new_id(at),
        number=f"F{len(book.rows['bank_file'])}",
        paying_account="0149-001-1-1234567",
        transfer_date=day,
        status=status,
        transfers=len(transfers),
        total_yen=sum(yen for _, yen in transfers),
        content=content,
        sha256=hashlib.sha256(content).digest(),
        proposed_by=OFFICER,
        proposed_at=at,
        approved_by=APPROVER if agreed else None,
        approved_at=at if agreed else None,
        sent_at=at if status in ("sent", "paid") else None,
        paid_at=at if status == "paid" else None,
    )
    for line, ((account, yen), group) in enumerate(zip(transfers, groups.values(), strict=True), start=1):
        transfer = book.add(
            "bank_transfer",
            id=book.new_id(at),
            bank_file_id=row["id"],
            line=line,
            payout_account_id=account["id"],
            amount_yen=yen,
        )
        for each in group:
            voided = at if status == "void" else None
            book.add("payout", statement_id=each["id"], transfer_id=transfer["id"], voided_at=voided)
            _move_money(book, each, status, at)
    return row


def _move_money(book: Bookkeeper, statement: Row, status: str, at: datetime) -> None:
    yen, programme_id = statement["payout_yen"], statement["programme_id"]
    if status in ("sent", "paid"):
        sent: list[Line] = [("payout_due", statement["store_id"], yen), ("bank_clearing", None, -yen)]
        book.journal(programme_id, "sent", statement["id"], at, sent)
    if status == "paid":
        paid: list[Line] = [("bank_clearing", None, yen), ("bank", None, -yen)]
        book.journal(programme_id, "paid", statement["id"], at, paid)


def _zengin(transfers: Sequence[tuple[dict[str, Any], int]], day: date) -> bytes:
    """The records that a bank reads, padded where money does not look."""
    records = [f"1210{'1234567890'}{'HIRATSUKA':<40}{day:%m%d}0149{'':15}001{'':15}11234567"]
    for account, yen in transfers:
        bank = f"2{account['bank_code']}{'':15}{account['branch_code']}{'':15}{'':4}"
        records.append(f"{bank}{account['kind']}{account['number']}{'SHOP':<30}{yen:010}0{0:020}7 ")
    records.append(f"8{len(transfers):06}{sum(yen for _, yen in transfers):012}")
    records.append("9")
    return "".join(f"{record:<120}\r\n" for record in records).encode("ascii")
