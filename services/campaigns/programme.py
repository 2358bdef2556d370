"""A programme and its versions: published terms never change, a correction is a new version."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from services.campaigns.terms import Phase, Terms, phase
from services.kit.errors import Kind, Refusal


class ProgrammeUnknown(Refusal):
    code = "programme_unknown"
    kind = Kind.MISSING


class ProgrammeCodeTaken(Refusal):
    code = "programme_code_taken"
    kind = Kind.CONFLICT


class ProgrammeCodeInvalid(Refusal):
    """A programme's code is 3 to 40 lower-case letters, digits and hyphens."""

    code = "programme_code_invalid"


class NothingToApprove(Refusal):
    """The version is not the newest, is approved already, or is not what the approver was shown."""

    code = "nothing_to_approve"
    kind = Kind.CONFLICT


class StockExhausted(Refusal):
    code = "stock_exhausted"
    kind = Kind.CONFLICT


class GrantBudgetExhausted(Refusal):
    code = "grant_budget_exhausted"
    kind = Kind.CONFLICT


class NotOnSale(Refusal):
    code = "programme_not_on_sale"
    kind = Kind.CONFLICT


class ProgrammeClosed(Refusal):
    """The programme's period of use is over."""

    code = "programme_closed"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Programme:
    """A programme under one version of its terms."""

    id: UUID
    code: str
    version: int
    published: bool
    terms: Terms

    def phase(self, now: datetime) -> Phase:
        return phase(self.terms, self.published, now)

    def on_sale(self, now: datetime) -> bool:
        return self.published and self.terms.sale.holds(now)


@dataclass(frozen=True)
class Proposal:
    """Terms that an officer proposes; `fingerprint` is what the approver says yes to, in hex."""

    version: int
    terms: Terms
    fingerprint: str
    reason: str
    proposed_by: UUID


@dataclass(frozen=True)
class Stock:
    """Units sold and left, points granted and left to grant."""

    total_units: int
    reserved_units: int
    sold_units: int
    grant_budget_points: int
    granted_points: int

    @property
    def units_left(self) -> int:
        return self.total_units - self.reserved_units - self.sold_units


def fingerprint(terms: Terms) -> str:
    """SHA-256 of the terms in canonical JSON, in hex: any change of content changes it."""
    return hashlib.sha256(msgspec.json.encode(terms, order="sorted")).hexdigest()
