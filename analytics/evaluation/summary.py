"""What this programme did, on one page: never one number.

Redeemed, extra as households told it, the causal estimate with its interval, and the cost for a yen of it stand
beside each other, with the bounds of substitution, small and large stores apart, and whether spending was followed
long enough. What is not known is a row as well, with the reason. docs/algorithms/evaluation.md, "One page".
"""

import math
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from analytics.evaluation.bounds import substitution_bounds
from analytics.evaluation.estimates import NotEstimable, conform_unique
from analytics.evaluation.joined import BEFORE, SINCE
from analytics.evaluation.lottery import lottery_effect
from analytics.evaluation.staggered import staggered
from analytics.evaluation.survey import survey_effect
from analytics.frames import APPLICATIONS, LOTS, OUTCOMES, PROGRAMMES, SPENDING, STORES, UNKNOWN

WHAT: Final = "what_it_did"
FOLLOWED_MONTHS: Final = 4
"""Purchases were seen to be moved forward by so long (China 2023-2025)."""
HIRATSUKA_SHARE: Final = 54 / 1_500
PAPER_SHARE: Final = 148 / 800
"""Administration in parts of issue at Hiratsuka, million yen: electronic 54 of 1,500, paper 148 of 800."""
STAGGERED: Final = "staggered_extra"
WEEKS_SHOWN: Final = 13
"""Weeks since joining that have a line of their own; the average counts all."""
WEEK: Final = pd.Timedelta(days=7)
DOUBTFUL: Final = 0.05
"""Below this p-value those who joined are said to have moved otherwise before they did."""
COLUMNS: Final = ["item", "store_class", "value", "low", "high", "unit", "basis", "state", "reason"]


@dataclass(frozen=True)
class Evidence:
    """What a city has to judge a programme by; the declared frames, empty where it has none.

    survey: answers as `survey_effect` reads them, None if nobody was asked; invited: households asked.
    administration_yen: what the programme cost besides its premium, None if not known. joined: who joined when and
    what they sold, as `analytics.evaluation.joined` reads it, None if nobody told.
    """

    spending: pd.DataFrame
    lots: pd.DataFrame
    programmes: pd.DataFrame
    stores: pd.DataFrame = field(default_factory=STORES.empty)
    applications: pd.DataFrame = field(default_factory=APPLICATIONS.empty)
    outcomes: pd.DataFrame = field(default_factory=OUTCOMES.empty)
    survey: pd.DataFrame | None = None
    invited: int | None = None
    administration_yen: int | None = None
    joined: pd.DataFrame | None = None


def what_it_did(evidence: Evidence, programme: str) -> pd.DataFrame:
    """The page as rows: `item, store_class, value, low, high, unit, basis, state, reason`.

    store_class is `all`, `small`, `large` or `unknown`; low and high the 95 % interval or the bounds; basis names the
    method or source; state is `known`, `not_given` (`reason` says what the city gave no data of), `not_estimable`
    (they do not answer; `reason` says why), `met` or `not_met`, `alike` or `not_alike`. Items: `issued`, `redeemed`,
    `premium_redeemed`, `surveyed_extra`,
    `causal_extra` (per source of outcomes; ITT per winner, and `causal_extra_total` from the effect per unit),
    `staggered_extra` (of a unit and week, where units joined one after the other), `staggered_extra_before_<weeks>`
    and `staggered_extra_since_<weeks>`, `staggered_alike` (p-value of no difference before joining),
    `staggered_left_out` and `staggered_untold` (weeks of units, which nothing untouched tells of, or nobody told),
    `cost_per_extra_yen`, `administration_share` beside `administration_share_hiratsuka` and
    `administration_share_paper`, `bound_…`, `followed_months`. Raises FrameUnfit, also for a row that is there twice,
    or NotEstimable for a programme that is not in `programmes`.
    """
    terms = conform_unique(PROGRAMMES, evidence.programmes)
    own = terms[terms["programme"] == programme]
    if own.empty:
        raise NotEstimable(what=WHAT, reason="no_such_programme")
    term: Any = own.iloc[0]
    spent = SPENDING.sound(evidence.spending)
    spent = spent[spent["programme"] == programme]
    lots = LOTS.sound(evidence.lots)
    lots = lots[lots["programme"] == programme]
    issued = int((lots["paid_yen"] + lots["premium_yen"]).sum())
    rows = [_row("issued", value=issued, basis="lots"), *_redeemed(spent, evidence.stores)]
    rows += _surveyed(evidence, term, int(spent["amount_yen"].sum()))
    causal, total = _causal(evidence, lots, programme, own)
    rows += causal
    rows += _staggered(evidence.joined, drawn=bool((evidence.applications["programme"] == programme).any()))
    rows += _cost(evidence, total, int(spent["premium_yen"].sum()))
    rows += _administration(evidence.administration_yen, issued)
    outcomes = conform_unique(OUTCOMES, evidence.outcomes)
    for bound in substitution_bounds(spent, outcomes if len(outcomes) else None).to_dict(orient="records"):
        low, high = float(bound["low_yen"]), float(bound["high_yen"])
        rows.append(_row(f"bound_{bound['assumption']}", low=low, high=high, basis="bounds"))
    rows.append(_followed(outcomes, term.use_to))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(item: str, store_class: str = "all", **said: Any) -> dict[str, Any]:
    empty = {"value": math.nan, "low": math.nan, "high": math.nan, "unit": "yen", "basis": "", "state": "known"}
    return {"item": item, "store_class": store_class, **empty, "reason": "", **said}


def _values(found: Any) -> dict[str, Any]:
    return {"value": float(found["estimate"]), "low": float(found["low"]), "high": float(found["high"])}


def _scaled(values: dict[str, Any], factor: float) -> dict[str, Any]:
    return {name: value * factor for name, value in values.items()}


def _redeemed(spent: pd.DataFrame, stores: pd.DataFrame) -> list[dict[str, Any]]:
    spent = spent.reset_index(drop=True)  # rows are told apart by their label below
    classes = _class_of(spent, STORES.sound(stores))
    rows = []
    for item, column in (("redeemed", "amount_yen"), ("premium_redeemed", "premium_yen")):
        rows.append(_row(item, value=int(spent[column].sum()), basis="spending"))
        by_class = spent[column].groupby(classes).sum()
        rows += [
            _row(item, store_class, value=int(by_class.get(store_class, 0)), basis="spending")
            for store_class in ("small", "large", UNKNOWN)
            if store_class != UNKNOWN or store_class in by_class.index
        ]
    return rows


def _class_of(spent: pd.DataFrame, stores: pd.DataFrame) -> "pd.Series[str]":
    """The class that each deed's store had on its day; unknown for a store that is not in the frame then.

    The latest row that began decides, as in mining, whatever the order of rows.
    """
    at = spent.reset_index(names="row")[["row", "store", "day"]].merge(stores, on="store")
    at = at[at["from_day"] <= at["day"]].sort_values("from_day").drop_duplicates("row", keep="last")
    found = at[at["to_day"].isna() | (at["day"] < at["to_day"])].set_index("row")["store_class"]
    return found.reindex(spent.index).fillna(UNKNOWN)


def _surveyed(evidence: Evidence, term: Any, redeemed: int) -> list[dict[str, Any]]:
    if evidence.survey is None:
        unasked = {"state": "not_given", "reason": "no_survey"}
        return [_row("surveyed_extra", **unasked), _row("surveyed_extra_per_redeemed", **unasked)]
    try:
        found = survey_effect(evidence.survey, invited=evidence.invited)
    except NotEstimable as refusal:
        reason = str(refusal.params["reason"])
        return [_row("surveyed_extra", state="not_estimable", reason=reason)]
    ratio: Any = found.set_index("estimand").loc["extra_per_redeemed"]
    basis = f"survey of {ratio['households']} households"
    values: dict[str, Any] = {
        name: float(ratio[place]) for name, place in (("value", "estimate"), ("low", "low"), ("high", "high"))
    }
    rows = [
        _row("surveyed_extra", basis=basis, **_scaled(values, redeemed)),
        _row("surveyed_extra_per_redeemed", basis=basis, unit="share", **values),
    ]
    response = float(ratio["response"])
    known = "not_given" if math.isnan(response) else "known"
    return [*rows, _row("survey_response", value=response, unit="share", basis=basis, state=known)]


def _causal(
    evidence: Evidence, lots: pd.DataFrame, programme: str, terms: pd.DataFrame
) -> tuple[list[dict[str, Any]], tuple[float, float] | None]:
    """The rows, and the interval of all extra consumption (units bought x effect of a unit) where there is one."""
    applied = conform_unique(APPLICATIONS, evidence.applications)
    applied = applied[applied["programme"] == programme]
    if applied.empty or evidence.outcomes.empty:
        lacking = {"state": "not_given", "reason": "no_draw" if applied.empty else "no_outcomes"}
        return [_row("causal_extra", **lacking), _row("causal_extra_total", **lacking)], None
    try:
        found = lottery_effect(applied, evidence.outcomes, lots=lots, programmes=terms)
    except NotEstimable as refusal:
        reason = str(refusal.params["reason"])
        return [_row("causal_extra", state="not_estimable", reason=reason)], None
    units = float(lots.loc[lots["origin"] == "purchase", "paid_yen"].sum()) / float(terms["unit_price_yen"].iloc[0])
    rows, totals = [], []
    for line in found.to_dict(orient="records"):
        basis = f"lottery, outcomes from {line['source']}, {line['residents']} people, {line['weeks']} weeks"
        values: dict[str, Any] = {
            name: float(line[place]) for name, place in (("value", "estimate"), ("low", "low"), ("high", "high"))
        }
        state = "not_estimable" if line["reason"] else "known"
        if line["estimand"] == "itt":
            rows.append(_row("causal_extra", unit="yen per winner", basis=basis, **values))
            continue
        said = {"basis": basis, "state": state, "reason": str(line["reason"])}
        rows.append(_row("causal_extra_per_unit", unit="yen per unit", **said, **values))
        whole = _scaled(values, units)
        rows.append(_row("causal_extra_total", **said, **whole))
        if state == "known":
            totals.append((whole["low"], whole["high"], whole["value"]))
    return rows, (totals[0][0], totals[0][1]) if len(totals) == 1 else None


def _staggered(joined: pd.DataFrame | None, *, drawn: bool) -> list[dict[str, Any]]:
    """What units that joined sold besides, a week, and week by week before and since; what speaks against it, and what
    was left out. No line where a draw tells it better."""
    if joined is None:
        return [] if drawn else [_row(STAGGERED, state="not_given", reason="no_joined")]
    columns = {"unit": "unit", "time": "week", "outcome": "sales_yen", "joined": "joined_week", "cluster": "district"}
    try:
        found = staggered(joined, **columns, every=WEEK, by_time=True)
    except NotEstimable as refusal:
        return [_row(STAGGERED, state="not_estimable", reason=str(refusal.params["reason"]))]
    whole = found.iloc[0]
    basis = f"staggered, {whole['joined']} of {whole['units']}"
    said = {"unit": "yen per unit and week", "basis": basis}
    alike = _alike_before(float(whole["pretrend_p"]), basis)
    doubt = "moved_before" if alike["state"] == "not_alike" else ""
    rows = [_row(STAGGERED, reason=doubt, **said, **_values(whole))]
    by_week = found[found["estimand"] != "att"].sort_values("since")
    for line in by_week[by_week["since"] < WEEKS_SHOWN].to_dict(orient="records"):
        away = f"{SINCE}{line['since']}" if line["since"] >= 0 else f"{BEFORE}{-line['since']}"
        rows.append(_row(f"{STAGGERED}{away}", **said, **_values(line)))
    weeks = (joined["week"].max() - joined["week"].min()) // WEEK + 1
    untold = int(joined["unit"].nunique()) * int(weeks) - len(joined)
    counts = {"staggered_left_out": int(whole["dropped_rows"]), "staggered_untold": untold}
    rows.append(alike)
    return rows + [_row(item, value=count, unit="weeks", basis=basis) for item, count in counts.items()]


def _alike_before(p: float, basis: str) -> dict[str, Any]:
    """Whether those who joined moved like the others before: the p-value of all weeks before at once, and its word."""
    if math.isnan(p):
        return _row("staggered_alike", unit="p", basis=basis, state="not_estimable", reason="no_week_before_joining")
    return _row("staggered_alike", value=p, unit="p", basis=basis, state="alike" if p >= DOUBTFUL else "not_alike")


def _cost(evidence: Evidence, total: tuple[float, float] | None, premium: int) -> list[dict[str, Any]]:
    """Public money for a yen of extra consumption: from the causal interval, best end to worst; without limit where
    the effect may be nothing. No single value: a ratio to an uncertain number has none that is honest."""
    if evidence.administration_yen is None or total is None:
        state = "not_given" if evidence.administration_yen is None else "not_estimable"
        reason = "no_administration" if state == "not_given" else "no_causal_estimate"
        return [_row("cost_per_extra_yen", unit="yen per yen", state=state, reason=reason)]
    cost = premium + evidence.administration_yen
    low, high = total
    best = cost / high if high > 0 else math.inf
    worst = cost / low if low > 0 else math.inf
    basis = "premium redeemed and administration, over the causal interval"
    return [_row("cost_per_extra_yen", low=best, high=worst, unit="yen per yen", basis=basis)]


def _administration(administration_yen: int | None, issued: int) -> list[dict[str, Any]]:
    rows = [
        _row("administration_share_hiratsuka", value=HIRATSUKA_SHARE, unit="share", basis="Hiratsuka, electronic"),
        _row("administration_share_paper", value=PAPER_SHARE, unit="share", basis="Hiratsuka, paper"),
    ]
    if administration_yen is None:
        return [_row("administration_share", unit="share", state="not_given", reason="no_administration"), *rows]
    if issued <= 0:
        return [_row("administration_share", unit="share", state="not_estimable", reason="nothing_issued"), *rows]
    share = administration_yen / issued
    return [_row("administration_share", value=share, unit="share", basis="administration over issue"), *rows]


def _followed(outcomes: pd.DataFrame, use_to: pd.Timestamp) -> dict[str, Any]:
    """Whether what people spend was seen for four months after the end: earlier, nobody knows what was brought
    forward."""
    if outcomes.empty:
        return _row("followed_months", unit="months", state="not_given", reason="no_outcomes")
    until = outcomes["week"].max() + pd.Timedelta(days=6)
    months = 0
    while use_to + pd.DateOffset(months=months + 1) <= until and months < 120:
        months += 1
    met = "met" if use_to + pd.DateOffset(months=FOLLOWED_MONTHS) <= until else "not_met"
    return _row("followed_months", value=months, unit="months", basis="outcomes", state=met)
