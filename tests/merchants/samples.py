"""A merchant as an officer types it."""

from uuid import UUID

from services.kit.store_class import StoreClass
from services.merchants.bank_account import bank_account
from services.merchants.onboard import Onboard
from services.merchants.shops import StoreDetails

OFFICER = UUID(int=7)
SHOP = StoreDetails(
    name="竹屋青果店",
    name_latin="TAKEYA SEIKATEN",
    store_class=StoreClass.SMALL,
    mcc="5411",
    postal_code="254-0043",
    city_latin="HIRATSUKA",
)
ACCOUNT = bank_account("0001", "001", 1, "1234567", "カ）タケヤ")
OTHER_ACCOUNT = bank_account("0005", "001", 2, "7654321", "タケヤ タロウ")
INVOICE = "T7000012050002"


def takeya(name: str = "株式会社竹屋", invoice_number: str | None = INVOICE) -> Onboard:
    return Onboard(OFFICER, name, invoice_number, ACCOUNT, SHOP)
