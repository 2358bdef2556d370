"""Fixed paths through the machine: each walks where one family of guards stands, with the oracle beside it.

The same rules as in the random runs, in an order that is sure to meet every guard; `test_teeth.py`
takes the guards away one by one.
"""

from collections.abc import Callable

from tests.laws.machine import Laws

Story = Callable[[Laws], None]
ANA, BEN, CHIE = 0, 1, 2
CORNER, MARKET, STALL = 0, 1, 2
"""A small store, a large one, and a small one of the large one's merchant."""

SHORT, LONG = "starlight", "moonlight"


def check(machine: Laws) -> None:
    """What the machine checks after every rule."""
    machine.every_lot_is_the_oracles()
    machine.every_counter_is_the_oracles()


def walk(machine: Laws, *steps: Callable[[], None]) -> None:
    for step in steps:
        step()
        check(machine)


def shopping(machine: Laws) -> None:
    """Buy, be granted, pay in every way and from several lots, be refused, cancel, be refunded."""
    m = machine
    walk(
        m,
        lambda: m.buy(ANA, SHORT, 2, at_once=True),
        lambda: m.buy(ANA, LONG, 1, at_once=True),
        lambda: m.buy(ANA, SHORT, 2, at_once=True),
        lambda: m.buy(BEN, SHORT, 3, at_once=True),
        lambda: m.buy(CHIE, SHORT, 1, at_once=True),
        lambda: m.grant(BEN, 777, "small"),
        lambda: m.grant(CHIE, 333, "common"),
        lambda: m.pay_a_little_later(ANA, CORNER, "pay code", 5_001, 1),
        lambda: m.pay_a_little_later(ANA, MARKET, "store code", 3_333, 1),
        lambda: m.pay_a_little_later(BEN, STALL, "register", 1_001, 1),
        lambda: m.pay_a_little_later(BEN, MARKET, "pay code", 6_001, 1),
        lambda: m.pay_a_little_later(BEN, MARKET, "pay code", 5_999, 1),
        lambda: m.pay_a_little_later(BEN, CORNER, "pay code", 2_001, 1),
        lambda: m.pay_a_little_later(BEN, CORNER, "pay code", 2_000, 1),
        lambda: m.pay_a_little_later(CHIE, MARKET, "store code", "a yen more", 1),
        lambda: m.pay_a_little_later(CHIE, MARKET, "store code", 334, 1),
        lambda: m.give_back([(0, 777), (2, 101), (2, "half"), (0, "too much")]),
        lambda: m.cancel_one_of_the_last(1),
        lambda: m.cancel_one_of_the_last(0),
        lambda: m.pay_a_little_later(BEN, CORNER, "store code", 2_000, 1),
        lambda: m.send_a_payment_again(1, changed=False),
        lambda: m.send_a_payment_again(1, changed=True),
        lambda: m.pay_a_little_later(ANA, CORNER, "store code", "everything", 1),
        lambda: m.time_goes_by("midnight"),
        lambda: m.pay_a_little_later(ANA, CORNER, "store code", 12_345, 1),
        lambda: m.cancel_one_of_the_last(1),
        lambda: m.give_back([(0, 4_321)]),
        lambda: m.give_back([(0, "half")]),
        lambda: m.give_back([(0, "all"), (3, "all")]),
    )


def checkouts(machine: Laws) -> None:
    """Reservations that are paid, declined, swept, paid late or wrongly, and purchases that are undone."""
    m = machine
    walk(
        m,
        lambda: m.buy(ANA, SHORT, 1, at_once=False),
        lambda: m.buy(ANA, SHORT, 2, at_once=False),
        lambda: m.buy(BEN, SHORT, 2, at_once=False),
        lambda: m.buy(CHIE, SHORT, 1, at_once=False),
        lambda: m.buy(CHIE, LONG, 1, at_once=False),
        lambda: m.the_channel_speaks(0, "paid"),
        lambda: m.the_channel_speaks(0, "paid"),
        lambda: m.the_channel_speaks(1, "declined"),
        lambda: m.buy(CHIE, SHORT, 1, at_once=True),
        lambda: m.time_goes_by("half an hour"),
        lambda: m.the_channel_speaks(2, "sweep"),
        lambda: m.the_channel_speaks(2, "paid"),
        lambda: m.the_channel_speaks(2, "send back"),
        lambda: m.the_channel_speaks(3, "paid"),
        lambda: m.the_channel_speaks(0, "sweep"),
        lambda: m.undo_a_purchase(0),
        lambda: m.undo_a_purchase(0),
        lambda: m.buy(ANA, SHORT, 3, at_once=True),
        lambda: m.pay_a_little_later(ANA, CORNER, "store code", 1, 1),
        lambda: m.undo_a_purchase(len(m.purchases) - 1),
        lambda: m.cancel_one_of_the_last(0),
        lambda: m.undo_a_purchase(len(m.purchases) - 1),
        lambda: m.buy(BEN, LONG, 2, at_once=True),
        lambda: m.buy(BEN, LONG, 1, at_once=True),
    )


def stops(machine: Laws) -> None:
    """Wallets and stores that are stopped and let on again."""
    m = machine
    walk(
        m,
        lambda: m.buy(ANA, LONG, 2, at_once=True),
        lambda: m.stop_one_and_release_the_others(ANA, CORNER, "wallet"),
        lambda: m.pay([(ANA, CORNER, way, 10) for way in ("pay code", "store code", "register")]),
        lambda: m.buy(ANA, SHORT, 1, at_once=True),
        lambda: m.stop_one_and_release_the_others(ANA, CORNER, "store"),
        lambda: m.pay([(ANA, CORNER, way, 10) for way in ("pay code", "store code", "register")]),
        lambda: m.stop_one_and_release_the_others(ANA, CORNER, ""),
        lambda: m.pay([(ANA, CORNER, way, 10) for way in ("pay code", "store code", "register")]),
    )


def endings(machine: Laws) -> None:
    """The end of the short programme: the last instant, the sweep, revival, its end; the long one forfeits."""
    m = machine
    walk(
        m,
        lambda: m.buy(ANA, SHORT, 1, at_once=True),
        lambda: m.buy(BEN, SHORT, 1, at_once=True),
        lambda: m.buy(CHIE, LONG, 1, at_once=True),
        lambda: m.grant(BEN, 500, "common"),
        lambda: m.pay(
            [(ANA, CORNER, "pay code", 5_000), (BEN, CORNER, "store code", 3_333), (CHIE, STALL, "register", 7_777)]
        ),
        lambda: m.time_goes_by("the last instant of the short programme"),
        m.expire,
        lambda: m.pay_a_little_later(ANA, MARKET, "store code", 101, 0),
        lambda: m.time_goes_by("the end of the short programme"),
        lambda: m.pay_a_little_later(ANA, MARKET, "store code", 1, 0),
        lambda: m.give_back([(3, "half")]),  # of Ana, whose lots nobody has swept yet
        lambda: m.pay_a_little_later(ANA, CORNER, "store code", "everything", 1),
        m.expire,
        lambda: m.give_back([(3, 55)]),  # of Ben, whose lots were swept
        lambda: m.time_goes_by("three days"),
        lambda: m.pay_a_little_later(BEN, CORNER, "store code", 5, 1),
        lambda: m.time_goes_by("midnight"),
        lambda: m.pay_a_little_later(BEN, CORNER, "store code", 5, 1),
        m.expire,
        lambda: m.give_back([(1, 11), (3, 22)]),
        lambda: m.time_goes_by("the end of the long programme"),
        lambda: m.give_back([(2, "half")]),
        m.expire,
        lambda: m.pay_a_little_later(CHIE, STALL, "store code", 1, 1),
        lambda: m.give_back([(0, 1), (1, 1), (2, 1), (3, 1)]),
    )


def settlements(machine: Laws) -> None:
    """Closes in order, a carry, a debt, bank files that are void, approved, sent and paid."""
    m = machine
    walk(
        m,
        lambda: m.buy(ANA, SHORT, 2, at_once=True),
        lambda: m.buy(BEN, LONG, 2, at_once=True),
        lambda: m.close(LONG),
        lambda: m.pay(
            [(ANA, CORNER, "pay code", 5_555), (ANA, MARKET, "pay code", 901), (BEN, STALL, "store code", 9_999)]
        ),
        lambda: m.pay(
            [(BEN, MARKET, "register", 2_345), (BEN, CORNER, "register", 3), (ANA, STALL, "pay code", 1_999)]
        ),
        lambda: m.cancel_one_of_the_last(1),
        lambda: m.time_goes_by("the last instant of the day"),
        lambda: m.close(LONG),
        lambda: m.time_goes_by("midnight"),
        lambda: m.close(LONG),
        lambda: m.give_back([(4, "half"), (1, "all")]),
        lambda: m.nights_pass(1, sweep=True, settle=True),
        lambda: m.propose_a_bank_file(ahead=2),
        lambda: m.propose_a_bank_file(ahead=2),
        lambda: m.handle_a_bank_file(0, "sent", second=True),
        lambda: m.handle_a_bank_file(0, "approve", second=False),
        lambda: m.handle_a_bank_file(0, "void", second=False),
        lambda: m.handle_a_bank_file(0, "approve", second=True),
        lambda: m.propose_a_bank_file(ahead=2),
        lambda: m.handle_a_bank_file(0, "paid", second=True),
        lambda: m.handle_a_bank_file(0, "approve", second=True),
        lambda: m.handle_a_bank_file(0, "void", second=True),
        lambda: m.handle_a_bank_file(0, "withdraw", second=False),
        lambda: m.handle_a_bank_file(0, "withdraw", second=False),
        lambda: m.handle_a_bank_file(0, "withdraw", second=True),
        lambda: m.propose_a_bank_file(ahead=2),
        lambda: m.handle_a_bank_file(0, "approve", second=True),
        lambda: m.handle_a_bank_file(0, "sent", second=False),
        lambda: m.handle_a_bank_file(0, "sent", second=True),
        lambda: m.handle_a_bank_file(0, "withdraw", second=True),
        lambda: m.time_goes_by("three days"),
        lambda: m.pay(
            [(BEN, CORNER, "pay code", 7), (ANA, CORNER, "store code", 600), (ANA, MARKET, "store code", 20)]
        ),
        lambda: m.nights_pass(2, sweep=False, settle=True),
        lambda: m.give_back([(5, "all"), (7, "all"), (3, "all")]),
        lambda: m.handle_a_bank_file(0, "paid", second=True),
        lambda: m.nights_pass(1, sweep=False, settle=True),
        lambda: m.nights_pass(2, sweep=True, settle=True),
        lambda: m.propose_a_bank_file(ahead=4),
        lambda: m.time_goes_by("three days"),
        lambda: m.time_goes_by("three days"),
        lambda: m.time_goes_by("three days"),
        lambda: m.handle_a_bank_file(0, "approve", second=True),
    )


STORIES: dict[str, Story] = {story.__name__: story for story in (shopping, checkouts, stops, endings, settlements)}


def tell(kind: type[Laws], story: Story) -> None:
    """Walk a story to its end, and the programmes to theirs."""
    machine = kind()
    try:
        check(machine)
        story(machine)
    finally:
        machine.teardown()
