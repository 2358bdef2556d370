"""A frozen dataclass with a quick constructor is the same dataclass in everything else."""

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.frozen import quick


@dataclass(frozen=True)
class Plain:
    yen: int
    words: str = "none"
    lots: tuple[int, ...] = ()


@quick
@dataclass(frozen=True)
class Quick:
    yen: int
    words: str = "none"
    lots: tuple[int, ...] = ()


VALUES = st.tuples(st.integers(), st.text(max_size=5), st.lists(st.integers(), max_size=3).map(tuple))


@given(VALUES, VALUES)
def test_it_is_made_compared_hashed_shown_and_replaced_as_before(one: Any, other: Any) -> None:
    plain, made = Plain(*one), Quick(*one)
    assert vars(made) == vars(plain)
    assert made == Quick(yen=one[0], words=one[1], lots=one[2])
    assert (made == Quick(*other)) == (one == other)
    assert hash(made) == hash(plain)
    assert repr(made) == repr(plain).replace("Plain", "Quick")
    assert replace(made, yen=other[0]) == Quick(other[0], *one[1:])
    assert pickle.loads(pickle.dumps(made)) == made == copy.deepcopy(made)  # noqa: S301 - our own
    assert msgspec.json.decode(msgspec.json.encode(made), type=Quick) == made


def test_defaults_are_kept_and_what_is_missing_or_unknown_is_refused() -> None:
    assert Quick(1) == Quick(1, "none", ())
    assert [each.name for each in fields(Quick)] == ["yen", "words", "lots"]
    wrong: Any = Quick
    for given_values in ({}, {"yen": 1, "more": 2}):
        with pytest.raises(TypeError):
            wrong(**given_values)
    with pytest.raises(TypeError):
        wrong(1, "a", (), 4)


def test_it_stays_frozen() -> None:
    made: Any = Quick(1)
    with pytest.raises(FrozenInstanceError):
        made.yen = 2
    with pytest.raises(FrozenInstanceError):
        del made.yen


def after_its_making() -> type:
    @dataclass(frozen=True)
    class Checked:
        yen: int

        def __post_init__(self) -> None:
            raise ValueError

    return Checked


def with_a_factory() -> type:
    @dataclass(frozen=True)
    class Filled:
        lots: list[int] = field(default_factory=list)

    return Filled


def by_keyword() -> type:
    @dataclass(frozen=True, kw_only=True)
    class Named:
        yen: int

    return Named


def not_set_at_all() -> type:
    @dataclass(frozen=True)
    class Derived:
        yen: int = field(init=False, default=1)

    return Derived


def without_a_dictionary() -> type:
    @dataclass(frozen=True, slots=True)
    class Slotted:
        yen: int

    return Slotted


@pytest.mark.parametrize(
    "make", [after_its_making, with_a_factory, by_keyword, not_set_at_all, without_a_dictionary, lambda: int]
)
def test_a_class_whose_making_is_more_than_setting_its_fields_is_refused(make: Any) -> None:
    with pytest.raises(TypeError):
        quick(make())
