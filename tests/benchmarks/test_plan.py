import random
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from infra.benchmarks.plan import DEAREST_YEN, Door, Order, Payment, Repeat, arrivals, payments

ORDER = Order(
    door=Door.WALLET,
    port=1,
    connections=8,
    seconds=1.0,
    most_payments=20_000,
    payers=500,
    tills=50,
    seed=3,
    acknowledged_file="nowhere",
)


def sent(order: Order = ORDER) -> list[Payment]:
    return list(payments(order, random.Random(order.seed)))


def test_equal_seeds_send_equal_payments() -> None:
    assert sent() == sent()
    assert sent() != sent(replace(ORDER, seed=4))


def test_a_fifth_of_the_requests_are_repeats_half_of_them_at_once() -> None:
    found = Counter(each.repeat for each in sent())
    repeats = found[Repeat.AT_ONCE] + found[Repeat.AFTERWARDS]
    assert 0.19 < repeats / (len(sent()) + repeats) < 0.21
    assert 0.9 < found[Repeat.AT_ONCE] / found[Repeat.AFTERWARDS] < 1.1


def test_payers_are_uniform_and_tills_follow_zipf() -> None:
    payers, tills = (Counter(getattr(each, name) for each in sent()) for name in ("payer", "till"))
    assert set(payers) == set(range(500))
    assert max(payers.values()) < 3 * 20_000 / 500
    assert 1.7 < tills[0] / tills[1] < 2.3
    assert 8 < tills[0] / tills[9] < 12.5


def test_amounts_stay_small() -> None:
    assert {each.amount_yen for each in sent()} == set(range(1, DEAREST_YEN + 1))


def test_one_store_takes_everything_when_it_is_the_only_till() -> None:
    assert {each.till for each in sent(replace(ORDER, tills=1))} == {0}


@pytest.mark.parametrize("door", [Door.WALLET, Door.STORE])
def test_a_warm_up_sends_one_payment_of_every_payer_to_every_till_and_repeats_none(door: Door) -> None:
    found = sent(replace(ORDER, warm_up=True, door=door))
    assert [each.payer for each in found] == list(range(500))
    assert {each.till for each in found} == set(range(50))
    assert {each.repeat for each in found} == {Repeat.NEVER}
    assert len(sent(replace(ORDER, warm_up=True, door=door, most_payments=7))) == 7


def test_arrivals_come_at_their_rate_and_in_order() -> None:
    instants = arrivals(1_000.0, 20_000, random.Random(5))
    assert all(early < late for early, late in pairwise(instants))
    assert 19.0 < instants[-1] < 21.0
    gaps = [late - early for early, late in pairwise(instants)]
    # Of a Poisson process 1/e of the gaps are longer than the mean; of a metronome's none or all.
    assert 0.35 < sum(gap > 0.001 for gap in gaps) / len(gaps) < 0.39
