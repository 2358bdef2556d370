"""`python -m infra.benchmarks.insight_child refresh|scan|dashboard LAKE`: one cold process of analytics, measured.

It prints what it did, and what it used, as JSON. Each work loads what it needs, as the commands do.
The views' address comes in TANABATA_INSIGHT_URI.
"""

import json
import os
import resource
import sys
from datetime import date
from pathlib import Path

from analytics.measures.question import Question
from infra.database.give_way import NICENESS, give_way

DASHBOARD = (
    Question("sales", ("day",)),
    Question("payments", ("day",)),
    Question("sales", ("weekday", "hour")),
    Question("sales", ("category", "store_class")),
    Question("sales", ("home_district", "district")),
    Question("sales", ("age_band",)),
    Question("average_payment", ("store_class",)),
    Question("active_residents", ("week",)),
    Question("active_stores", ("week",)),
    Question("repeat_share", ("store",)),
    Question("new_customers", ("store",)),
    Question("store_gini"),
    Question("top_tenth_share"),
    Question("issued", ("purse", "month")),
    Question("remaining", ("purse", "day")),
    Question("redeemed_share", ("day",)),
    Question("premium_spent", ("month",)),
)
"""The figures of a whole dashboard: circulation, time, place, people, concentration."""


def main() -> None:
    work, root = sys.argv[1], Path(sys.argv[2])
    if work == "refresh":
        from analytics.lake.refresh import refresh  # noqa: PLC0415

        os.nice(NICENESS)  # as the command does
        end = date.fromisoformat(sys.argv[3])
        uri = os.environ["TANABATA_INSIGHT_URI"]
        done = refresh(root, uri, end=end, connections=int(sys.argv[4]), opened=give_way)
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

        with Lake(root) as lake:
            counts = {"cells": sum(len(ask(lake, question)) for question in DASHBOARD), "questions": len(DASHBOARD)}
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"cpu_s": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1024, **counts}))


if __name__ == "__main__":
    main()
