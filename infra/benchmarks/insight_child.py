"""`python -m infra.benchmarks.insight_child refresh|scan|dashboard LAKE FIGURES PARENT`: one cold process of analytics.

What it did, and what it used, goes as JSON into the file FIGURES. Each work loads what it needs; a refresh steps back,
and loads what `tanabata insight` does before it begins. It ends with PARENT. The views' address comes in
TANABATA_INSIGHT_URI.
"""

import json
import os
import resource
import sys
from datetime import date
from pathlib import Path
from typing import Final

from infra.companion import end_with_parent
from infra.database.give_way import give_way
from services.kit.priority import step_back

DASHBOARD: Final = (
    ("sales", ("day",)),
    ("payments", ("day",)),
    ("sales", ("weekday", "hour")),
    ("sales", ("category", "store_class")),
    ("sales", ("home_district", "district")),
    ("sales", ("age_band",)),
    ("average_payment", ("store_class",)),
    ("active_residents", ("week",)),
    ("active_stores", ("week",)),
    ("repeat_share", ("store",)),
    ("new_customers", ("store",)),
    ("store_gini",),
    ("top_tenth_share",),
    ("issued", ("purse", "month")),
    ("remaining", ("purse", "day")),
    ("redeemed_share", ("day",)),
    ("premium_spent", ("month",)),
)
"""The figures of a whole dashboard: circulation, time, place, people, concentration."""


def main() -> None:
    work, root, figures = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    end_with_parent(int(sys.argv[4]))
    if work == "refresh":
        step_back()
        import infra.commands.insight  # noqa: F401, PLC0415
        from analytics.lake.refresh import refresh  # noqa: PLC0415

        end = date.fromisoformat(sys.argv[5])
        uri = os.environ["TANABATA_INSIGHT_URI"]
        done = refresh(root, uri, end=end, connections=int(sys.argv[6]), opened=give_way)
        counts = {"rows": done.rows, "files": done.parts}
    elif work == "scan":
        from analytics.lake.lake import Lake  # noqa: PLC0415

        with Lake(root) as lake:
            spending = lake.table("spending")
            read = {"rows": spending.count(), "yen": spending["amount_yen"].sum(), "last": spending["store"].max()}
            counts = {"rows": int(lake.run(spending.aggregate(**read))["rows"].iloc[0])}
    else:
        from analytics.lake.lake import Lake  # noqa: PLC0415
        from analytics.measures.ask import ask  # noqa: PLC0415
        from analytics.measures.question import Question  # noqa: PLC0415

        with Lake(root) as lake:
            cells = sum(len(ask(lake, Question(*asked))) for asked in DASHBOARD)
        counts = {"cells": cells, "questions": len(DASHBOARD)}
    used = resource.getrusage(resource.RUSAGE_SELF)
    measured = {"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024}
    figures.write_text(json.dumps(measured | counts))


if __name__ == "__main__":
    main()
