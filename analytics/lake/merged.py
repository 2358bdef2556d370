"""Days of a lake that name a resident who is told under another number by now: two wallets of one person became one.

Law: who is in the lake's deeds is among its residents. A number that no longer is gives its days away; they are read
again, and the lake is what a refresh from nothing would have made of it (decision 0092).
"""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analytics.lake.manifest import Manifest, Part
from analytics.lake.read import BY_DAY


def told_otherwise(root: Path, old: Manifest, residents: pa.Table) -> list[tuple[str, date]]:
    """Frames and days of the lake that name somebody who is not among the `residents` of now.

    Files are looked into only where somebody went since the last refresh, or nobody can say. A damaged one is not
    told: it is read again for that.
    """
    known = residents["resident"]
    if all(not part.problem(root, deep=True) and _names_only(root, part, known) for part in old.parts("residents")):
        return []
    return [
        (frame, part.day)
        for frame in BY_DAY
        for part in old.parts(frame)
        if part.day is not None and not part.problem(root, deep=True) and not _names_only(root, part, known)
    ]


def _names_only(root: Path, part: Part, known: pa.ChunkedArray) -> bool:
    named = pc.unique(pq.read_table(root / part.file, columns=["resident"], partitioning=None)["resident"])
    return bool(pc.all(pc.is_in(named, value_set=known), min_count=0).as_py())
