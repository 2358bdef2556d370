"""The laws of the money, in any order: bought, granted, paid, given back, expired, closed and paid out.

`make test` runs a bounded sample, always the same; `make test-long` runs many more, at random.
TANABATA_LAWS_EXAMPLES and TANABATA_LAWS_STEPS set other sizes.
"""

import os

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


def laws_of(server: DatabaseHandle, template: str) -> type[Laws]:
    return type("Laws", (Laws,), {"server": server, "template": template})


def test_money_obeys_its_laws_in_any_order(database_server: DatabaseHandle, template_database: str) -> None:
    run_state_machine_as_test(laws_of(database_server, template_database), settings=BOUNDED)


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
