"""The bookkeeper's deeds that issue points and let them lapse."""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from tests.proof.bookkeeper import APPROVER, OFFICER, Bookkeeper, Line, Row, tokyo

PREMIUM_SOURCE = {"purchase": "funder_receivable", "grant": "grant_receivable"}
UNIT_YEN, UNIT_POINTS = 10_000, 13_000
PURSES = {"common": (6_000, 2_000), "small": (4_000, 1_000)}
USE_ENDS = tokyo(6, 1, 0)


def programme(book: Bookkeeper, code: str) -> Row:
    """A programme with two versions, the second of them published, and a third only proposed."""
    at = tokyo(3, 1)
    row = book.add("programme", id=book.new_id(at), code=code, published_version=2, created_at=at)
    purses = [
        {"code": purse, "paid_points": paid, "premium_points": premium} for purse, (paid, premium) in PURSES.items()
    ]
    terms = {"payment_limit_yen": 50_000, "day_limit_yen": 100_000, "purses": purses}
    for version in (1, 2, 3):
        key = {"programme_id": row["id"], "version": version}
        mark = hashlib.sha256(f"{code} {version}".encode()).digest()
        proposal = {"reason": "the council decided", "proposed_by": OFFICER, "proposed_at": at}
        book.add("programme_version", **key, terms=terms, fingerprint=mark, **proposal)
        if version < 3:
            book.add("programme_approval", **key, proposed_by=OFFICER, approved_by=APPROVER, approved_at=at)
    book.add(
        "programme_stock",
        programme_id=row["id"],
        total_units=100,
        reserved_units=0,
        sold_units=0,
        grant_budget_points=10_000,
        granted_points=0,
    )
    return row


def lot(book: Bookkeeper, wallet: Row, origin: str, deed: Row, purse: str, paid: int, premium: int) -> Row:
    at = deed.get("paid_at") or deed["granted_at"]
    return book.add(
        "lot",
        id=book.new_id(at),
        wallet_id=wallet["id"],
        programme_id=deed["programme_id"],
        programme_version=2,
        purse=purse,
        store_classes="large,small",
        origin=origin,
        origin_id=deed["id"],
        paid_issued_yen=paid,
        premium_issued_yen=premium,
        paid_yen=paid,
        premium_yen=premium,
        payment_limit_yen=50_000,
        day_limit_yen=100_000,
        issued_at=at,
        usable_from=at,
        first_expires_at=USE_ENDS,
        expires_at=USE_ENDS,
    )


def buy(book: Bookkeeper, wallet: Row, of: Row, units: int, at: datetime, status: str = "paid") -> list[Row]:
    """A purchase in any of its states, with all that it left behind; its lots, one a purse."""
    price, later = units * UNIT_YEN, at + timedelta(days=1)
    deed = book.add(
        "purchase",
        id=book.new_id(at),
        number=f"B{len(book.rows['purchase'])}",
        wallet_id=wallet["id"],
        programme_id=of["id"],
        programme_version=2,
        units=units,
        price_yen=price,
        points=units * UNIT_POINTS,
        status=status,
        checkout_id=f"session {len(book.rows['purchase'])}",
        reserved_at=at,
        reserved_until=at + timedelta(minutes=30),
        paid_at=at if status in ("paid", "undone") else None,
        ended_at=None,
    )
    held = status in ("reserved", "paid")
    cap = ("cap_yen", 30_000)
    book.counter("bought", "bought_yen", price if held else 0, cap, wallet_id=wallet["id"], programme_id=of["id"])
    stock = next(row for row in book.rows["programme_stock"] if row["programme_id"] == of["id"])
    stock["reserved_units"] += units if status == "reserved" else 0
    stock["sold_units"] += units if status == "paid" else 0
    if status in ("late", "returned"):
        came = deed["received_yen"] = price - 1_000 * len(book.rows["purchase"])
        late: list[Line] = [("cash_receivable", None, came), ("suspense", None, -came)]
        book.journal(of["id"], "late_money", deed["id"], at, late)
        if status == "returned":
            sent: list[Line] = [(account, None, -yen) for account, _, yen in late]
            book.journal(of["id"], "money_returned", deed["id"], later, sent)
    if status not in ("paid", "undone"):
        return []
    lots = [
        lot(book, wallet, "purchase", deed, purse, units * paid, units * premium)
        for purse, (paid, premium) in PURSES.items()
    ]
    issued = book.journal(of["id"], "purchase", deed["id"], at, _issue_lines(lots, "purchase"))
    if status == "undone":
        back: list[Line] = [(account, owner, -yen) for account, owner, yen in _issue_lines(lots, "purchase")]
        book.journal(of["id"], "purchase_undone", book.new_id(later), later, back, issued["id"])
        for each in lots:
            each["paid_yen"] = each["premium_yen"] = 0
    return lots


def _issue_lines(lots: Sequence[Row], origin: str) -> list[Line]:
    lines: list[Line] = []
    for each in lots:
        paid, premium = each["paid_issued_yen"], each["premium_issued_yen"]
        lines += [("cash_receivable", None, paid), (PREMIUM_SOURCE[origin], None, premium)]
        lines += [("wallet_paid", each["id"], -paid), ("wallet_premium", each["id"], -premium)]
    return lines


def grant(book: Bookkeeper, wallet: Row, of: Row, points: int, at: datetime) -> Row:
    deed = book.add(
        "wallet_grant",
        id=book.new_id(at),
        batch_id=book.new_id(at),
        wallet_id=wallet["id"],
        programme_id=of["id"],
        purse="common",
        points=points,
        reason="newborn",
        granted_by=OFFICER,
        granted_at=at,
    )
    stock = next(row for row in book.rows["programme_stock"] if row["programme_id"] == of["id"])
    stock["granted_points"] += points
    given = lot(book, wallet, "grant", deed, "common", 0, points)
    book.journal(of["id"], "grant", deed["id"], at, _issue_lines([given], "grant"))
    return given


def expire(book: Bookkeeper, what: Row, at: datetime) -> None:
    """A lot loses all that it holds."""
    paid, premium = what["paid_yen"], what["premium_yen"]
    deed = book.add(
        "expiry",
        id=book.new_id(at),
        lot_id=what["id"],
        wallet_id=what["wallet_id"],
        paid_yen=paid,
        premium_yen=premium,
        expired_at=at,
    )
    lines: list[Line] = [
        ("wallet_paid", what["id"], paid),
        ("wallet_premium", what["id"], premium),
        ("breakage", None, -paid),
        (PREMIUM_SOURCE[what["origin"]], None, -premium),
    ]
    book.journal(what["programme_id"], "expiry", deed["id"], at, lines)
    what["paid_yen"] = what["premium_yen"] = 0


def merge(book: Bookkeeper, of: Row, kept: Row, closed: Row) -> None:
    """Somebody with a second wallet, which bought twice before it was closed."""
    lots = [each for hour in (13, 14) for each in buy(book, closed, of, 1, tokyo(4, 1, hour))]
    at = tokyo(4, 3, 15)
    change = book.add(
        "proposed_change",
        id=book.new_id(at),
        kind="merge",
        subject_id=closed["id"],
        content={},
        fingerprint=hashlib.sha256(b"merge").digest(),
        proposed_by=OFFICER,
        proposed_at=at,
        status="approved",
        decided_by=APPROVER,
        decided_at=at,
    )
    said = {"evidence": "register", "reason": "one line", "proposed_by": OFFICER, "approved_by": APPROVER}
    sides = {"closed_id": closed["id"], "into_id": kept["id"], "change_id": change["id"]}
    book.add("wallet_merge", id=book.new_id(at), **sides, **said, merged_at=at)
    closed |= {"status": "merged", "merged_into_id": kept["id"]}
    for each in lots:
        place = {"id": book.new_id(at), "wallet_id": kept["id"], "moved_from_id": each["id"]}
        moved = book.add("lot", **each | place)
        parts = {"paid_yen": each["paid_yen"], "premium_yen": each["premium_yen"]}
        ends = {"from_lot_id": each["id"], "to_lot_id": moved["id"]}
        move = book.add("lot_move", id=book.new_id(at), **ends, **parts, moved_at=at)
        lines: list[Line] = [(f"wallet_{part}", each["id"], each[f"{part}_yen"]) for part in ("paid", "premium")]
        lines += [(account, moved["id"], -yen) for account, _, yen in lines]
        book.journal(of["id"], "merge", move["id"], at, lines)
        each["paid_yen"] = each["premium_yen"] = 0
