"""What happens in which order, and what at once."""

from datetime import UTC, datetime, timedelta

from infra.simulation.agenda import MOST_AT_ONCE, Agenda, Event

NOON = datetime(2020, 10, 1, 12, tzinfo=UTC)


class Diary:
    """An agenda of named events."""

    def __init__(self) -> None:
        self.agenda = Agenda()
        self._names: dict[Event, str] = {}

    def add(self, seconds: float, name: str, who: int | None = None) -> None:
        async def event() -> None:
            """Never awaited: only the order is asked for."""

        self._names[event] = name
        self.agenda.add(NOON + timedelta(seconds=seconds), event, who)

    def read(self) -> list[tuple[float, list[str]]]:
        """Everything on it: the seconds after noon at which it happens, and the names of what happens at once."""
        found = []
        while (taken := self.agenda.next()) is not None:
            at, events = taken
            found.append(((at - NOON).total_seconds(), [self._names[event] for event in events]))
        return found


def test_what_concerns_everybody_happens_alone_in_the_order_of_time_and_then_of_adding() -> None:
    diary = Diary()
    diary.add(30, "late")
    diary.add(10, "first")
    diary.add(10, "second")
    assert diary.read() == [(10, ["first"]), (10, ["second"]), (30, ["late"])]


def test_different_people_act_at_once_within_a_minute_at_the_last_ones_instant() -> None:
    diary = Diary()
    diary.add(0, "aoi", 1)
    diary.add(59, "ren", 2)
    diary.add(60, "itsuki", 3)
    assert diary.read() == [(59, ["aoi", "ren"]), (60, ["itsuki"])]


def test_one_persons_events_keep_their_order_and_nobody_overtakes_them() -> None:
    diary = Diary()
    diary.add(1, "aoi", 1)
    diary.add(2, "ren", 2)
    diary.add(3, "aoi again", 1)
    diary.add(4, "itsuki", 3)
    assert diary.read() == [(2, ["aoi", "ren"]), (4, ["aoi again", "itsuki"])]


def test_what_concerns_everybody_is_neither_overtaken_nor_joined() -> None:
    diary = Diary()
    diary.add(1, "aoi", 1)
    diary.add(2, "the night's work")
    diary.add(3, "ren", 2)
    assert diary.read() == [(1, ["aoi"]), (2, ["the night's work"]), (3, ["ren"])]


def test_no_more_act_at_once_than_the_platform_has_room_for() -> None:
    diary = Diary()
    for who in range(MOST_AT_ONCE + 1):
        diary.add(0, str(who), who)
    assert [len(names) for _, names in diary.read()] == [MOST_AT_ONCE, 1]
