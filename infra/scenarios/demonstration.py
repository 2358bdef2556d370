"""The demonstration town of `make run`: a programme in use for a month, shops, residents, a past.

It is played through the product's own verbs, each at its instant in the last weeks, in one
transaction: the town is there whole or not at all. Its sign-ins are written here because they
open nothing but a demonstration; it is only ever built in the embedded database.
"""

from base64 import b32decode
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.phone import SandboxPhone
from infra.scenarios.hiratsuka import SPLIT, terms
from services.campaigns.draft import Propose, create
from services.campaigns.publish import Approve, approve
from services.campaigns.terms import ClosingRhythm, Period
from services.identity.hashing import hash_new_password
from services.identity.passwords import RECOMMENDED, PasswordCost
from services.identity.people import Role
from services.identity.prove_factor import EnrolSecret, enrol_secret
from services.identity.request_code import RequestCode, request_code
from services.identity.sign_in import ProvenPhone, sign_in
from services.identity.staff import OpenCityAccount, OpenMerchantAccount, open_city_account, open_merchant_account
from services.kit.clock import TOKYO, Clock, civil_date
from services.kit.db import Tx
from services.kit.ids import Entropy
from services.kit.store_class import StoreClass
from services.merchants.add_member import AddMember, add_member
from services.merchants.bank_account import BankAccount, bank_account, yucho_account
from services.merchants.onboard import Onboard, Onboarded, onboard
from services.merchants.shops import MemberRole, StoreDetails
from services.payments.order import PayByCode, PayStore
from services.payments.pay import pay_by_code, pay_store
from services.payments.refund import Refund, refund
from services.wallets.buy import AttachCheckout, Buy, CheckoutWord, attach_checkout, hear, reserve
from services.wallets.grant import Grant, grant
from services.wallets.grant_csv import GrantLine
from services.wallets.open import RegisterDevice, open_wallet, register_device
from services.wallets.wallet import Device, Wallet

PROGRAMME = "starlight"
PASSWORD = "seven-herons-at-dusk"  # noqa: S105 - opens a demonstration only; said in the README
AUTHENTICATOR = "TANABATASTARLIGHTHIRATSUKADEMO77"
"""The secret of everybody's authenticator app, in base32; for a demonstration only, like the password."""
OFFICER, APPROVER, AUDITOR = "officer@city.example", "approver@city.example", "auditor@city.example"
PHONES = ("090-1234-5678", "080-1234-5678")
DAYS_OF_PAST = 30


@dataclass(frozen=True)
class ShopPlan:
    """A demonstration shop and the person at its till."""

    details: StoreDetails
    account: BankAccount
    clerk_email: str


def _shop(name: str, latin: str, store_class: StoreClass, mcc: str, account: BankAccount, email: str) -> ShopPlan:
    return ShopPlan(StoreDetails(name, latin, store_class, mcc, "2540001", "HOSHIMI"), account, email)


SHOPS = (
    _shop(
        "星見青果",
        "HOSHIMI SEIKA",
        StoreClass.SMALL,
        "5499",
        bank_account("0138", "641", 1, "1234567", "ホシミセイカ"),
        "greengrocer@shop.example",
    ),
    _shop(
        "喫茶たなばた",
        "KISSA TANABATA",
        StoreClass.SMALL,
        "5814",
        yucho_account("14030", "12345671", "キッサタナバタ"),
        "cafe@shop.example",
    ),
    _shop(
        "スーパー銀河 星見店",
        "SUPER GINGA",
        StoreClass.LARGE,
        "5411",
        bank_account("0001", "372", 2, "7654321", "カ)ギンガ"),
        "supermarket@shop.example",
    ),
)


@dataclass(frozen=True)
class _Till:
    onboarded: Onboarded
    clerk_id: UUID


@dataclass(frozen=True)
class _Person:
    account_id: UUID
    wallet: Wallet
    device: Device
    phone: SandboxPhone


class _Town:
    """One open transaction, and instants of the past to act at."""

    def __init__(self, connection: AsyncConnection, today: date, entropy: Entropy, code_key: bytes) -> None:
        self._connection = connection
        self._today = today
        self.entropy = entropy
        self._code_key = code_key

    def at(self, days_ago: int, hour: int, minute: int = 0) -> Tx:
        """The transaction at a civil time in Japan, some days ago."""
        instant = datetime.combine(self._today - timedelta(days=days_ago), time(hour, minute), TOKYO)
        return Tx(self._connection, instant, self.entropy)

    async def officers(self, password_hash: str) -> tuple[UUID, UUID]:
        tx = self.at(DAYS_OF_PAST, 9)
        ids = []
        for email, name, role in (
            (OFFICER, "星見 花子", Role.OFFICER),
            (APPROVER, "星見 太郎", Role.APPROVER),
            (AUDITOR, "星見 監査", Role.AUDITOR),
        ):
            opened = await open_city_account(tx, OpenCityAccount(None, email, name, password_hash, (role,)))
            await self._enrol(tx, opened.account_id)
            ids.append(opened.account_id)
        return ids[0], ids[1]

    async def _enrol(self, tx: Tx, account_id: UUID) -> None:
        await enrol_secret(tx, EnrolSecret(account_id, b32decode(AUTHENTICATOR), self._code_key))

    async def programme(self, officer_id: UUID, approver_id: UUID) -> None:
        first = self._today - timedelta(days=DAYS_OF_PAST)
        promised = terms(
            sale=Period(first, self._today + timedelta(days=60)),
            use=Period(first, self._today + timedelta(days=150)),
            stock_units=10_000,
            purses=SPLIT,
            rhythm=ClosingRhythm.DAILY,
        )
        tx = self.at(DAYS_OF_PAST, 10)
        proposed = await create(tx, Propose(PROGRAMME, promised, "demonstration", officer_id))
        await approve(tx, Approve(PROGRAMME, proposed.version, proposed.fingerprint, approver_id))

    async def till(self, plan: ShopPlan, officer_id: UUID, password_hash: str) -> _Till:
        tx = self.at(DAYS_OF_PAST, 11)
        command = Onboard(officer_id, plan.details.name, None, plan.account, plan.details)
        onboarded = await onboard(tx, command)
        account = OpenMerchantAccount(officer_id, plan.clerk_email, "レジ担当", password_hash)
        clerk_id = (await open_merchant_account(tx, account)).account_id
        await self._enrol(tx, clerk_id)
        await add_member(tx, AddMember(officer_id, True, onboarded.store_id, clerk_id, MemberRole.OWNER))
        return _Till(onboarded, clerk_id)

    async def person(self, number: str) -> _Person:
        tx = self.at(DAYS_OF_PAST - 1, 9)
        asked = await request_code(tx, RequestCode(number, self._code_key))
        known = await sign_in(tx, ProvenPhone(asked.attempt_id, asked.phone))
        (wallet,) = await open_wallet(tx, known.person_ids[0], known.account_id)
        phone = SandboxPhone(self.entropy.take(32))
        device = await register_device(tx, RegisterDevice(wallet.id, known.account_id, "phone", phone.public_jwk()))
        return _Person(known.account_id, wallet, device, phone)

    async def buy(self, who: _Person, units: int) -> None:
        tx = self.at(DAYS_OF_PAST - 1, 10)
        purchase = await reserve(tx, Buy(who.wallet.id, who.account_id, PROGRAMME, units))
        checkout_id = f"demonstration-{purchase.id}"
        await attach_checkout(tx, AttachCheckout(purchase.id, checkout_id))
        await hear(tx, CheckoutWord(checkout_id, paid=True, amount_yen=purchase.price_yen))

    async def show_code(self, who: _Person, till: _Till, yen: int, days_ago: int, hour: int) -> UUID:
        tx = self.at(days_ago, hour)
        code = who.phone.pay_code(who.wallet.id, who.device.id, tx.now, UUID(bytes=self.entropy.take(16)))
        command = PayByCode(till.clerk_id, till.onboarded.store_id, code, yen)
        return (await pay_by_code(tx, command)).payment_id

    async def read_code(self, who: _Person, till: _Till, yen: int, days_ago: int, hour: int) -> None:
        command = PayStore(who.account_id, who.wallet.id, till.onboarded.store_code, yen)
        await pay_store(self.at(days_ago, hour), command)


async def seed(
    engine: AsyncEngine,
    clock: Clock,
    entropy: Entropy,
    code_key: bytes,
    *,
    password_cost: PasswordCost = RECOMMENDED,
) -> bool:
    """Build the demonstration town in an empty database; False, and nothing happens, in any other."""
    password_hash = await hash_new_password(OFFICER, PASSWORD, password_cost, entropy)
    async with engine.begin() as connection:
        # Two servers may start at once on one database: the second waits, and finds the town.
        await connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('demonstration'))"))
        if (await connection.execute(text("SELECT EXISTS (SELECT FROM account)"))).scalar_one():
            return False
        town = _Town(connection, civil_date(clock.now()), entropy, code_key)
        await _play(town, password_hash)
        return True


async def _play(town: _Town, password_hash: str) -> None:
    officer_id, approver_id = await town.officers(password_hash)
    await town.programme(officer_id, approver_id)
    grocer, cafe, market = [await town.till(plan, officer_id, password_hash) for plan in SHOPS]
    hanako, taro = [await town.person(number) for number in PHONES]
    await town.buy(hanako, 3)
    await town.buy(taro, 1)
    gift = tuple(GrantLine(line, who.wallet.number, 500) for line, who in enumerate((hanako, taro), start=2))
    await grant(town.at(20, 9), Grant(PROGRAMME, "common", "敬老の日", officer_id, gift))
    await town.show_code(hanako, grocer, 1_280, 18, 11)
    await town.show_code(hanako, cafe, 650, 15, 15)
    await town.read_code(hanako, market, 3_420, 12, 17)
    returned = await town.show_code(taro, grocer, 2_160, 9, 12)
    await town.read_code(taro, cafe, 980, 6, 14)
    brought_back = Refund(grocer.clerk_id, grocer.onboarded.store_id, returned, 360, "傷んでいたため")
    await refund(town.at(5, 10), brought_back)
    await town.read_code(hanako, grocer, 540, 1, 16)
    await town.show_code(hanako, cafe, 700, 1, 18)
