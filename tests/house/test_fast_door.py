"""The fast door answers as the plain app behind it: same status, headers and body, and the same deed is asked for.

Each request is sent to both. The door may hand a request through, but what it takes it must judge
alike, and when several things are wrong it must name the same one.
"""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from fastapi import FastAPI
from starlette.routing import Mount

import infra.town
import merchant_api.app
import wallet_api.app
from infra.http.auth import RESIDENT, TILL, rules_of
from infra.http.edge import DEADLINE
from services.kit.deeds import DeedInProgress, Done
from services.kit.errors import Missing
from services.payments.payment import Mode
from services.wallets.spend import PointsMissing
from tests.house.fast_door import PATHS, PLACE, RECEIPTS, Request, Twins, ask, ask_in, no_log
from tests.house.fast_door_cases import one_thing_wrong, two_things_wrong, with_chunks, with_header

AT_LEAST_CASES, AT_LEAST_TAKEN, AT_LEAST_THROUGH = 380, 60, 280
"""Of each operation. Fewer would mean that the lists or the door have become something else."""


async def must_agree(twins: Twins, cases: Sequence[Request]) -> Counter[int]:
    """Send each to both; how often each status was answered."""
    found = [each for each in [await twins.differ(case) for case in cases] if each is not None]
    assert not found, "\n".join([*found[:5], f"{len(found)} of {len(cases)} differ"])
    return Counter(reply.status for reply in twins.replies)


@pytest.mark.parametrize("api", PATHS)
async def test_one_thing_wrong_is_answered_alike(api: str) -> None:
    twins = Twins()
    cases = [change(twins.good(api)) for change in one_thing_wrong(twins, api)]
    statuses = await must_agree(twins, cases)
    assert {201, 400, 401, 403, 404, 405, 413, 415, 422} <= statuses.keys()
    assert len(cases) >= AT_LEAST_CASES
    assert twins.taken >= AT_LEAST_TAKEN
    assert len(cases) - twins.taken >= AT_LEAST_THROUGH


@pytest.mark.parametrize("api", PATHS)
async def test_of_two_things_wrong_the_same_is_named(api: str) -> None:
    twins = Twins()
    statuses = await must_agree(twins, [change(twins.good(api)) for change in two_things_wrong(twins, api)])
    assert {400, 401, 413, 415, 422} <= statuses.keys()
    assert twins.taken == 0


@pytest.mark.parametrize("api", PATHS)
async def test_a_plain_request_is_taken(api: str) -> None:
    """The control: without it, a door that takes nothing would pass every comparison."""
    twins = Twins()
    assert await must_agree(twins, [twins.good(api)]) == {201: 1}
    assert twins.taken == 1


@pytest.mark.parametrize("api", PATHS)
async def test_a_token_that_was_welcome_ends_for_both(api: str) -> None:
    twins = Twins()
    good = twins.good(api)
    for step, status in ((0, 201), (9 * 60, 201), (61, 201), (10, 401), (3_600, 401), (-2 * 3_600, 401)):
        twins.clock.advance(timedelta(seconds=step))
        twins.replies.clear()
        assert await must_agree(twins, [good]) == {status: 1}


@pytest.mark.parametrize("api", PATHS)
async def test_whatever_the_deed_answers_is_told_alike(api: str) -> None:
    twins = Twins()
    texts = ["", '"quoted" \\ back / slash', "a\nb\tc", "\x00\x1f\x7f\x80", "\u2028\u2029", "😀 \ufeff", "</script>"]
    instants = [RECEIPTS[api].paid_at.replace(microsecond=each) for each in (0, 1, 10, 500_000, 999_999)]
    receipts = [replace(RECEIPTS[api], store_name=text, store_code=text) for text in texts]
    receipts += [replace(RECEIPTS[api], paid_at=instant) for instant in instants]
    receipts += [replace(RECEIPTS[api], mode=mode, amount_yen=10**10) for mode in Mode]
    outcomes: list[Done[Any]] = [Done(each, replayed) for each in receipts for replayed in (False, True)]
    refusals: list[Exception] = [
        PointsMissing(missing_yen=1, idle=[{"purse": "common", "points": 5}]),
        DeedInProgress(retry_after_seconds=1),
        Missing(),
        Missing(when=instants[1], id=PLACE, mode=Mode.MPM),
        TimeoutError(),
        RuntimeError("a fault of ours"),
    ]
    with no_log():
        told: list[Done[Any] | Exception] = [*outcomes, *refusals]
        for twins.played.outcome in told:
            await must_agree(twins, [twins.good(api)])
    assert twins.taken == len(twins.replies) == len(outcomes) + len(refusals)
    assert {reply.status for reply in twins.replies} == {201, 404, 409, 500, 503}


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Twins:
    """Twins whose time for a request is over almost at once, measured by the loop's clock."""
    for module in (wallet_api.app, merchant_api.app, infra.town):
        monkeypatch.setattr(module, "SECONDS", 0.02)
    return Twins()


@pytest.mark.parametrize("api", PATHS)
async def test_nobody_waits_for_ever(api: str, hurried: Twins) -> None:
    """A body that does not come, comes in part, comes with more than was stated, and a deed that does not end."""
    good = replace(hurried.good(api), then="stays")
    content = good.chunks[0]
    pieces: list[tuple[bytes, ...]] = [(), (content[:10],), (content, b"x"), (b"x" * 9_000,)]
    cases = [with_chunks(*chunks)(good) for chunks in pieces]
    cases += [with_header(b"content-length")(case) for case in cases]
    with no_log():
        assert await must_agree(hurried, cases) == {503: len(cases)}
        hurried.played.hangs = True
        hurried.replies.clear()
        assert await must_agree(hurried, [hurried.good(api)]) == {503: 1}


async def test_what_is_handed_through_has_no_more_time_than_it_came_with() -> None:
    twins = Twins()
    request = with_chunks(b"{}")(twins.good("wallet"))
    scope, now = request.scope(), asyncio.get_running_loop().time
    began = now()
    reply = await ask_in(twins.door, scope, request)
    assert reply.status == 422
    assert began + wallet_api.app.SECONDS <= scope[DEADLINE] <= now() + wallet_api.app.SECONDS
    request = twins.good("wallet")
    scope = request.scope()
    scope[DEADLINE] = now() - 1.0
    assert (await ask_in(twins.town.plain, scope, request)).status == 503


@pytest.mark.parametrize("api", PATHS)
async def test_a_client_that_goes_away_asks_for_nothing(api: str) -> None:
    twins = Twins()
    good = twins.good(api)
    pieces: list[tuple[bytes, ...]] = [(), (good.chunks[0][:10],), good.chunks]
    for chunks in pieces:
        assert await twins.differ(replace(good, chunks=chunks, then="goes")) is None
    assert twins.taken == 0


def test_the_door_keeps_the_rules_of_the_plain_endpoints() -> None:
    twins = Twins()
    rules = {}
    for prefix, mount in zip(("wallet", "merchant"), twins.town.plain.routes, strict=False):
        for method, path, [rule] in rules_of(cast(FastAPI, cast(Mount, mount).app)):
            rules[method, f"/api/{prefix}/v1{path}"] = rule
    assert rules["POST", "/api/wallet/v1/wallets/{wallet_id}/payments"] is RESIDENT
    assert rules["POST", "/api/merchant/v1/stores/{store_id}/payments"] is TILL
    assert {hot.before + "*" + hot.after: hot.rule for hot in twins.door.hot} == {
        "/api/wallet/v1/wallets/*/payments": RESIDENT,
        "/api/merchant/v1/stores/*/payments": TILL,
    }
    assert wallet_api.app.SECONDS == merchant_api.app.SECONDS


@pytest.mark.parametrize("api", PATHS)
async def test_a_client_that_goes_away_is_nobodys_fault(api: str, caplog: pytest.LogCaptureFixture) -> None:
    """Anybody can go as often as they like; a log that told each time, with a traceback, would be theirs to fill."""
    twins = Twins()
    good = twins.good(api)
    for chunks in ((), (good.chunks[0][:10],)):
        for app in (twins.door, twins.town.plain):
            reply = await ask(app, replace(good, chunks=chunks, then="goes"))
            assert reply.status == 400
    assert not caplog.records
