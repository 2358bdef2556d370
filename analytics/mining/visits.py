"""A visit: a payment that was not wholly taken back, with what its cancels and refunds left of it.

Law: a cancel or refund belongs to the payment that it names, whenever it happened. What takes back a payment
that is not in the frame is no visit and lessens none; a payment taken back whole never was one.
"""

from typing import Final

import pandas as pd

from analytics.frames import RESIDENTS, SPENDING, STORES, UNKNOWN, Column, Dtype, Frame
from analytics.mining.engine import query, shaped

VISITS: Final = Frame(
    "visits",
    "a payment, all purses together, of which something is left",
    (
        Column("payment", Dtype.INTEGER, "the payment"),
        Column("resident", Dtype.INTEGER, "who paid"),
        Column("store", Dtype.TEXT, "the store's public code"),
        Column("at", Dtype.INSTANT, "when it was paid"),
        Column("day", Dtype.DAY, "civil date in Asia/Tokyo of `at`"),
        Column("gross_yen", Dtype.INTEGER, "what was paid, yen"),
        Column("net_yen", Dtype.INTEGER, "what was not taken back of it, yen; above zero"),
        Column("emptied", Dtype.TRUTH, "it left nothing in the wallet"),
    ),
    ("payment",),
)

_VISITS: Final = """
select payment,
       min(resident) filter (where kind = 'payment') as resident,
       min(store) filter (where kind = 'payment') as store,
       min("at") filter (where kind = 'payment') as "at",
       min(day) filter (where kind = 'payment') as day,
       (sum(amount_yen) filter (where kind = 'payment'))::bigint as gross_yen,
       sum(amount_yen)::bigint as net_yen,
       bool_or(emptied) filter (where kind = 'payment') as emptied
from spending
group by payment
having count(*) filter (where kind = 'payment') > 0 and sum(amount_yen) > 0
"""

_NEEDED: Final = ["payment", "kind", "resident", "store", "at", "day", "amount_yen", "emptied"]

PLACED: Final = Frame(
    "placed_visits",
    "a visit with what its store was on that day and where its payer lives",
    (
        *VISITS.columns,
        Column("home", Dtype.TEXT, f"the payer's district; {UNKNOWN} without a row in `residents`"),
        Column("district", Dtype.TEXT, f"the store's district on that day; {UNKNOWN} without a row for it"),
        Column("category", Dtype.TEXT, f"the store's category on that day; {UNKNOWN} without a row for it"),
        Column("store_class", Dtype.TEXT, f"the store's class on that day; {UNKNOWN} without a row for it"),
    ),
    ("payment",),
)

# The latest row that began on or before the day decides, if it was still so.
_PLACED: Final = """
select v.*,
       coalesce(r.district, ?) as home,
       case when v.day < coalesce(s.to_day, timestamp '9999-12-31') then s.district else ? end as district,
       case when v.day < coalesce(s.to_day, timestamp '9999-12-31') then s.category else ? end as category,
       case when v.day < coalesce(s.to_day, timestamp '9999-12-31') then s.store_class else ? end as store_class
from visits v
asof left join stores s on v.store = s.store and v.day >= s.from_day
left join residents r on r.resident = v.resident
"""


def visits(spending: pd.DataFrame) -> pd.DataFrame:
    """The visits (VISITS) of a frame of spending, by payment.

    Raises FrameUnfit when `spending` is no frame of spending.
    """
    return shaped(VISITS, query(_VISITS, spending=SPENDING.sound(spending)[_NEEDED]))


def placed_visits(spending: pd.DataFrame, residents: pd.DataFrame, stores: pd.DataFrame) -> pd.DataFrame:
    """The visits (PLACED) with district, category and class of the store as they were on the day of the visit.

    A store that moved is where it stood then. What the other two frames do not know is `unknown`.
    """
    found = query(
        _PLACED,
        *[UNKNOWN] * 4,
        visits=visits(spending),
        stores=STORES.sound(stores)[["store", "from_day", "to_day", "district", "category", "store_class"]],
        residents=RESIDENTS.sound(residents)[["resident", "district"]],
    )
    text = ["district", "category", "store_class"]
    return shaped(PLACED, found.assign(**{name: found[name].fillna(UNKNOWN) for name in text}))
