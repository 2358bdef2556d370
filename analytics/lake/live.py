"""The lake with today in it: rows of the days that it may lack are read straight from the views."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pyarrow as pa

from analytics.frames import FRAMES
from analytics.lake import shape
from analytics.lake.engine import MEMORY_MB
from analytics.lake.lake import Lake
from analytics.lake.manifest import read_manifest
from analytics.lake.read import BY_DAY
from analytics.lake.refresh import WHOLE, open_from
from analytics.lake.views import Days, open_views
from analytics.lake.write import schema_of


@contextmanager
def open_live(root: Path, uri: str, memory_mb: int = MEMORY_MB) -> Iterator[Lake]:
    """The lake's past days and, of one snapshot, everything since: days that are still open replace the lake's.

    Raises LakeMissing, LakeCorrupt.
    """
    since = open_from(read_manifest(root)) or date.min
    with open_views(uri) as views:
        at = views.look().at
        rows = {}
        for name in BY_DAY:
            told = views.rows(name, Days(since if since != date.min else None, None))
            days = [table for _, table in shape.days_of(FRAMES[name], told)]
            rows[name] = pa.concat_tables(days) if days else schema_of(FRAMES[name]).empty_table()
        rows |= {name: fit(views.rows(name)) for name, fit in WHOLE.items()}
    with Lake(root, rows, live_from=since, as_of=at, memory_mb=memory_mb) as lake:
        yield lake
