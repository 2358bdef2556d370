"""Clean histories are clean since any instant, however their deeds fell: the machine of `tests/laws`, asked so.

Bought, granted, paid, cancelled, refunded, expired, revived, closed and paid out in any order, by
the product's own verbs. The clock stands still between deeds, so that instants meet them exactly.
"""

import json
from collections import Counter
from datetime import datetime, timedelta
from random import Random

from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from infra.database.provision import DatabaseHandle
from services.proof.prove import prove
from services.proof.since import MARGIN
from tests.laws.machine import Laws
from tests.laws.test_laws import BOUNDED

SINCES = 20
EFFECTIVE = "SELECT DISTINCT effective_at FROM ledger_journal ORDER BY effective_at"


class Histories(Laws):
    """The machine, which ends each example by proving it since the edges of some deeds and between them."""

    async def _finish(self) -> None:
        await super()._finish()
        deeds: list[datetime] = [row[0] for row in await self._rows(EFFECTIVE)]
        chance = Random(len(deeds))
        for deed in chance.sample(deeds, min(SINCES, len(deeds))):
            edge = chance.choice([timedelta(0), timedelta(milliseconds=1), timedelta(hours=2), -2 * MARGIN])
            async with self.town.database.begin() as tx:
                proof = await prove(tx, deed + MARGIN + edge)
            assert proof.clean, json.dumps([str(deed + edge), *map(vars, proof.broken)], default=str)
            self.seen["asked in part"] += any(each.expected == 0 for each in proof.checks)
            self.seen["found something new"] += any(
                each.expected for each in proof.checks if each.name == "journals_balance"
            )


def test_clean_histories_are_clean_since_any_instant(database_server: DatabaseHandle, template_database: str) -> None:
    seen: Counter[str] = Counter()
    machine = type("Machine", (Histories,), {"server": database_server, "template": template_database, "seen": seen})
    run_state_machine_as_test(machine, settings=settings(BOUNDED, max_examples=8))
    must = {"asked in part", "found something new", "refund", "cancel", "expired", "close", "mark_paid"}
    assert {name for name in must if not seen[name]} == set(), seen
