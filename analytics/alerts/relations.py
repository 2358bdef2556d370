"""Who stands near to a store, and who pays by the same means: frames that the lake need not have.

They come from the register of merchants and from sign-ins, not from payments, and hold pseudonyms only. The
platform's own are views (`near_frames` reads them); without them the rules that read them find nothing.
"""

from typing import Final

import pandas as pd

from analytics.frames import Column, Dtype, Frame
from analytics.lake.views import open_views

RELATIONS: Final = Frame(
    "relations",
    "a resident who stands near to a store",
    (
        Column("resident", Dtype.INTEGER, "who: a pseudonym of the lake"),
        Column("store", Dtype.TEXT, "the store's public code"),
        Column(
            "relation",
            Dtype.TEXT,
            "owner, staff, of the owner's household, or with a device or bank account of the store",
            allowed=("owner", "staff", "household", "device", "bank_account"),
        ),
    ),
    ("resident", "store", "relation"),
)

MEANS: Final = Frame(
    "means",
    "a card, device or bank account that a resident's account uses",
    (
        Column("resident", Dtype.INTEGER, "who: a pseudonym of the lake"),
        Column("kind", Dtype.TEXT, "what it is", allowed=("card", "device", "bank_account")),
        Column("means", Dtype.INTEGER, "which one: a pseudonym"),
    ),
    ("resident", "kind", "means"),
)


def near_frames(uri: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """RELATIONS and MEANS as the views behind `uri` (libpq's) tell them now."""
    with open_views(uri) as views:
        told = [(frame, views.rows(frame.name).to_pandas()) for frame in (RELATIONS, MEANS)]
    typed = [
        frame.conform(rows.astype({each.name: each.dtype.value for each in frame.columns})) for frame, rows in told
    ]
    return typed[0], typed[1]
