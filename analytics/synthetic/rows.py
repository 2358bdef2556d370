"""From columns of indices and seconds to the declared frames, and back to nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pandas as pd

from analytics.frames import APPLICATIONS, EXPIRIES, LOTS, PROGRAMMES, RESIDENTS, SPENDING, TITLES, TOKYO, Frame
from analytics.synthetic.books import Booked, Lots
from analytics.synthetic.calendar import DAY_SECONDS, Ints
from analytics.synthetic.deeds import KINDS, MODES, NONE, PAY, Deeds
from analytics.synthetic.people import People, day_of
from analytics.synthetic.places import Places
from analytics.synthetic.plan import CityPlan

DRAW = "first-draw"
ONE_STRATUM = "all"


@dataclass
class Spent:
    """The frame of spending in small columns: some 30 bytes a row instead of 150."""

    deed: np.ndarray
    payment: np.ndarray
    kind: np.ndarray
    resident: np.ndarray
    store: np.ndarray
    purse: np.ndarray
    mode: np.ndarray
    at: np.ndarray
    paid: np.ndarray
    premium: np.ndarray
    emptied: np.ndarray

    def __len__(self) -> int:
        return len(self.deed)

    def take(self, rows: np.ndarray) -> "Spent":
        return Spent(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


_SMALL = {"deed": "i4", "kind": "i1", "resident": "i4", "store": "i4", "purse": "i1", "mode": "i1", "at": "i4"}


def spent_rows(plan: CityPlan, deeds: Deeds, booked: Booked, lots: Lots, whose: Ints, first_deed: int) -> Spent:
    """One row for each purse of each deed that moved anything; `whose` are the residents behind `deeds.resident`."""
    moved = booked.yen > 0
    number = first_deed + np.cumsum(moved) - 1
    payment = np.where(deeds.of == NONE, number, number[np.maximum(deeds.of, 0)])
    sign = np.where(deeds.kind == PAY, 1, -1)
    purse_of_slot = lots.purse[deeds.resident]
    parts = []
    for purse in range(len(plan.purses)):
        here = purse_of_slot == purse
        paid, premium = (booked.paid * here).sum(axis=1), (booked.premium * here).sum(axis=1)
        rows = np.flatnonzero(paid + premium > 0)
        parts.append(
            Spent(
                number[rows].astype(_SMALL["deed"]),
                payment[rows].astype(_SMALL["deed"]),
                deeds.kind[rows].astype(_SMALL["kind"]),
                whose[deeds.resident[rows]].astype(_SMALL["resident"]),
                deeds.store[rows].astype(_SMALL["store"]),
                np.full(len(rows), purse, dtype=_SMALL["purse"]),
                deeds.mode[rows].astype(_SMALL["mode"]),
                deeds.at[rows].astype(_SMALL["at"]),
                (sign[rows] * paid[rows]).astype("i4"),
                (sign[rows] * premium[rows]).astype("i4"),
                booked.emptied[rows],
            )
        )
    return concatenated(parts)


def concatenated(parts: Sequence[Spent]) -> Spent:
    return Spent(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(Spent)})


def spending_frame(plan: CityPlan, people: People, places: Places, spent: Spent) -> pd.DataFrame:
    """The frame of these rows, by time and deed."""
    spent = spent.take(np.lexsort((spent.purse, spent.deed, spent.at)))
    total = spent.paid.astype(np.int64) + spent.premium
    return SPENDING.conform(
        pd.DataFrame(
            {
                "deed": spent.deed.astype(np.int64),
                "payment": spent.payment.astype(np.int64),
                "kind": words(spent.kind, KINDS),
                "resident": people.number[spent.resident],
                "store": words(spent.store, places.codes),
                "programme": words(np.zeros(len(spent), dtype="i1"), [plan.programme]),
                "purse": words(spent.purse, [purse.code for purse in plan.purses]),
                "mode": words(spent.mode, MODES),
                "at": instants(people.origin, spent.at),
                "day": days(people.origin, spent.at // DAY_SECONDS),
                "amount_yen": total,
                "paid_yen": spent.paid.astype(np.int64),
                "premium_yen": spent.premium.astype(np.int64),
                "emptied": spent.emptied,
            }
        )
    )


def words(codes: np.ndarray, of: Sequence[str] | np.ndarray) -> "pd.Series[str]":
    """A column of text from places in a list."""
    return pd.Series(pd.array(np.asarray(of, dtype=object), dtype="str").take(np.asarray(codes, dtype=np.intp)))


def instants(origin: date, seconds: np.ndarray) -> pd.DatetimeIndex:
    """Seconds of the origin as aware instants in Asia/Tokyo."""
    naive = np.datetime64(origin, "us") + seconds.astype("timedelta64[s]").astype("timedelta64[us]")
    return pd.DatetimeIndex(naive).tz_localize(TOKYO)


def days(origin: date, numbers: np.ndarray) -> np.ndarray:
    """Days of the origin as civil dates."""
    return np.datetime64(origin, "us") + numbers.astype("timedelta64[D]").astype("timedelta64[us]")


def lots_frames(
    plan: CityPlan, people: People, lots: Lots, booked: Booked, who: Ints, first_lot: int, first_expiry: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The frames of lots and of what lapsed of them."""
    whose, slot = np.nonzero(lots.paid + lots.premium > 0)
    last = (day_of(plan, plan.use_to) + 1) * DAY_SECONDS
    common = {
        "lot": first_lot + np.arange(len(whose)),
        "resident": people.number[who[whose]],
        "programme": plan.programme,
        "purse": words(lots.purse[whose, slot], [purse.code for purse in plan.purses]),
    }
    issued = pd.DataFrame(
        common
        | {
            "origin": np.where(lots.paid[whose, slot] > 0, "purchase", "grant"),
            "at": instants(people.origin, lots.issued_at[whose, slot]),
            "day": days(people.origin, lots.issued_at[whose, slot] // DAY_SECONDS),
            "usable_from": instants(people.origin, lots.usable_from[whose, slot]),
            "expires_at": instants(people.origin, np.full(len(whose), last)),
            "paid_yen": lots.paid[whose, slot],
            "premium_yen": lots.premium[whose, slot],
        }
    )
    paid, premium = booked.left_paid[whose, slot], booked.left_premium[whose, slot]
    lapsed = pd.DataFrame(
        common
        | {
            "at": instants(people.origin, np.full(len(whose), last)),
            "day": days(people.origin, np.full(len(whose), last // DAY_SECONDS)),
            "paid_yen": paid,
            "premium_yen": premium,
        }
    )[paid + premium > 0].reset_index(drop=True)
    lapsed.insert(0, "expiry", first_expiry + np.arange(len(lapsed)))
    return typed(LOTS, issued), typed(EXPIRIES, lapsed)


def residents_frame(plan: CityPlan, people: People) -> pd.DataFrame:
    return typed(
        RESIDENTS,
        pd.DataFrame(
            {
                "resident": people.number,
                "age_band": words(people.age, [age.name for age in plan.ages]),
                "district": words(people.district, [district.name for district in plan.districts]),
                "joined_day": days(people.origin, people.joined),
            }
        ),
    )


def applications_frame(plan: CityPlan, people: People) -> pd.DataFrame:
    who = np.flatnonzero(people.applied > 0)
    return typed(
        APPLICATIONS,
        pd.DataFrame(
            {
                "draw": DRAW,
                "resident": people.number[who],
                "programme": plan.programme,
                "stratum": ONE_STRATUM,
                "units_applied": people.applied[who],
                "units_won": people.won[who],
                "drawn_day": np.datetime64(plan.drawn_day, "us"),
            }
        ),
    )


def programmes_frame(plan: CityPlan, people: People) -> pd.DataFrame:
    row = {
        "programme": plan.programme,
        "unit_price_yen": plan.unit_price_yen,
        "unit_points": plan.unit_points,
        "cap_yen": plan.unit_price_yen * plan.cap_units,
        "stock_units": plan.stock_units,
        "grant_budget_points": int(people.granted.sum()),
        "sale_from": pd.Timestamp(plan.sale_from),
        "use_from": pd.Timestamp(plan.use_from),
        "use_to": pd.Timestamp(plan.use_to),
    }
    return typed(PROGRAMMES, pd.DataFrame([row]))


def titles_frame(plan: CityPlan) -> pd.DataFrame:
    """What the programme and its purses are called, of those that are called anything."""
    titles = {"": plan.title} | {purse.code: purse.title for purse in plan.purses}
    rows = [(plan.programme, purse, title) for purse, title in titles.items() if title]
    return typed(TITLES, pd.DataFrame(rows, columns=TITLES.column_names))


def typed(frame: Frame, data: pd.DataFrame) -> pd.DataFrame:
    """The frame's columns in its types."""
    return frame.conform(data.astype({column.name: column.dtype.value for column in frame.columns}))
