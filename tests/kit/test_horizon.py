"""How far back the sealer must look, whatever commits how late."""

from datetime import UTC, datetime, timedelta

from services.kit.horizon import CLOCK_MARGIN, MOST_LOOKS, Horizon, Look, late_after

NOON = datetime(2026, 4, 6, 3, tzinfo=UTC)


def look(minute: int, own: int, oldest_open: int) -> Look:
    return Look(NOON + timedelta(minutes=minute), own, oldest_open)


def since(minute: int) -> datetime:
    return NOON + timedelta(minutes=minute) - CLOCK_MARGIN


def test_nothing_is_known_before_the_first_look() -> None:
    assert Horizon().since is None


def test_where_nothing_is_open_the_last_look_is_the_horizon() -> None:
    horizon = Horizon().after(look(0, 10, 10)).after(look(1, 15, 15))
    assert horizon == Horizon(since(1), (look(1, 15, 15),))


def test_an_open_transaction_holds_the_horizon_at_the_look_before_it() -> None:
    horizon = Horizon().after(look(0, 10, 10))
    for minute in range(1, 60):
        horizon = horizon.after(look(minute, 10 + 2 * minute, 11))
        assert horizon.since == since(0)
    assert horizon.after(look(60, 200, 190)).since == since(59)


def test_a_transaction_that_is_open_at_the_first_look_leaves_everything_unknown() -> None:
    horizon = Horizon().after(look(0, 10, 9)).after(look(1, 12, 9))
    assert horizon.since is None
    assert horizon.after(look(2, 14, 11)).since == since(0)


def test_a_number_that_is_just_the_oldest_open_one_began_after_the_look() -> None:
    assert Horizon().after(look(0, 10, 10)).after(look(1, 12, 10)).since == since(0)
    assert Horizon().after(look(0, 10, 8)).after(look(1, 12, 9)).since is None


def test_a_clock_that_was_set_back_leaves_everything_unknown_until_all_was_searched() -> None:
    horizon = Horizon().after(look(0, 10, 10)).after(look(10, 15, 15))
    horizon = horizon.after(look(3, 20, 20))  # what was written since the look before may be recorded from then on
    assert horizon.since is None
    assert horizon.after(look(4, 25, 25)).since == since(4)


def test_a_clock_that_is_only_disciplined_changes_nothing() -> None:
    earlier = Look(NOON - timedelta(milliseconds=20), 15, 15)
    assert Horizon().after(look(0, 10, 10)).after(earlier).since == earlier.at - CLOCK_MARGIN


def test_looks_that_pile_up_are_forgotten_and_the_horizon_stays() -> None:
    horizon = Horizon().after(look(0, 10, 10))
    for step in range(1, 2 * MOST_LOOKS):
        horizon = horizon.after(look(step, 10 + step, 9))
    assert len(horizon.looks) == MOST_LOOKS
    assert horizon.since == since(0)


def test_one_transaction_can_say_what_is_late_only_when_all_older_ones_have_ended() -> None:
    began = look(0, 10, 8)
    assert late_after(began, look(1, 10, 10)) == since(0)
    assert late_after(began, look(1, 10, 9)) is None
