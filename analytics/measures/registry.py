"""Every measure there is. A new one is a line here and its words in `locales/`; nothing else knows its name."""

from collections.abc import Mapping
from typing import Final

from analytics.measures.measure import Audience, How, Measure, MeasureUnknown, Unit

_TIMES: Final = ("day", "week", "month")
_WHO: Final = ("age_band", "home_district")
_WHERE: Final = ("store", "merchant", "category", "district", "store_class")
_POINTS: Final = ("programme", "purse")
_SPENDING: Final = (*_TIMES, "hour", "weekday", *_POINTS, "mode", *_WHERE, *_WHO)
_LOTS: Final = (*_TIMES, *_POINTS, "origin", *_WHO)
_CITY: Final = (Audience.CITY, Audience.PUBLIC)
_OVER_STORES: Final = tuple(name for name in _SPENDING if name != "store")


def _spending() -> tuple[Measure, ...]:
    return (
        Measure("sales", Unit.YEN, "sales", How.SUM, (*_SPENDING, "kind")),
        Measure("premium_spent", Unit.YEN, "premium", How.SUM, _SPENDING),
        Measure("payments", Unit.COUNT, "visits", How.COUNTED, _SPENDING),
        Measure("average_payment", Unit.AVERAGE_YEN, "counted_sales", How.AVERAGE, _SPENDING),
        Measure("returned", Unit.YEN, "returned", How.SUM, _SPENDING),
        Measure("returned_share", Unit.SHARE, "returned", How.SHARE, _SPENDING),
        Measure("active_residents", Unit.COUNT, "visits", How.RESIDENTS, _SPENDING),
        Measure("active_stores", Unit.COUNT, "visits", How.STORES, _OVER_STORES, audience=_CITY),
        Measure("repeat_share", Unit.SHARE, "visits", How.REPEATED, _SPENDING),
        Measure("new_customers", Unit.COUNT, "first_visits", How.SUM, _SPENDING),
        Measure("store_gini", Unit.SHARE, "sales", How.GINI, _OVER_STORES, audience=_CITY),
        Measure("top_tenth_share", Unit.SHARE, "sales", How.TOP_TENTH, _OVER_STORES, audience=_CITY),
    )


def _circulation() -> tuple[Measure, ...]:
    stock = (*_TIMES, *_POINTS, *_WHO)
    return (
        Measure("issued", Unit.YEN, "issued", How.SUM, _LOTS, audience=_CITY),
        Measure("sold", Unit.YEN, "sold", How.SUM, _LOTS, audience=_CITY),
        Measure("buyers", Unit.COUNT, "sold", How.RESIDENTS, _LOTS, audience=_CITY),
        Measure("expired", Unit.YEN, "expired", How.SUM, stock, audience=_CITY),
        Measure("expired_paid", Unit.YEN, "lapsed_paid", How.SUM, stock, audience=_CITY),
        Measure("premium_released", Unit.YEN, "released", How.SUM, stock, audience=_CITY),
        Measure("remaining", Unit.YEN, "remaining", How.STOCK, stock, audience=_CITY),
        Measure("remaining_share", Unit.SHARE, "remaining", How.STOCK_SHARE, stock, audience=_CITY),
        Measure("redeemed_share", Unit.SHARE, "redeemed", How.STOCK_SHARE, stock, audience=_CITY),
    )


def _selling() -> tuple[Measure, ...]:
    drawn = ("programme", "draw", "stratum", *_WHO)
    shown = ("coupon", *_TIMES, *_WHERE, *_WHO)
    return (
        Measure("applicants", Unit.COUNT, "applied", How.RESIDENTS, drawn, audience=_CITY),
        Measure("units_applied", Unit.COUNT, "asked_for", How.SUM, drawn, audience=_CITY),
        Measure("units_won", Unit.COUNT, "applied", How.SUM, drawn, audience=_CITY),
        Measure("won_share", Unit.SHARE, "applied", How.SHARE, drawn, audience=_CITY),
        Measure("coupons_shown", Unit.COUNT, "coupons_shown", How.SUM, shown),
        Measure("coupons_used", Unit.COUNT, "coupons", How.SUM, shown),
        Measure("coupon_use_share", Unit.SHARE, "coupons", How.SHARE, shown),
    )


MEASURES: Final[Mapping[str, Measure]] = {
    measure.name: measure for measure in (*_spending(), *_circulation(), *_selling())
}


def measure_named(name: str) -> Measure:
    """The measure of this name. Raises MeasureUnknown."""
    if name not in MEASURES:
        raise MeasureUnknown(measure=name[:60])
    return MEASURES[name]
