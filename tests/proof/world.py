"""A small town in which every law of the auditor has something to look at."""

from datetime import date

from tests.proof.bookkeeper import CLERK, OFFICER, Bookkeeper, Row, tokyo
from tests.proof.issue import buy, expire, grant, merge, programme
from tests.proof.settle import bank_file, close, money_in

BEFORE = tokyo(3, 1)


def build() -> Bookkeeper:
    """Two programmes, two residents, three stores; spring 2026, from sale to second close."""
    book = Bookkeeper()
    book.add("account", id=CLERK, kind="city", email="a@example.jp", status="active", registered_at=BEFORE)
    town, rural = programme(book, "town"), programme(book, "rural")
    book.add("programme", id=book.new_id(BEFORE), code="draft", created_at=BEFORE)
    ume, sumi = _wallet(book, "W1"), _wallet(book, "W2")
    rice, tea, tofu = _stores(book)

    common, small = buy(book, ume, town, 2, tokyo(4, 1))
    merge(book, town, sumi, _wallet(book, "W3"))
    country, _ = buy(book, ume, rural, 1, tokyo(4, 1))
    theirs, _ = buy(book, sumi, town, 1, tokyo(4, 2))
    for status in ("undone", "lapsed"):
        buy(book, ume, town, 1, tokyo(4, 3), status)
    for status in ("late", "returned", "reserved"):
        buy(book, sumi, town, 1, tokyo(4, 3), status)
    gift, wasted = grant(book, sumi, town, 500, tokyo(4, 3)), grant(book, sumi, rural, 700, tokyo(4, 3))

    both = book.pay(ume, rice, "cpm", tokyo(4, 5), [(common, 2_250, 750), (country, 1_600, 400)])
    slip = book.pay(ume, rice, "mpm", tokyo(4, 5), [(common, 1_500, 500)])
    book.give_back("cancel", slip, tokyo(4, 5, 18), [(common, 1_500, 500)])
    tray = book.pay(ume, tea, "till", tokyo(4, 6), [(small, 480, 120)])
    book.give_back("refund", tray, tokyo(4, 7), [(small, 80, 20)])
    tofu_party = book.pay(sumi, tofu, "mpm", tokyo(4, 8), [(gift, 0, 400), (theirs, 2_700, 900)])

    _care(book, sumi, ume, tray)

    first = close(book, town, date(2026, 4, 15))
    book.give_back("refund", tofu_party, tokyo(4, 20), [(gift, 0, 400), (theirs, 2_700, 900)])
    book.pay(ume, rice, "cpm", tokyo(4, 21), [(common, 3_000, 1_000)])
    book.give_back("refund", tray, tokyo(4, 22), [(small, 40, 10)])
    second = close(book, town, date(2026, 4, 30))
    third = close(book, rural, date(2026, 4, 30))

    book.pay(sumi, tofu, "mpm", tokyo(5, 20), [(theirs, 600, 200)])
    for lot in (country, wasted, gift):
        expire(book, lot, tokyo(6, 1, 1))
    book.give_back("refund", both, tokyo(6, 2), [(country, 800, 200)])
    country["expires_at"] = tokyo(6, 9, 0)
    expire(book, country, tokyo(6, 9, 1))

    paying = [row for row in first if row["payout_yen"]]
    bank_file(book, paying, date(2026, 4, 20), "void")
    bank_file(book, paying, date(2026, 4, 20), "paid")
    bank_file(book, [row for row in second if row["payout_yen"]], date(2026, 5, 7), "sent")
    bank_file(book, [row for row in third if row["payout_yen"]], date(2026, 5, 8), "approved")
    money_in(book, town, "channel", 12_000)
    money_in(book, town, "funder", 2_000)
    money_in(book, rural, "grant_budget", 300)
    book.seal(len(book.rows["ledger_journal"]) - 2)
    book.add(
        "audit_entry",
        id=book.new_id(BEFORE),
        actor_id=OFFICER,
        action="purchase.undone",
        detail={},
        happened_at=BEFORE,
        recorded_at=BEFORE,
    )
    return book


def _wallet(book: Bookkeeper, number: str) -> Row:
    person = book.add("person", id=book.new_id(BEFORE), registered_at=BEFORE)
    return book.add(
        "wallet", id=book.new_id(BEFORE), number=number, person_id=person["id"], status="active", opened_at=BEFORE
    )


def _care(book: Bookkeeper, carer: Row, cared_for: Row, payment: Row) -> None:
    """One resident cared for another until June, and made a payment for them."""
    care = book.add(
        "care",
        id=book.new_id(tokyo(4, 2)),
        kind="consent",
        carer_id=carer["person_id"],
        cared_for_id=cared_for["person_id"],
        wallet_id=cared_for["id"],
        carer_name="Sumi",
        cared_for_name="Ume",
        began_at=tokyo(4, 2),
        ends_at=tokyo(6, 1),
        ended_at=tokyo(5, 1),
        ended_as="cared_for",
    )
    book.add("care_deed", deed_id=payment["id"], care_id=care["id"], account_id=CLERK)


def _stores(book: Bookkeeper) -> tuple[Row, Row, Row]:
    """The first two merchants share a bank account, so that one transfer pays both of them."""
    merchants = []
    for number, bank, account in (("M1", "0149", "0001234"), ("M2", "0149", "0001234"), ("M3", "9900", "1234567")):
        merchant = book.add(
            "merchant", id=book.new_id(BEFORE), number=number, name=number, status="active", registered_at=BEFORE
        )
        merchants.append(merchant)
        book.add(
            "payout_account",
            id=book.new_id(BEFORE),
            merchant_id=merchant["id"],
            bank_code=bank,
            bank_kana="BANK",
            branch_code="408",
            branch_kana="BRANCH",
            kind="1",
            number=account,
            holder_kana="SHOP",
            set_by=OFFICER,
            valid_from=BEFORE,
        )
    rice, tea, tofu = (
        book.add(
            "store",
            id=book.new_id(BEFORE),
            code=f"S{place}",
            merchant_id=merchants[place]["id"],
            name=name,
            name_latin=name,
            store_class=size,
            mcc="5411",
            postal_code="2540000",
            city_latin="HIRATSUKA",
            status="active",
            registered_at=BEFORE,
        )
        for place, (name, size) in enumerate([("rice", "large"), ("tea", "small"), ("tofu", "small")])
    )
    return rice, tea, tofu
