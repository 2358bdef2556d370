"""The laws of the money, in any order: bought, granted, paid, given back, expired, closed and paid out.

`make test` runs a bounded sample, always the same; `make test-long` runs many more, at random.
TANABATA_LAWS_EXAMPLES and TANABATA_LAWS_STEPS set other sizes.
"""

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from infra.database.provision import DatabaseHandle
from tests.laws.machine import Laws

EXAMPLES = int(os.environ.get("TANABATA_LAWS_EXAMPLES", "30"))
STEPS = int(os.environ.get("TANABATA_LAWS_STEPS", "40"))
LONG_EXAMPLES = int(os.environ.get("TANABATA_LAWS_EXAMPLES", "400"))
LONG_STEPS = int(os.environ.get("TANABATA_LAWS_STEPS", "80"))

BOUNDED = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
"""Without shrinking: the steps of a failing example are printed as they were found, at once."""


MUST_HAPPEN = {
    *("purchase paid", "grant", "undo", "expired", "cap_exceeded", "stock_exhausted"),
    *("pay code", "store code", "register", "several programmes", "revived points spent"),
    *("points_missing", "payment_limit_reached", "programme_closed", "wallet_suspended"),
    *("cancel", "refund", "refund to expired starlight", "refund_too_much", "purchase_not_undoable"),
    *("close", "closing_not_over", "paid out", "carried", "owed to us", "propose", "mark_sent", "mark_paid"),
}
"""What every sample meets; else it says nothing about it, and the machine's rules have to be looked at."""


def laws_of(server: DatabaseHandle, template: str) -> type[Laws]:
    return type("Laws", (Laws,), {"server": server, "template": template, "seen": Counter()})


def test_money_obeys_its_laws_in_any_order(database_server: DatabaseHandle, template_database: str) -> None:
    laws = laws_of(database_server, template_database)
    run_state_machine_as_test(laws, settings=BOUNDED)
    assert {name for name in MUST_HAPPEN if not laws.seen[name]} == set(), laws.seen


@pytest.mark.long
def test_money_obeys_its_laws_in_thousands_of_orders(database_server: DatabaseHandle, template_database: str) -> None:
    long = settings(
        BOUNDED,
        max_examples=LONG_EXAMPLES,
        stateful_step_count=LONG_STEPS,
        derandomize=False,
        phases=[Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(laws_of(database_server, template_database), settings=long)
