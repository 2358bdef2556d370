"""A paying city, its shops, and every transfer that the format can hold, for the tests of bank files."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from services.kit.kana import FieldClass, permitted, truncate
from services.kit.money import MAX_AMOUNT_YEN
from services.merchants.bank_account import AccountKind, bank_account
from services.settlement.calendar import BankCalendar
from services.settlement.transfer import Sender, Transfer, transfer_to
from services.settlement.zengin import write_transfer_file

GOLDEN = Path(__file__).parent.parent / "golden" / "transfers.zengin"
CALENDAR = BankCalendar()
SENT, DAY = date(2026, 11, 24), date(2026, 11, 30)

CITY = Sender(
    client_code="0012345678",
    sender_kana="ﾋﾗﾂｶｼ ﾎｼｿﾞﾗﾎﾟｲﾝﾄ",
    bank_code="0001",
    branch_code="001",
    kind=AccountKind.ORDINARY,
    number="0123456",
    bank_kana="ﾐｽﾞﾎ",
    branch_kana="ﾄｳｷﾖｳ",
)
SHOP = Transfer("0001", "001", AccountKind.ORDINARY, "1234567", "ﾎｼｿﾞﾗｼﾖｳﾃﾝ", 12_210)
SHOPS = (
    transfer_to(bank_account("0001", "001", 1, "1234567", "カ）ほしぞらショウテン"), 12_210, customer_code="42"),
    transfer_to(bank_account("9900", "408", 1, "7654321", "アマノガワベーカリー"), 1),
    replace(SHOP, branch_code="004", kind=AccountKind.CURRENT, amount_yen=MAX_AMOUNT_YEN, edi="ｦｶｼ/2026-11"),
    replace(SHOP, kind=AccountKind.SAVINGS, payee_kana="ｵﾘﾋﾒ" + "ﾍﾞ" * 14, new_code="1", designation="8"),
)


def write(transfers: tuple[Transfer, ...] = SHOPS, sender: Sender = CITY, day: date = DAY, **options: Any) -> bytes:
    return write_transfer_file(sender, day, transfers, calendar=CALENDAR, **options)


def names(field: FieldClass, limit: int, least: int = 0) -> st.SearchStrategy[str]:
    """Texts that fill a field of `limit` bytes as a bank would write them, marks included."""
    plain = sorted(permitted(field) - {"ﾞ", "ﾟ"})
    pieces = st.sampled_from([*plain, "ｶﾞ", "ﾊﾟ", "ｳﾞ", "ﾄﾞ", "ﾎﾟ"])
    texts = st.lists(pieces, min_size=least, max_size=limit + 4).map("".join)
    return texts.map(lambda text: truncate(text.strip(" "), limit)).filter(lambda text: len(text) >= least)


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


BANK_NAMES = names(FieldClass.BANK, 15)
KINDS = st.sampled_from(AccountKind)
SENDERS = st.builds(
    Sender,
    client_code=digits(10),
    sender_kana=names(FieldClass.PARTY, 40, 1),
    bank_code=digits(4),
    branch_code=digits(3),
    kind=KINDS.filter(lambda kind: kind is not AccountKind.SAVINGS),
    number=digits(7),
    bank_kana=BANK_NAMES,
    branch_kana=BANK_NAMES,
)
PLAIN_TRANSFERS = st.builds(
    Transfer,
    bank_code=digits(4),
    branch_code=digits(3),
    kind=KINDS,
    number=digits(7),
    payee_kana=names(FieldClass.PARTY, 30, 1),
    amount_yen=st.integers(1, MAX_AMOUNT_YEN),
    bank_kana=BANK_NAMES,
    branch_kana=BANK_NAMES,
    new_code=st.sampled_from("012"),
    customer_code_1=digits(10),
    customer_code_2=digits(10),
    designation=st.sampled_from("78"),
)
EDI_TRANSFERS = st.builds(
    lambda transfer, edi: replace(transfer, edi=edi, customer_code_1="0000000000", customer_code_2="0000000000"),
    PLAIN_TRANSFERS,
    names(FieldClass.EDI, 20),
)
TRANSFERS = st.lists(
    PLAIN_TRANSFERS | EDI_TRANSFERS,
    min_size=1,
    max_size=8,
    unique_by=lambda transfer: (*transfer.payee_account, transfer.amount_yen),
).map(tuple)
BUSINESS_DAYS = st.dates(date(2020, 1, 1), date(2027, 12, 1)).map(CALENDAR.on_or_after)
