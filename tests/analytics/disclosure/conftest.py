"""An invented city of 250 residents, and what of it would be published: made once for all attacks."""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest

from analytics.disclosure.open_data import OpenData, Wish, open_data, usual_clamp
from analytics.disclosure.protect import PLAIN
from analytics.lake.lake import InMemory
from analytics.synthetic.city import make
from analytics.synthetic.plan import CityPlan

KEY = b"k" * 32
FEW = ((), ("category",), ("age_band",), ("district",), ("category", "age_band"))
"""Levels enough for every law; all of them are published once, in the command's test."""


@pytest.fixture(scope="session")
def source() -> Iterator[InMemory]:
    with InMemory(make(CityPlan(residents=250), np.random.default_rng(7)).frames) as frames:
        yield frames


@pytest.fixture(scope="session")
def wish(source: InMemory) -> Wish:
    programme = source.frame("programmes").iloc[0]
    clamp = usual_clamp(source, programme["programme"])
    first, last = programme["use_from"].date(), programme["use_to"].date()
    return Wish(programme["programme"], first, last, Fraction(1, 2), clamp, PLAIN, FEW)


@pytest.fixture(scope="session")
def data(source: InMemory, wish: Wish) -> OpenData:
    return open_data(source, wish, KEY)
