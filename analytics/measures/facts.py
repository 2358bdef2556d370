"""The rows that measures are made of, one shape for all: what a row adds, and of whom, where and when.

A fact is an Ibis table with the columns of its frame that dimensions are read from, and always `resident`,
`store` (null where there is none), `day`, `plus` and `over` (whole numbers), and `counted` (null for a row that
is not counted: a payment that was cancelled, the return of one; and everywhere in a fact of which nothing is
counted, since finding out what was cancelled costs another pass over all payments).
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import ibis

Tables = Callable[[str], Any]
"""A frame's name to its Ibis table."""


def _sales(tables: Tables) -> Any:
    spending = tables("spending")
    return _with(spending, plus=spending["amount_yen"], counted=_NOTHING)


def _counted_sales(tables: Tables) -> Any:
    """Sales, and the payment's number on rows of payments that were not cancelled."""
    spending = tables("spending")
    counts = (spending["kind"] == "payment") & spending["payment"].notin(_cancelled(tables)["payment"])
    return _with(spending, plus=spending["amount_yen"], counted=counts.ifelse(spending["payment"], _NOTHING))


def _premium(tables: Tables) -> Any:
    spending = tables("spending")
    return _with(spending, plus=spending["premium_yen"], counted=_NOTHING)


def _cancelled(tables: Tables) -> Any:
    everything = tables("spending")
    return everything.filter(everything["kind"] == "cancel").select("payment")


def _returned(tables: Tables) -> Any:
    """What was cancelled or refunded, as positive yen, over what was paid."""
    spending = tables("spending")
    paid = spending["kind"] == "payment"
    return _with(
        spending,
        plus=paid.ifelse(0, -spending["amount_yen"]),
        over=paid.ifelse(spending["amount_yen"], 0),
        counted=paid.ifelse(ibis.null("int64"), spending["deed"]),
    )


def _visits(tables: Tables) -> Any:
    """Payments that were not cancelled; `plus` is what each took."""
    spending = tables("spending")
    kept = spending.filter(spending["kind"] == "payment").anti_join(_cancelled(tables), "payment")
    return _with(kept, plus=kept["amount_yen"], counted=kept["payment"])


def _first_visits(tables: Tables) -> Any:
    """The first payment that a resident made at a store and did not cancel, in all the time that the lake knows."""
    visits = _visits(tables)
    order = ibis.window(group_by=["resident", "store"], order_by=["at", "deed", "purse", "programme"])
    numbered = visits.mutate(turn=ibis.row_number().over(order))
    first = numbered.filter(numbered["turn"] == 0).drop("turn")
    return first.mutate(plus=ibis.literal(1, "int64"))


def _first_times(tables: Tables) -> Any:
    """When each of `_first_visits` was, and nothing of how it was paid: no order of ten million rows is needed."""
    visits = _visits(tables)
    first = visits.group_by(["resident", "store"]).aggregate(at=visits["at"].min(), day=visits["day"].min())
    return _with(first, plus=ibis.literal(1, "int64"), counted=_NOTHING)


def _issued(tables: Tables) -> Any:
    lots = tables("lots")
    return _with(lots, plus=lots["paid_yen"] + lots["premium_yen"], counted=lots["lot"], store=_NO_STORE)


def _sold(tables: Tables) -> Any:
    lots = _issued(tables)
    bought = lots.filter(lots["origin"] == "purchase")
    return bought.mutate(plus=bought["paid_yen"])


def _expired(tables: Tables) -> Any:
    gone = tables("expiries")
    return _with(gone, plus=gone["paid_yen"] + gone["premium_yen"], counted=gone["expiry"], store=_NO_STORE)


def _released(tables: Tables) -> Any:
    gone = _expired(tables)
    return gone.mutate(plus=gone["premium_yen"])


def _lapsed_paid(tables: Tables) -> Any:
    gone = _expired(tables)
    return gone.mutate(plus=gone["paid_yen"])


def _remaining(tables: Tables) -> Any:
    """Issued less spent less expired: `plus` is what remains, `over` what was issued."""
    issued, spent, expired = _issued(tables), _sales(tables), _expired(tables)
    parts = (
        _flow(issued, issued["plus"], issued["plus"]),
        _flow(spent, -spent["plus"]),
        _flow(expired, -expired["plus"]),
    )
    return ibis.union(*parts, distinct=False)


def _redeemed(tables: Tables) -> Any:
    """`plus` is what was spent, `over` what was issued."""
    issued, spent = _issued(tables), _sales(tables)
    return ibis.union(_flow(issued, 0, issued["plus"]), _flow(spent, spent["plus"]), distinct=False)


def _flow(table: Any, plus: Any, over: Any = 0) -> Any:
    kept = [table[name] for name in ("resident", "programme", "purse", "day")]
    return table.select(
        *kept,
        store=_NO_STORE,
        plus=ibis.literal(plus, "int64") if isinstance(plus, int) else plus,
        over=ibis.literal(over, "int64") if isinstance(over, int) else over,
        counted=ibis.null("int64"),
    )


def _applied(tables: Tables) -> Any:
    asked = tables("applications")
    return _with(
        asked,
        plus=asked["units_won"],
        over=asked["units_applied"],
        counted=asked["resident"],
        store=_NO_STORE,
        day=asked["drawn_day"],
    )


def _asked_for(tables: Tables) -> Any:
    asked = _applied(tables)
    return asked.mutate(plus=asked["over"])


def _coupons(tables: Tables) -> Any:
    """`plus` is 1 for a coupon that was used, `over` 1 for every one that was shown."""
    shown = tables("coupons")
    return _with(
        shown,
        plus=shown["used_day"].notnull().cast("int64"),
        over=ibis.literal(1, "int64"),
        counted=ibis.null("int64"),
        day=shown["shown_day"],
    )


def _coupons_shown(tables: Tables) -> Any:
    shown = _coupons(tables)
    return shown.mutate(plus=shown["over"])


def _with(table: Any, **columns: Any) -> Any:
    return table.mutate(**{"over": ibis.literal(0, "int64"), **columns})


_NO_STORE: Final = ibis.null("string")
_NOTHING: Final = ibis.null("int64")
_OF_PAYMENT: Final = frozenset({"programme", "purse", "mode", "kind"})
"""Dimensions that two rows with one instant may differ in."""

FACTS: Final[Mapping[str, Callable[[Tables], Any]]] = {
    "sales": _sales,
    "counted_sales": _counted_sales,
    "premium": _premium,
    "returned": _returned,
    "visits": _visits,
    "first_visits": _first_visits,
    "issued": _issued,
    "sold": _sold,
    "expired": _expired,
    "released": _released,
    "lapsed_paid": _lapsed_paid,
    "remaining": _remaining,
    "redeemed": _redeemed,
    "applied": _applied,
    "asked_for": _asked_for,
    "coupons": _coupons,
    "coupons_shown": _coupons_shown,
}
"""Every fact by its name; each takes the frames' tables and gives its own."""


def fact_of(name: str, tables: Tables, named: Collection[str]) -> Any:
    """The fact of this name for a question that names these dimensions: the lightest that has all of them."""
    if name == "first_visits" and _OF_PAYMENT.isdisjoint(named):
        return _first_times(tables)
    return FACTS[name](tables)
