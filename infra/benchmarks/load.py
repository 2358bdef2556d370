"""The load generator, a process of its own: `python -m infra.benchmarks.load`.

It reads orders as JSON, one a line; makes every request of an order as bytes and says that it is ready;
sends them at the word `go`; and answers with the outcome. Access tokens are signed here with the
installation's keys, because signing in fifty thousand people over HTTP would measure something else.
It ends when its input ends, so that it never outlives who started it.
"""

import gc
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, process_time
from typing import Annotated
from uuid import UUID

import msgspec
import typer

from infra.benchmarks.drive import ClosedLoop, Drive, OpenLoop
from infra.benchmarks.figures import percentile
from infra.benchmarks.plan import ISSUER, Door, Order, Outcome, Payment, Repeat, arrivals, payments
from infra.benchmarks.townspeople import Ground, ground, session_of
from infra.benchmarks.wire import (
    NAIVE_SENDER,
    Phones,
    Sender,
    body,
    keys,
    payment_id,
    request,
    store_sender,
    wallet_sender,
)
from infra.keys import keys_for, load_keys
from services.identity.people import Role
from services.identity.tokens import Audience, Bearer, TokenKeys, issue

SAID = "bench-load:"
"""What stands before each of our answers."""
SIGN_IN, GO = "sign in", "go"
SIGNING_S = 25.0
"""Pay codes live for a minute: after so long no further ones are made, and those made are used."""
PATIENCE_S = 60.0
TOKEN_LIFE, TOKEN_MARGIN = timedelta(minutes=30), timedelta(minutes=3)
"""Three times what a sign-in gives: signing fifty thousand tokens anew in a repetition would be measured, too."""


class TokensTooOld(Exception):
    """The repetition could outlive its tokens; the caller asks for new ones in time."""


@dataclass(frozen=True)
class Bearers:
    """Who sends, with tokens of one moment."""

    issued_at: datetime
    residents: list[Sender]
    clerks: list[Sender]


class Generator:
    """The ground's people and what they send."""

    def __init__(self, people: Ground, tokens: TokenKeys) -> None:
        self._people = people
        self._tokens = tokens
        self._phones = Phones()
        self._bearers: Bearers | None = None

    def sign_in(self) -> None:
        """New tokens for everybody."""
        now = datetime.now(UTC)
        ids = keys(now, random.Random(now.timestamp()))

        def token(audience: Audience, account_id: UUID, role: Role) -> str:
            bearer = Bearer(audience, account_id, session_of(account_id), frozenset({role}))
            return issue(self._tokens, bearer, now, next(ids), TOKEN_LIFE)

        self._bearers = Bearers(
            now,
            [
                wallet_sender(each.wallet_id, token(Audience.WALLET, each.account_id, Role.RESIDENT))
                for each in self._people.payers
            ],
            [
                store_sender(each.store_id, token(Audience.MERCHANT, each.clerk_account_id, Role.MERCHANT))
                for each in self._people.tills
            ],
        )

    def prepare(self, order: Order) -> Drive:
        """Every request of the order as bytes, and the connections. Raises TokensTooOld."""
        chance = random.Random(order.seed)
        requests: list[bytes] = []
        repeats: list[Repeat] = []
        begun = perf_counter()
        names = keys(datetime.now(UTC), chance)
        for payment in payments(order, chance):
            if order.door is Door.STORE and perf_counter() - begun > SIGNING_S:
                break
            requests.append(self._request(order.door, payment, names))
            repeats.append(payment.repeat)
        drive: Drive
        if order.per_s is None:
            drive = ClosedLoop(requests, repeats, order.seconds)
        else:
            planned = arrivals(order.per_s, len(requests), chance)
            drive = OpenLoop(requests, repeats, [each for each in planned if each < order.seconds])
        drive.connect(order.port, order.connections)
        return drive

    def _request(self, door: Door, payment: Payment, names: Iterator[UUID]) -> bytes:
        if door is Door.NAIVE:
            return request(NAIVE_SENDER, next(names), body(door, payment, ""))
        bearers = self._bearers
        if bearers is None or datetime.now(UTC) > bearers.issued_at + TOKEN_LIFE - TOKEN_MARGIN:
            raise TokensTooOld("the access tokens are missing or about to expire: sign in again")
        payer, till = self._people.payers[payment.payer], self._people.tills[payment.till]
        if door is Door.WALLET:
            return request(bearers.residents[payment.payer], next(names), body(door, payment, till.store_code))
        code = self._phones.code(payer.wallet_id, payer.device_id, payer.secret, datetime.now(UTC), next(names))
        return request(bearers.clerks[payment.till], next(names), body(door, payment, code))


def perform(drive: Drive, order: Order) -> Outcome:
    """Send everything, wait for every answer, and write down which payments were acknowledged."""
    gc.collect()
    gc.freeze()
    gc.disable()
    cpu, started = process_time(), perf_counter()
    try:
        drive.run(order.seconds + PATIENCE_S)
        elapsed, spent = drive.last_answer - started, process_time() - cpu
    finally:
        drive.close()
        gc.enable()
        gc.unfreeze()
    return _outcome(drive, order, elapsed, spent)


def _outcome(drive: Drive, order: Order, elapsed_s: float, cpu_s: float) -> Outcome:
    acknowledged = [payment_id(each) for each in drive.answers if each is not None]
    if None in acknowledged:
        drive.problem("an acknowledgement names no payment")
    if drive.created - len(acknowledged) != drive.marked_replays:
        drive.problem(f"{drive.created - len(acknowledged)} answers were repeats, but {drive.marked_replays} said so")
    Path(order.acknowledged_file).write_text("".join(f"{each}\n" for each in acknowledged))
    latencies = sorted(drive.latencies)
    return Outcome(
        payments=drive.begun,
        requests=len(latencies),
        acknowledged=len(acknowledged),
        elapsed_s=elapsed_s,
        load_cpu_s=cpu_s,
        p50_ms=percentile(latencies, 0.5) * 1_000 if latencies else 0.0,
        p99_ms=percentile(latencies, 0.99) * 1_000 if latencies else 0.0,
        problems=drive.told(),
    )


def _serve_orders(generator: Generator) -> None:
    """Orders in, outcomes out, until the input ends."""
    for line in iter(sys.stdin.readline, ""):
        if line.strip() == SIGN_IN:
            generator.sign_in()
            say("signed in")
            continue
        order = msgspec.json.decode(line, type=Order)
        drive = generator.prepare(order)
        say("ready")
        if sys.stdin.readline().strip() != GO:
            return
        say(msgspec.json.encode(perform(drive, order)).decode())


def say(words: str) -> None:
    """One line to whoever started us."""
    print(f"{SAID}{words}", flush=True)


def main(
    payers: Annotated[int, typer.Option(help="How many people the ground has.")],
    tills: Annotated[int, typer.Option(help="How many stores the ground has.")],
    data: Annotated[Path, typer.Option(help="The folder with the installation's keys.")],
) -> None:
    """Generate load as ordered on the input."""
    generator = Generator(ground(payers, tills), keys_for(load_keys(data), ISSUER))
    _serve_orders(generator)


if __name__ == "__main__":
    typer.run(main)
