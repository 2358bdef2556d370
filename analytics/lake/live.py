"""The lake with today in it: rows of the days that it may lack are read straight from the views."""

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from analytics.frames import FRAMES
from analytics.lake import shape
from analytics.lake.agree import undone
from analytics.lake.engine import MEMORY_MB
from analytics.lake.lake import Lake
from analytics.lake.manifest import Manifest, read_manifest
from analytics.lake.merged import told_otherwise
from analytics.lake.read import BY_DAY
from analytics.lake.refresh import WHOLE, open_from
from analytics.lake.views import Days, open_views
from analytics.lake.write import schema_of
from services.kit.clock import civil_date


@contextmanager
def open_live(root: Path, uri: str, memory_mb: int = MEMORY_MB) -> Iterator[Lake]:
    """The lake's past days and, of one snapshot, everything since: days that are still open replace the lake's.

    So do past days that are told otherwise by now: on which something was sold that has been undone since, or that
    name somebody whose wallet went into another. Raises LakeMissing, LakeCorrupt, LakeSourceLost.
    """
    manifest = read_manifest(root)
    since = open_from(manifest) or date.min
    with open_views(uri) as views:
        at = views.look().at
        rows = {name: fit(views.rows(name)) for name, fit in WHOLE.items()}
        past = _past(root, manifest, since, undone(views), rows["residents"])
        for name in BY_DAY:
            periods = [
                *(Days(day, day + timedelta(days=1)) for of, day in past if of == name),
                Days(since if since != date.min else None, None),
            ]
            days = [table for period in periods for _, table in shape.days_of(FRAMES[name], views.rows(name, period))]
            rows[name] = pa.concat_tables(days) if days else schema_of(FRAMES[name]).empty_table()
    with Lake(root, rows, live_from=since, live_days=past, as_of=at, memory_mb=memory_mb) as lake:
        yield lake


def _past(
    root: Path, manifest: Manifest, since: date, taken_back: Sequence[Mapping[str, Any]], residents: pa.Table
) -> Set[tuple[str, date]]:
    """Frames and days before `since` that the lake cannot know to be otherwise; undone earlier, it knows."""
    lots = [("lots", civil_date(row["issued_at"])) for row in taken_back if civil_date(row["ended_at"]) >= since]
    told = told_otherwise(root, manifest, residents) if since != date.min else []
    return {(frame, day) for frame, day in (*lots, *told) if day < since}
