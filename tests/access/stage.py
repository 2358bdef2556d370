"""A town in which every route can be used: one of everything, at a step at which it may be acted upon.

Built once, then cloned: what one caller does is not there when the next one asks.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from infra.access.callers import Caller, Standing, Tie
from infra.http.tokens import new_token
from infra.prover import Prover
from services.alerts.alert import Finding
from services.alerts.keep import KeepFindings, keep_findings
from services.alerts.read import AskAlerts, alerts
from services.campaigns.draft import Propose, Proposed, create
from services.campaigns.terms import Period
from services.identity import read
from services.identity.bulk_reading import Span
from services.identity.hashing import hash_new_password
from services.identity.open_session import BY_BEARER, OpenSession, open_session
from services.identity.passkeys import NewPasskey, RelyingParty
from services.identity.passwords import CHEAPEST
from services.identity.people import AccountStatus, Role
from services.identity.register_passkey import AskPasskey, ask_passkey
from services.identity.staff import (
    OpenCityAccount,
    OpenMerchantAccount,
    SetAccountStatus,
    open_city_account,
    open_merchant_account,
    set_account_status,
)
from services.identity.tables import factors, looks
from services.identity.tables.passkeys import insert_passkey
from services.identity.take_role import TakeRole, take_role
from services.identity.tokens import Audience
from services.kit.db import Tx
from services.merchants.add_member import AddMember, add_member
from services.merchants.disable_member import DisableMember, disable_member
from services.merchants.shops import MemberRole
from services.payments.payment import Receipt
from services.payments.till import MakeTillCode, make_till_code
from services.proof.read import ProofPage, proofs
from services.settlement.approve import ApproveFile, approve
from services.settlement.bank_file import BankFile
from services.settlement.close import Close, close
from services.settlement.pay_out import MarkSent, mark_sent
from services.settlement.propose import ProposeFile, propose
from services.settlement.read import statements_of_close
from services.tills.enrol_register import EnrolRegister, enrol_register
from services.wallets.grant import Grant
from services.wallets.grant_csv import GrantLine
from services.wallets.issue_card import IssueCard, IssuedCard, issue_card
from services.wallets.propose_grant import ProposedGrant, propose_grant
from services.wallets.purchase import Purchase
from tests.access.stage_residents import care_of, given_by, register
from tests.http_town import MERCHANT, URL, Client, HttpTown, town_keys
from tests.town import CODE, NOON, OFFICER, Resident, Shop, town_terms

PASSWORD = "tsuki-to-hoshi-88"
WAITING = "moonlight"
"""A programme that waits for its approval."""
_USE = Period(date(2026, 4, 1), date(2026, 9, 30))
_DAYS = [(4, 6), (4, 20), (5, 5), (5, 20), (6, 5)]
_TODAY = NOON.replace(month=6, day=16)


@dataclass(frozen=True)
class Stage:
    """What there is. Accounts, e-mails and sessions by caller's name; each has a session on another client, too."""

    resident: Resident
    neighbour: Resident
    closed_resident: Resident
    shop: Shop
    other_shop: Shop
    accounts: dict[str, UUID]
    emails: dict[str, str]
    sessions: dict[str, UUID]
    other_sessions: dict[str, UUID]
    paid: Receipt
    unused: Purchase
    challenges: dict[str, tuple[UUID, dict[str, Any]]]
    passkeys: dict[str, UUID]
    deed_keys: dict[str, str]
    till_code_id: UUID
    close_id: UUID
    statement_id: UUID
    waiting: Proposed
    change: ProposedGrant
    proposed: BankFile
    approved: BankFile
    sent: BankFile
    claim_id: UUID
    attempt_id: UUID
    card: IssuedCard
    alert_id: UUID
    alarm_id: UUID
    proof_id: UUID
    care_code: str
    care_id: UUID
    registers: dict[str, UUID]
    """By name of who stands at it, `spare` and `retired`."""

    def account_of(self, caller: Caller) -> UUID:
        return self.accounts[namesake(caller)]


def namesake(caller: Caller) -> str:
    """A misfit is its namesake with another token."""
    return caller.name.split(" at ")[0]


class StagedTown(HttpTown):
    """A clone of the staged town, whose clients are the callers."""

    def __init__(self, engine: AsyncEngine, stage: Stage, *, seed: int) -> None:
        super().__init__(engine, at=_TODAY, seed=seed)
        # Its own, because a session that is opened in this clone is unknown to every other.
        self.stage = replace(stage, sessions=dict(stage.sessions))

    def caller(self, caller: Caller, prefix: str) -> Client:
        return self.client(prefix, self.token_of(caller), shows_factor=False)

    def token_of(self, caller: Caller) -> str | None:
        """The caller's token, of the session that the stage has opened for them; None for nobody."""
        if caller.audience is None or caller.role is None:
            return None
        account_id, session_id = self.stage.account_of(caller), self.stage.sessions[namesake(caller)]
        return new_token(self.built.context, caller.audience, account_id, (caller.role,), session_id)

    async def sign_in_again(self, caller: Caller) -> None:
        """Another session for a caller who has ended theirs."""
        name = namesake(caller)
        self.stage.sessions.update(await self.do(_sign_in, ({name: self.stage.accounts[name]}, self.stage.registers)))


async def build(engine: AsyncEngine) -> Stage:
    """Set the stage through the product's own verbs."""
    town = HttpTown(engine)
    await town.programme(replace(town_terms(sale=_USE, use=_USE), cap_yen=1_000_000))
    people = [await town.resident() for _ in range(5)]
    resident, neighbour, closed, carer, giver = people
    shop, other_shop = await town.shop(), await town.shop()
    accounts = {"resident": resident.account_id, "neighbour": neighbour.account_id}
    accounts["carer"] = carer.account_id
    accounts["closed resident"] = closed.account_id
    emails: dict[str, str] = {}
    await _appoint(town, shop, other_shop, accounts, emails)
    await _employ(town, accounts, emails)
    await town.do(_enrol, accounts["proposer"])
    unused = await town.buy(neighbour)
    await town.buy(resident, 2)
    for month, day in _DAYS:
        town.go_to(NOON.replace(month=month, day=day))
        await town.pay(resident, shop, 1_500)
    town.go_to(_TODAY)
    paid = await town.pay(resident, shop, 700)
    till = await town.do(make_till_code, MakeTillCode(accounts["clerk"], shop.id, 120))
    waiting = await town.do(
        create, Propose(WAITING, town_terms(sale=_USE, use=_USE, name="月明かり"), "new", accounts["proposer"])
    )
    gift = (GrantLine(2, resident.wallet.number, 10),)
    change = await town.do(propose_grant, Grant(CODE, "common", "a gift", accounts["proposer"], gift))
    files, close_id = await _settle(town, accounts)
    async with town.database.begin() as tx:
        statements = await statements_of_close(tx, close_id)
    keys = await _deeds(town, shop, accounts, resident)
    handed = IssueCard(resident.wallet.number, accounts["proposer"], "no phone", "2580", town_keys().code_key)
    card = await town.do(issue_card, handed)
    proven = await register(town, accounts, resident, neighbour)
    care_id = await care_of(town, resident, carer)
    care_code = await given_by(town, giver)
    registers = await _enrol_registers(town, shop, other_shop, accounts)
    sessions, others = [await town.do(_sign_in, (accounts, registers)) for _ in range(2)]
    challenges = await town.do(_challenge, accounts)
    held = await town.do(_hold_passkeys, accounts)
    stage = Stage(
        resident, neighbour, closed, shop, other_shop, accounts, emails, sessions, others,
        paid, unused, challenges, held, keys,
        till.code.id, close_id, statements[0].statement.id, waiting, change, *files, *proven, card,
        await town.do(_find, None),
        await town.do(_alarm, accounts["call centre"]),
        await _proven(town),
        care_code, care_id,
        registers,
    )  # fmt: skip
    await _take_away(town, stage)
    town.built.checkout.close()
    return stage


async def _appoint(town: HttpTown, shop: Shop, other: Shop, accounts: dict[str, UUID], emails: dict[str, str]) -> None:
    staff = {
        "owner": (shop, MemberRole.OWNER),
        "manager": (shop, MemberRole.MANAGER),
        "clerk": (shop, MemberRole.CLERK),
        "spare clerk": (shop, MemberRole.CLERK),
        "removed clerk": (shop, MemberRole.CLERK),
        "closed clerk": (shop, MemberRole.CLERK),
        "stranger": (other, MemberRole.OWNER),
    }
    for name, (where, role) in staff.items():
        emails[name] = f"{name.replace(' ', '-')}@shop.example.jp"
        secret = await hash_new_password(emails[name], PASSWORD, CHEAPEST, town.entropy)
        opened = await town.do(open_merchant_account, OpenMerchantAccount(OFFICER, emails[name], name, secret))
        accounts[name] = opened.account_id
        await town.do(add_member, AddMember(OFFICER, True, where.id, opened.account_id, role))


async def _employ(town: HttpTown, accounts: dict[str, UUID], emails: dict[str, str]) -> None:
    staff = {
        "officer": Role.OFFICER,
        "approver": Role.APPROVER,
        "auditor": Role.AUDITOR,
        "analyst": Role.ANALYST,
        "call centre": Role.CALL_CENTRE,
        "closed officer": Role.OFFICER,
        "former officer": Role.OFFICER,
        "proposer": Role.OFFICER,
    }
    for name, role in staff.items():
        emails[name] = f"{name.replace(' ', '-')}@city.example.jp"
        secret = await hash_new_password(emails[name], PASSWORD, CHEAPEST, town.entropy)
        opened = await town.do(open_city_account, OpenCityAccount(None, emails[name], name, secret, (role,)))
        accounts[name] = opened.account_id


async def _alarm(tx: Tx, account_id: UUID) -> UUID:
    """Somebody has looked at many people."""
    raised = await looks.raise_alarm(tx, account_id, Span.HOUR, 41, 40)
    assert raised is not None
    return raised


async def _proven(town: HttpTown) -> UUID:
    """The worker has proven the books."""
    await Prover(town.database).prove()
    [kept] = await town.do(proofs, ProofPage(None, 1))
    return kept.id


async def _enrol(tx: Tx, account_id: UUID) -> bool:
    """A second factor that is never shown."""
    return await factors.enrol(tx, account_id, b"sealed", 0)


async def _settle(town: HttpTown, accounts: dict[str, UUID]) -> tuple[tuple[BankFile, BankFile, BankFile], UUID]:
    """Closes up to the end of May; three files, one at each step; what the last close owes is in none."""
    proposer, approver = accounts["proposer"], accounts["approver"]
    files: list[BankFile] = []
    for day in ((4, 15), (4, 30), (5, 15), (5, 31)):
        closed = await town.do(close, Close(CODE, date(2026, *day), proposer))
        if len(files) < 3:
            file = (await town.do(propose, ProposeFile(CODE, date(2026, 6, 22), proposer))).file
            files.append(file)
    sent, approved, proposed = files
    for file in (sent, approved):
        await town.do(approve, ApproveFile(file.id, file.sha256, approver))
    await town.do(mark_sent, MarkSent(sent.id, proposer))
    return (proposed, approved, sent), closed.id


async def _deeds(town: HttpTown, shop: Shop, accounts: dict[str, UUID], who: Resident) -> dict[str, str]:
    """A deed of each of those who may ask for theirs again, by caller's name."""
    keys = {name: town.new_key() for name in ("owner", "manager", "clerk", "resident")}
    for name in ("owner", "manager", "clerk"):
        client = town.client(MERCHANT, town.token(Audience.MERCHANT, accounts[name], Role.MERCHANT))
        answer = await client.command(f"/stores/{shop.id}/till-codes", {"amount_yen": 5}, key=keys[name])
        assert answer.status_code == 201, answer.text
    keys["owner by PIN"] = keys["owner"]
    spare = {"name": "spare", "public_jwk": (await town.resident()).phone.public_jwk()}
    client = town.as_resident(who)
    answer = await client.command(f"/wallets/{who.wallet.id}/devices", spare, key=keys["resident"])
    assert answer.status_code == 201, answer.text
    return keys


async def _enrol_registers(town: HttpTown, shop: Shop, other: Shop, accounts: dict[str, UUID]) -> dict[str, UUID]:
    """One that waits, a revoked one, and one for each caller by PIN: somebody who has signed in in full, too."""
    made = {}
    for name, where, by in (
        ("spare", shop, "owner"),
        ("retired", shop, "owner"),
        ("owner by PIN", shop, "owner"),
        ("stranger by PIN", other, "stranger"),
    ):
        asked = EnrolRegister(accounts[by], where.id, name)
        made[name] = (await town.do(enrol_register, asked)).id
        if name.endswith("by PIN"):
            accounts[name] = accounts[by]
    return made


async def _sign_in(tx: Tx, given: tuple[dict[str, UUID], dict[str, UUID]]) -> dict[str, UUID]:
    """A session of everybody."""
    accounts, registers = given
    kinds = {key: found.kind for key, found in (await read.accounts(tx, list(accounts.values()))).items()}
    return {
        name: (await open_session(tx, OpenSession(key, kinds[key], BY_BEARER, register_id=registers.get(name)))).id
        for name, key in accounts.items()
    }


async def _challenge(tx: Tx, accounts: dict[str, UUID]) -> dict[str, tuple[UUID, dict[str, Any]]]:
    """A challenge for a new passkey of everybody's."""
    asked = {name: await ask_passkey(tx, AskPasskey(key, RelyingParty.at(URL))) for name, key in accounts.items()}
    return {name: (each.challenge_id, each.options) for name, each in asked.items()}


async def _find(tx: Tx, _: None) -> UUID:
    """An alert about somebody who has no wallet here."""
    finding = Finding("0123456789abcdef", "night", "resident:7", 500, {"payments": 3, "of": 9, "days": 3}, (7,), 3)
    await keep_findings(tx, KeepFindings((finding,), date(2026, 4, 1), date(2026, 5, 31)))
    return (await alerts(tx, AskAlerts())).alerts[0].id


async def _hold_passkeys(tx: Tx, accounts: dict[str, UUID]) -> dict[str, UUID]:
    """A passkey of everybody's, which nobody shows."""
    held = {}
    for name, key in accounts.items():
        made = await insert_passkey(tx, key, "key", NewPasskey(tx.entropy.take(32), b"key", 0))
        assert made is not None
        held[name] = made.id
    return held


async def _take_away(town: HttpTown, stage: Stage) -> None:
    """What was taken from its bearers a moment ago: their tokens know nothing of it."""
    for name in ("closed resident", "closed clerk", "closed officer"):
        closing = SetAccountStatus(OFFICER, stage.accounts[name], AccountStatus.DISABLED, "left")
        await town.do(set_account_status, closing)
    removal = DisableMember(OFFICER, True, stage.shop.id, stage.accounts["removed clerk"], "left")
    await town.do(disable_member, removal)
    await town.do(take_role, TakeRole(OFFICER, stage.accounts["former officer"], Role.OFFICER, "another office"))


def wallet_of(stage: Stage, caller: Caller) -> Resident:
    """The wallet that a caller asks for: their own once was, everybody else that of the resident."""
    return stage.closed_resident if caller.standing is Standing.CLOSED and caller.tie is Tie.HOLDER else stage.resident
