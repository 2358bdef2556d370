"""Canaries: secrets that can be recognised are sent wherever they belong and wherever they do not; none comes out.

Not in a log at its most talkative, not in a problem, not in the audit log; and what is only ever compared is
nowhere in the database either.
"""

import json
import logging
import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from infra.database.provision import DatabaseHandle
from infra.phone import SandboxPhone
from services.identity.people import AccountKind, Role
from services.identity.request_code import CodeRequested, RequestCode
from services.identity.sign_in_staff import StaffSignIn
from tests.http_town import CITY, MERCHANT, WALLET, Client, HttpTown, done, town_keys

PHONE, E164 = "090-7317-9246", "+819073179246"
NAME = "金糸雀花子"
ACCOUNT_NUMBER, HOLDER, HOLDER_KANA = "7391462", "カナリアシヨウテン", "ｶﾅﾘｱｼﾖｳﾃﾝ"
PASSWORD, WRONG, NEW = "himitsu-no-tori-5521", "chigau-himitsu-8864", "atarashii-tori-7713"
EMAIL = "canary.hanako@shop.example.jp"
_TEST_CLIENTS = ("httpx", "httpcore")


class Flight:
    """One town, everything that was answered, and every secret that was seen on the way."""

    def __init__(self, town: HttpTown) -> None:
        self.town = town
        self.secrets = {PASSWORD, WRONG, NEW, ACCOUNT_NUMBER}
        self.personal = {PHONE, E164, "73179246", NAME, HOLDER, HOLDER_KANA, EMAIL}
        self.codes: set[str] = set()
        self.answers: list[httpx.Response] = []
        keys = town_keys()
        self.secrets |= {keys.webhook_secret, keys.webhook_secret.removeprefix("whsec_"), keys.code_key.hex()}
        self.secrets |= {line for line in keys.token_key_pem.splitlines() if "-----" not in line and len(line) > 20}

    def kept(self, answer: httpx.Response) -> httpx.Response:
        self.answers.append(answer)
        return answer

    async def all(self) -> None:
        officer, approver = await self.town.as_staff(Role.OFFICER), await self.town.as_staff(Role.APPROVER)
        self.secrets |= {str(each.headers["authorization"]).removeprefix("Bearer ") for each in (officer, approver)}
        await self.town.programme()
        resident, wallet = await self._move_in()
        owner, store = await self._open_store(officer)
        await self._pay(resident, wallet, owner, store)
        await self._misplace(resident, owner, officer, wallet, store)

    async def _move_in(self) -> tuple[Client, str]:
        public = self.town.client(WALLET)
        asked = done(self.kept(await public.post("/sign-in/codes", json={"phone": PHONE})), 202)
        message = self.town.built.outbox.latest(E164)
        assert message is not None
        [code] = re.findall(r"(?<!\d)\d{6}(?!\d)", message.text)
        self.codes.add(code)
        wrong = f"{(int(code) + 1) % 1_000_000:06}"
        self.codes.add(wrong)
        guess = {"attempt_id": asked["attempt_id"]}
        self.kept(await public.post("/sign-in", json=guess | {"code": wrong}))
        signed_in = done(self.kept(await public.post("/sign-in", json=guess | {"code": code})))
        self.kept(await public.post("/sign-in", json=guess | {"code": code}))
        self.secrets.add(signed_in["access_token"])
        return self.town.client(WALLET, signed_in["access_token"]), signed_in["wallets"][0]["id"]

    async def _open_store(self, officer: Client) -> tuple[Client, str]:
        account = {"type": "bank", "bank_code": "0138", "branch_code": "380", "kind": "1", "number": ACCOUNT_NUMBER}
        store = {
            "name": "金糸雀", "name_latin": "KANARIA", "store_class": "small", "mcc": "5812",
            "postal_code": "254-0045", "city_latin": "HOSHIMI",
        }  # fmt: skip
        body = {"name": "金糸雀商店", "payout_account": account | {"holder": HOLDER}, "store": store}
        made = done(self.kept(await officer.command("/merchants", body)), 201)
        member = {"email": EMAIL, "name": NAME, "password": PASSWORD, "role": "owner"}
        done(self.kept(await officer.command(f"/stores/{made['store_id']}/members", member)), 201)
        done(self.kept(await officer.get(f"/merchants/{made['merchant_id']}")))
        public = self.town.client(MERCHANT)
        self.kept(await public.post("/sign-in", json={"email": EMAIL, "password": WRONG}))
        signed_in = done(self.kept(await public.post("/sign-in", json={"email": EMAIL, "password": PASSWORD})))
        self.secrets.add(signed_in["access_token"])
        owner = self.town.client(MERCHANT, signed_in["access_token"])
        for old, new in ((WRONG, NEW), (PASSWORD, NEW), (PASSWORD, PASSWORD), (NEW, "short")):
            self.kept(await owner.command("/password", {"old_password": old, "new_password": new}))
        return owner, made["store_id"]

    async def _pay(self, resident: Client, wallet: str, owner: Client, store: str) -> None:
        phone = SandboxPhone(self.town.entropy.take(32))
        device = {"name": "phone", "public_jwk": phone.public_jwk()}
        made = done(self.kept(await resident.command(f"/wallets/{wallet}/devices", device)), 201)
        body = {"programme": "starlight", "units": 1}
        bought = done(self.kept(await resident.command(f"/wallets/{wallet}/purchases", body)), 201)
        await self.town.client("").post(f"{bought['checkout_url']}/pay")
        code = phone.pay_code(UUID(wallet), UUID(made["id"]), self.town.clock.now(), uuid4())
        self.secrets.add(code)
        for amount in (500, 600, 10**12):  # paid, used already, out of bounds
            body = {"pay_code": code, "amount_yen": amount}
            self.kept(await owner.command(f"/stores/{store}/payments", body))

    async def _misplace(self, resident: Client, owner: Client, officer: Client, wallet: str, store: str) -> None:
        """Secrets where they do not belong: in other fields, in broken bodies, in addresses, in headers."""
        every = [*self.secrets, *self.personal]
        for secret in every:
            for client, path in (
                (resident, f"/wallets/{wallet}/payments"),
                (owner, f"/stores/{store}/payments"),
                (officer, "/grants"),
                (officer, "/merchants"),
                (self.town.client(WALLET), "/sign-in"),
                (self.town.client(WALLET), "/sign-in/codes"),
                (self.town.client(CITY), "/sign-in"),
            ):
                fields = ("amount_yen", "code", "pay_code", "attempt_id", "phone", "email", "password", "programme")
                self.kept(await client.command(path, dict.fromkeys(fields, secret)))
                broken = f'{{"code": "{secret}'.encode()
                self.kept(await client.command(path, content=broken, headers={"content-type": "application/json"}))
        for secret in sorted(self.secrets | {PHONE, E164}):
            part = "".join(f"%{byte:02x}" for byte in secret.encode())
            self.kept(await officer.get(f"/wallets/{part}"))
            self.kept(await resident.get(f"/wallets/{part}"))
            self.kept(await owner.get(f"/stores/{store}/payments", params={"day": secret}))
            self.kept(await resident.get("/wallets", headers={"authorization": f"Bearer {secret}x"}))
            self.kept(await officer.command("/grants", {}, key=secret))


@pytest.fixture
async def flight(database: DatabaseHandle, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Flight]:
    caplog.set_level(logging.DEBUG)  # before the engine is made, which asks then how talkative to be
    engine = database.app_engine(pool_size=4)
    yield Flight(HttpTown(engine))
    await engine.dispose()


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Everything that was logged, as a handler writes it; the tests' own clients are left out."""
    format_ = logging.Formatter("%(name)s %(levelname)s %(message)s").format
    return "\n".join(format_(record) for record in caplog.records if not record.name.startswith(_TEST_CLIENTS))


def found_in(haystack: str, flight: Flight) -> list[str]:
    """The canaries in a text; a code only where no other digits touch it."""
    named = [secret for secret in flight.secrets | flight.personal if secret in haystack]
    return named + [code for code in flight.codes if re.search(rf"(?<!\d){code}(?!\d)", haystack)]


async def test_no_canary_is_in_a_log_a_problem_or_the_audit_log(
    flight: Flight, caplog: pytest.LogCaptureFixture
) -> None:
    await flight.all()
    assert found_in(logged(caplog), flight) == []
    problems = [answer for answer in flight.answers if answer.status_code >= 400]
    assert {answer.status_code for answer in problems} >= {400, 401, 409, 422}
    assert not [answer.text for answer in problems if answer.status_code >= 500]
    for answer in problems:
        told = answer.text + json.dumps(dict(answer.headers))
        assert found_in(told, flight) == [], (answer.request.method, answer.request.url.path)
    async with flight.town.database.begin() as tx:
        entries = (await tx.connection.execute(text("SELECT t::text FROM audit_entry t"))).scalars().all()
        assert len(entries) >= 8
        assert found_in("\n".join(entries), flight) == []


async def test_what_is_only_compared_is_kept_nowhere(flight: Flight) -> None:
    """Passwords, tokens, pay codes and keys: no table has one. One-time codes: not the table that knows of them."""
    await flight.all()
    compared = flight.secrets - {ACCOUNT_NUMBER}
    async with flight.town.database.begin() as tx:
        names = """
            SELECT tablename FROM pg_tables WHERE schemaname = current_schema()
            AND has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')
        """
        for table in (await tx.connection.execute(text(names))).scalars().all():
            rows = (await tx.connection.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            held = "\n".join(rows)
            assert [secret for secret in compared if secret in held] == [], table
            if table == "sign_in_code":
                assert rows
                assert not [code for code in flight.codes if re.search(rf"(?<![0-9a-f]){code}(?![0-9a-f])", held)]


BROKEN = [
    ("account", "phone IS NULL", "by the driver"),
    ("payout_account", "number <> '" + ACCOUNT_NUMBER + "'", "by the toolkit"),
]


@pytest.mark.parametrize(("table", "rule", "way"), BROKEN, ids=[way for _, _, way in BROKEN])
async def test_a_row_that_the_database_refuses_is_not_logged(
    flight: Flight, database: DatabaseHandle, caplog: pytest.LogCaptureFixture, table: str, rule: str, way: str
) -> None:
    """PostgreSQL quotes the failing row in its words; ours say which rule failed and nothing else."""
    owner = database.migrator_engine()
    async with owner.begin() as connection:
        await connection.execute(text(f"ALTER TABLE {table} ADD CONSTRAINT ck_canary CHECK ({rule}) NOT VALID"))
    await owner.dispose()
    with pytest.raises(AssertionError):
        await flight.all()
    assert flight.answers[-1].status_code == 500
    said = logged(caplog)
    assert "ck_canary" in said, "the failure is logged"
    assert found_in(said, flight) == []
    for answer in flight.answers:
        assert found_in(answer.text, flight) == [] or answer.is_success


async def test_values_show_nothing_of_their_secrets() -> None:
    """`repr` is what a log, a traceback or an assertion shows."""

    shown: list[Any] = [
        StaffSignIn(AccountKind.CITY, EMAIL, PASSWORD, key=b"k" * 32),
        RequestCode(PHONE, b"k" * 32),
        town_keys(),
    ]
    assert CodeRequested.__dataclass_fields__["code"].repr is False
    for value in shown:
        text_ = repr(value)
        assert not [secret for secret in (EMAIL, PASSWORD, PHONE, "kkkk", "whsec_", "BEGIN") if secret in text_], text_
