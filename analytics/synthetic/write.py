"""A city of any size straight into a lake, in the memory of its deeds in small columns."""

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from analytics.frames import SPENDING
from analytics.lake.manifest import Manifest, Part
from analytics.lake.write import publish, schema_of, write_frames, write_part
from analytics.synthetic.calendar import DAY_SECONDS
from analytics.synthetic.city import Sums, World, add, build_world, close, play
from analytics.synthetic.plan import CityPlan
from analytics.synthetic.rows import Spent, concatenated, days, spending_frame
from analytics.synthetic.truth import Truth

Told = Callable[[str, float], None]
"""Hears what is being done, and which share of everything is done."""

PLAYING = 0.7
"""Which share of the time passes before the deeds are written, about."""


def write_city(
    plan: CityPlan, rng: np.random.Generator, root: Path, refreshed_at: datetime, told: Told
) -> tuple[Truth, pd.DataFrame | None]:
    """The city that `make` makes of this plan and generator, as a lake in `root`; returns the truth, and what stores
    tell of their weeks (`City.sales`), which no lake has.

    `refreshed_at` is aware. What a lake in `root` held before is replaced; its deeds come last, and the lake
    that is there until then has none.
    """
    told("preparing", 0.0)
    world = build_world(plan, rng)
    sums = Sums()
    count = max(len(world.people), 1)
    for part in play(world, rng, lambda done: told("living", PLAYING * done / count)):
        add(world, rng, part, sums)
    frames, truth = close(world, rng, sums)
    rest = write_frames(root, frames, refreshed_at)
    spent = concatenated(sums.spent)
    sums.spent.clear()
    deeds = _write_days(world, spent, root, told)
    publish(root, Manifest(refreshed_at, {**rest.frames, SPENDING.name: deeds}))
    return truth, None if world.sales is None else world.sales.frame


def _write_days(world: World, spent: Spent, root: Path, told: Told) -> tuple[Part, ...]:
    """One file a day, as the lake wants it."""
    day = (spent.at // DAY_SECONDS).astype(np.int16)
    order = np.argsort(day, kind="stable")
    edges = np.flatnonzero(np.diff(day[order], prepend=-1, append=-1))
    schema = schema_of(SPENDING)
    parts = []
    for turn, (begin, end) in enumerate(pairwise(edges)):
        rows = order[begin:end]
        frame = spending_frame(world.plan, world.people, world.places, spent.take(rows))
        table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(None)
        date = pd.Timestamp(days(world.people.origin, day[rows[:1]].astype(np.int64))[0]).date()
        parts.append(write_part(root, SPENDING, date, table))
        told("writing", PLAYING + (1 - PLAYING) * (turn + 1) / (len(edges) - 1))
    return tuple(parts)
