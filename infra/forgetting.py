"""What the platform forgets by itself, once it was kept for its time (docs/security.md says for how long).

Law: a batch is a transaction, so that nobody waits for a large removal; what is left waits for the next run.
"""

from collections.abc import Callable

from services.identity.forget_sign_ins import forget_sign_ins
from services.kit.db import Database
from services.kit.forgetting import BATCH
from services.payments.forget_paid_lately import forget_paid_lately
from services.payments.keep_declines import forget_declines
from services.wallets.forget_care_codes import forget_care_codes

MAX_ROUNDS = 1_000
"""Batches of one kind in one run."""


async def forget_refusals(database: Database, told: Callable[[int], None]) -> int:
    """Declined payments that were kept for their time; the number forgotten."""
    done = await database.transact(forget_declines, None)
    told(done)
    return done


async def forget_what_is_over(database: Database, told: Callable[[int], None]) -> int:
    """Sign-ins, codes and counts that were kept for their time; the number of rows forgotten."""
    total = 0
    for forget in (forget_sign_ins, forget_care_codes, forget_paid_lately):
        for _ in range(MAX_ROUNDS):
            done = await database.transact(forget, BATCH)
            total += done
            told(done)
            if done == 0:
                break
    return total
