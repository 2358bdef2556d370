"""Four eyes on grants and payout accounts: another person's yes, to exactly what was shown, once."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.identity.people import Role
from services.kit import four_eyes
from services.kit.four_eyes import ChangeKind, fingerprint_of
from tests.factories.rows import unchanged
from tests.http_town import Client, HttpTown, done, problem
from tests.town import CODE, Resident, Shop

ACCOUNT = {
    "type": "bank",
    "bank_code": "0005",
    "branch_code": "001",
    "kind": "1",
    "number": "7654321",
    "holder": "ホシゾラ",
}
BOTH = (Role.OFFICER, Role.APPROVER)


class Scene:
    """A town with an officer who proposes, and who may also approve what others propose."""

    def __init__(self, town: HttpTown, proposer: Client, approver: Client, who: Resident, shop: Shop) -> None:
        self.town, self.proposer, self.approver = town, proposer, approver
        self.who, self.shop = who, shop

    async def propose(self, kind: str, **changes: Any) -> dict[str, Any]:
        if kind == "grant":
            number = self.who.wallet.number
            body = {"programme": CODE, "wallet_number": number, "purse": "common", "points": 300, "reason": "a gift"}
            return done(await self.proposer.command("/grants", body | changes), 201)
        path = f"/merchants/{self.shop.merchant_id}/payout-accounts"
        return done(await self.proposer.command(path, {"payout_account": ACCOUNT | changes}), 201)

    async def approve(self, proposed: dict[str, Any], by: Client | None = None, **changes: Any) -> Any:
        path = f"/changes/{proposed['change_id']}/approval"
        body = {"fingerprint": proposed["fingerprint"]} | changes
        return await (by or self.approver).command(path, body)

    async def standing(self, kind: str) -> Any:
        """What a change of this kind would change."""
        if kind == "grant":
            return await self.town.points(self.who)
        auditor = await self.town.as_staff(Role.AUDITOR)
        return done(await auditor.get(f"/merchants/{self.shop.merchant_id}"))["payout_account"]["number"]


BEFORE_AND_AFTER = {"grant": (0, 300), "payout_account": (None, "***4321")}
KINDS = tuple(BEFORE_AND_AFTER)
OTHER: dict[str, dict[str, Any]] = {"grant": {"points": 301}, "payout_account": {"number": "7654322"}}


@pytest.fixture
async def scene(engine: AsyncEngine) -> Scene:
    town = HttpTown(engine)
    await town.programme()
    proposer, approver = await town.as_staff(*BOTH), await town.as_staff(Role.APPROVER)
    made = Scene(town, proposer, approver, await town.resident(), await town.shop())
    town.wait(minutes=1)
    return made


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_happens_when_another_says_yes_and_not_before(scene: Scene, kind: str) -> None:
    before = await scene.standing(kind)
    proposed = await scene.propose(kind)
    assert await scene.standing(kind) == before
    carried = done(await scene.approve(proposed), 201)
    assert (carried["change_id"], carried["kind"]) == (proposed["change_id"], kind)
    assert await scene.standing(kind) == BEFORE_AND_AFTER[kind][1] != before
    await scene.town.must_prove()


@pytest.mark.parametrize("kind", KINDS)
async def test_nobody_approves_their_own(scene: Scene, kind: str, engine: AsyncEngine) -> None:
    """The proposer has the approver's role too: it is the person that counts."""
    proposed = await scene.propose(kind)
    async with unchanged(engine):
        problem(await scene.approve(proposed, scene.proposer), 403, "second_officer_needed")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_deed_itself_refuses_its_proposer(scene: Scene, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only the edge: the use case; and, should both forget, the table."""

    async def forgets(*_: object) -> None: ...

    proposed, before = await scene.propose(kind), await scene.standing(kind)
    monkeypatch.setattr("city_api.changes.require_second_officer", forgets)
    problem(await scene.approve(proposed, scene.proposer), 403, "second_officer_needed")
    monkeypatch.setattr("services.kit.changes.must_be_another", lambda *_: None)
    answer = await scene.approve(proposed, scene.proposer)
    assert answer.status_code == 500, answer.text
    assert await scene.standing(kind) == before


async def test_two_accounts_of_one_person_are_one_person(scene: Scene) -> None:
    """Whoever opened an account can sign in as it."""
    body = {"email": "second@city.example.jp", "name": "別名", "password": "tsuki-to-hoshi-88", "roles": ["approver"]}
    opened = done(await scene.proposer.command("/officers", body), 201)
    second = done(
        await scene.town.client("/api/city/v1").post(
            "/sign-in", json={"email": body["email"], "password": body["password"]}
        )
    )
    alias = scene.town.client("/api/city/v1", second["access_token"])
    assert opened["account_id"] != str(scene.town.account_of(*BOTH))
    for kind in KINDS:
        problem(await scene.approve(await scene.propose(kind), alias), 403, "second_officer_needed")


@pytest.mark.parametrize("kind", KINDS)
async def test_other_content_has_no_approval(scene: Scene, kind: str) -> None:
    """A yes to one proposal is none to the next, however little differs."""
    first = await scene.propose(kind)
    other = OTHER[kind]
    second = await scene.propose(kind, **other)
    assert first["fingerprint"] != second["fingerprint"]
    before = await scene.standing(kind)
    problem(await scene.approve(second, fingerprint=first["fingerprint"]), 409, "change_differs")
    assert await scene.standing(kind) == before
    done(await scene.approve(second), 201)


async def test_what_was_altered_behind_our_back_is_not_approved(scene: Scene, migrator_engine: AsyncEngine) -> None:
    proposed = await scene.propose("grant")
    async with migrator_engine.begin() as connection:
        altered = "jsonb_set(content, '{lines,0,2}', '3000000')"
        await connection.execute(text(f"UPDATE proposed_change SET content = {altered}"))
    problem(await scene.approve(proposed), 409, "change_differs")
    assert await scene.standing("grant") == 0


async def test_the_application_cannot_alter_what_was_proposed(scene: Scene, engine: AsyncEngine) -> None:
    await scene.propose("grant")
    for change in ("content = '{}'", "fingerprint = ''", "proposed_by = gen_random_uuid()"):
        async with engine.connect() as connection:
            with pytest.raises(DBAPIError, match="permission denied"):
                await connection.execute(text(f"UPDATE proposed_change SET {change}"))


@pytest.mark.parametrize("kind", KINDS)
async def test_a_change_happens_once(scene: Scene, kind: str) -> None:
    proposed = await scene.propose(kind)
    done(await scene.approve(proposed), 201)
    assert problem(await scene.approve(proposed), 409, "change_decided") == {"status": "approved"}
    assert await scene.standing(kind) == BEFORE_AND_AFTER[kind][1]


async def test_a_repeated_approval_is_answered_again(scene: Scene) -> None:
    proposed, key = await scene.propose("grant"), scene.town.new_key()
    path, yes = f"/changes/{proposed['change_id']}/approval", {"fingerprint": proposed["fingerprint"]}
    first = done(await scene.approver.command(path, yes, key=key), 201)
    again = await scene.approver.command(path, yes, key=key)
    assert (done(again, 201), again.headers["idempotent-replay"]) == (first, "true")
    assert await scene.standing("grant") == 300


@pytest.mark.parametrize("kind", KINDS)
async def test_what_was_taken_back_cannot_be_approved(scene: Scene, kind: str) -> None:
    proposed, before = await scene.propose(kind), await scene.standing(kind)
    path = f"/changes/{proposed['change_id']}/withdrawal"
    assert done(await scene.proposer.command(path, {"reason": "a slip"})) == {"status": "withdrawn"}
    assert problem(await scene.approve(proposed), 409, "change_decided") == {"status": "withdrawn"}
    problem(await scene.proposer.command(path, {"reason": "again"}), 409, "change_decided")
    assert await scene.standing(kind) == before


async def test_a_newer_account_takes_the_place_of_one_that_waits(scene: Scene) -> None:
    first = await scene.propose("payout_account")
    await scene.propose("payout_account", number="1111111")
    assert problem(await scene.approve(first), 409, "change_decided") == {"status": "withdrawn"}
    [waiting] = done(await scene.approver.get("/changes"))["changes"]
    assert waiting["id"] != first["change_id"]


async def test_grants_wait_beside_each_other(scene: Scene) -> None:
    first, second = await scene.propose("grant"), await scene.propose("grant")
    done(await scene.approve(first), 201)
    done(await scene.approve(second), 201)
    assert await scene.standing("grant") == 600


async def test_the_approver_sees_what_would_happen(scene: Scene) -> None:
    proposed = await scene.propose("grant")
    shown = done(await scene.approver.get(f"/changes/{proposed['change_id']}"))
    assert shown["fingerprint"] == proposed["fingerprint"]
    assert shown["grant"] == {
        "programme": CODE,
        "purse": "common",
        "reason": "a gift",
        "points": 300,
        "lines": [{"wallet_number": scene.who.wallet.number, "points": 300}],
    }
    assert (shown["proposed_by"], shown["status"]) == (str(scene.town.account_of(*BOTH)), "open")
    account = await scene.propose("payout_account")
    answer = await scene.approver.get(f"/changes/{account['change_id']}")
    assert done(answer)["payout_account"]["number"] == "***4321"
    assert "7654321" not in answer.text


async def test_changes_are_listed_by_what_became_of_them(scene: Scene) -> None:
    for _ in range(3):
        done(await scene.approve(await scene.propose("grant")), 201)
    waiting = await scene.propose("grant")
    [found] = done(await scene.approver.get("/changes"))["changes"]
    assert found["id"] == waiting["change_id"]
    page = done(await scene.approver.get("/changes", params={"status": "approved", "limit": 2}))
    rest = done(await scene.approver.get("/changes", params={"status": "approved", "after": page["next"]}))
    assert (len(page["changes"]), len(rest["changes"]), rest["next"]) == (2, 1, None)


async def test_every_step_is_in_the_audit_log(scene: Scene) -> None:
    proposed = await scene.propose("grant")
    done(await scene.approver.get(f"/changes/{proposed['change_id']}"))
    done(await scene.approve(proposed), 201)
    auditor = await scene.town.as_staff(Role.AUDITOR)
    entries = done(await auditor.get("/audit"))["entries"]
    by = {each["action"]: each["actor_id"] for each in entries}
    officer, approver = str(scene.town.account_of(*BOTH)), str(scene.town.account_of(Role.APPROVER))
    assert by["change.proposed"] == by["points.granted"] == officer
    assert by["change.approved"] == by["change.looked_at"] == approver


async def test_what_can_no_longer_happen_is_refused_and_stays_open(scene: Scene) -> None:
    proposed = await scene.propose("grant")
    scene.town.wait(days=300)
    approver = await scene.town.as_staff(Role.APPROVER)
    problem(await scene.approve(proposed, approver), 409, "programme_closed")
    [found] = done(await approver.get("/changes"))["changes"]
    assert found["status"] == "open"


async def test_what_is_not_there_or_not_a_fingerprint_is_refused(scene: Scene) -> None:
    proposed = await scene.propose("grant")
    nothing = {"change_id": str(uuid4()), "fingerprint": proposed["fingerprint"]}
    problem(await scene.approve(nothing), 404, "not_found")
    problem(await scene.approver.get(f"/changes/{uuid4()}"), 404, "not_found")
    for junk in ("", "x", "0" * 63, "g" * 64, "０" * 64, True, 1):
        problem(await scene.approve(proposed, fingerprint=junk), 422, "invalid_request")
    officer = await scene.town.as_staff(Role.OFFICER)
    problem(await scene.approve(proposed, officer), 403, "forbidden")


def test_a_fingerprint_has_one_spelling_and_covers_everything() -> None:
    here, there = uuid4(), uuid4()
    grant, account = ChangeKind.GRANT, ChangeKind.PAYOUT_ACCOUNT
    content = {"a": [1, "x"], "b": None}
    same = fingerprint_of(grant, here, {"b": None, "a": [1, "x"]})
    assert fingerprint_of(grant, here, content) == same
    others = (
        fingerprint_of(account, here, content),
        fingerprint_of(grant, there, content),
        fingerprint_of(grant, here, content | {"a": ["1", "x"]}),
        fingerprint_of(grant, here, content | {"c": 0}),
        fingerprint_of(grant, here, {"a": [1, "x"]}),
    )
    assert len({same, *others}) == 6
    assert four_eyes.ChangeDiffers.code == "change_differs"
