"""What a rule hands over: alerts, whom each is about, and the payments it rests on.

Law: the same data give the same alerts under the same keys. A key is made of the rule and of what the rule
looks at, a store, a person or both, so that tomorrow's run finds today's alert again and does not raise a
second one.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import pandas as pd

from analytics.frames import Column, Dtype, Frame
from analytics.mining.engine import shaped

RULES: Final = (
    "top_payers",
    "whole_balance",
    "related_payer",
    "new_account_ring",
    "half_captive_ring",
    "shared_means",
    "night",
    "velocity",
    "split_payment",
    "refund_loop",
    "half_refunds",
    "refund_ring",
)

ALERTS: Final = Frame(
    "alerts",
    "a rule that spoke about a subject",
    (
        Column("alert", Dtype.TEXT, "key: 16 hexadecimal digits, the same for the same rule and subject"),
        Column("rule", Dtype.TEXT, "which rule; its reason is locales `alert.<rule>`", allowed=RULES),
        Column("subject", Dtype.TEXT, "whom the case is about: `store:CODE` or `resident:NUMBER`"),
        Column("score", Dtype.REAL, "0 to 1; comparable between rules, no probability"),
        Column("parameters", Dtype.TEXT, "what the reason's words need, JSON with sorted names"),
    ),
    ("alert",),
)

SUBJECTS: Final = Frame(
    "alert_subjects",
    "a resident whom an alert is about",
    (
        Column("alert", Dtype.TEXT, "key"),
        Column("resident", Dtype.INTEGER, "a pseudonym of the lake"),
        Column("store", Dtype.TEXT, "the store where, empty if the rule looks at no single one"),
    ),
    ("alert", "resident"),
)

EVIDENCE: Final = Frame(
    "alert_evidence",
    "a payment that an alert rests on",
    (
        Column("alert", Dtype.TEXT, "key"),
        Column("payment", Dtype.INTEGER, "the payment"),
    ),
    ("alert", "payment"),
)


@dataclass(frozen=True)
class Alert:
    """One alert before it is written into frames. `store` is empty where the rule looks at no single one."""

    rule: str
    store: str
    residents: tuple[int, ...]
    payments: tuple[int, ...]
    score: float
    parameters: Mapping[str, int | float | str]
    person: int | None = None
    """The resident that the rule looks at, where it looks at one."""
    aspect: str = ""
    """What else sets this alert apart from others of the rule about the same store and person."""

    @property
    def subject(self) -> str:
        return f"store:{self.store}" if self.store else f"resident:{self.person}"

    @property
    def key(self) -> str:
        told = f"{self.rule}|{self.store}|{'' if self.person is None else self.person}|{self.aspect}"
        return sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Findings:
    """Frames as ALERTS, SUBJECTS and EVIDENCE declare them."""

    alerts: pd.DataFrame
    subjects: pd.DataFrame
    evidence: pd.DataFrame


def findings_of(alerts: Iterable[Alert]) -> Findings:
    """The alerts as frames, each sorted by its key."""
    listed = list(alerts)
    return Findings(
        _table(
            ALERTS,
            [
                (a.key, a.rule, a.subject, a.score, json.dumps(dict(a.parameters), sort_keys=True, ensure_ascii=False))
                for a in listed
            ],
        ),
        _table(SUBJECTS, [(a.key, who, a.store) for a in listed for who in sorted(set(a.residents))]),
        _table(EVIDENCE, [(a.key, payment) for a in listed for payment in sorted(set(a.payments))]),
    )


def _table(frame: Frame, rows: list[tuple[str | int | float, ...]]) -> pd.DataFrame:
    return shaped(frame, pd.DataFrame(rows, columns=frame.column_names)) if rows else frame.empty()
