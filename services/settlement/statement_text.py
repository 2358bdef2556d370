"""A store's statement as readable text, in any language, with what the tax law asks of an invoice.

Law: the text says nothing that the statement does not, and leaves out nothing that moves its
sum. Where a fee is charged and the charger's registration number is known, it is also a
qualified invoice (適格請求書; Consumption Tax Act, article 57-4): who charges and under which
number, whom, what, for which days, the rate, the amount and the tax on it. Where returns
exceed sales the fee is given back, and the same content makes it a qualified return invoice.
Words are the caller's: `say(key, **params)` is `locales.text` of one language.
"""

import unicodedata
from datetime import date
from typing import Protocol

from services.kit.clock import civil_date
from services.kit.money import BASIS_POINTS
from services.kit.numbers import display_number
from services.settlement.paper import StatementPaper
from services.settlement.statement import Statement

WIDTH = 64
"""Columns of a line; a full-width character takes two."""


class Say(Protocol):
    """The text of a key in one language, its places filled."""

    def __call__(self, key: str, /, **params: object) -> str: ...


def statement_text(paper: StatementPaper, say: Say) -> str:
    """The statement as lines of text, ended by a line feed each."""
    registration = paper.registration
    figures = paper.record.statement.figures
    invoice = registration is not None and figures.fee_yen != 0
    blocks = [_head(paper, say, registration, invoice=invoice), _sales(figures, say), _settling(figures, say)]
    if invoice:
        blocks.append(_invoice(figures, say))
    blocks.append(_notes(paper, say))
    rule = "-" * WIDTH
    return f"\n{rule}\n".join("\n".join(block) for block in blocks) + "\n"


def _head(paper: StatementPaper, say: Say, registration: str | None, *, invoice: bool) -> list[str]:
    record = paper.record
    kind = "title" if not invoice else "title_invoice" if record.statement.figures.fee_yen > 0 else "title_return"
    lines = [
        say(f"statement.{kind}"),
        say("statement.number", number=display_number(record.statement.number)),
        say("statement.issued", date=_date(civil_date(record.issued_at), say)),
        "",
        say("statement.to", merchant=record.merchant_name, number=display_number(record.merchant_number)),
        say("statement.store", store=record.store_name, code=display_number(record.store_code)),
        "",
        say("statement.from", issuer=paper.issuer_name),
    ]
    if registration is not None:
        lines.append(say("statement.registration", registration=registration))
    period = {"first": _date(paper.period_first, say), "last": _date(record.closing_date, say)}
    return [
        *lines,
        say("statement.programme", programme=paper.programme_name),
        say("statement.period", **period),
    ]


def _sales(figures: Statement, say: Say) -> list[str]:
    fee, tax = _percent(figures.fee_bp), _percent(figures.tax_bp)
    return [
        _line(say("statement.payments", count=figures.payments_count), figures.payments_yen, say),
        _line(say("statement.cancelled"), -figures.cancelled_yen, say),
        _line(say("statement.refunded"), -figures.refunded_yen, say),
        _line(say("statement.net_sales"), figures.net_sales_yen, say),
        _line(say("statement.fee", rate=fee), -figures.fee_yen, say),
        _line(say("statement.fee_tax", rate=tax), -figures.fee_tax_yen, say),
        _line(say("statement.net"), figures.net_yen, say),
    ]


def _settling(figures: Statement, say: Say) -> list[str]:
    """From what this period leaves to what is paid: every carry and debt that is not zero."""
    steps = (
        ("statement.carried_in", figures.carried_in_yen),
        ("statement.receivable_in", -figures.receivable_in_yen),
        ("statement.carried_out", -figures.carried_out_yen),
        ("statement.receivable_out", figures.receivable_out_yen),
    )
    lines = [_line(say(key), yen, say) for key, yen in steps if yen != 0]
    return [*lines, _line(say("statement.payout"), figures.payout_yen, say)]


def _invoice(figures: Statement, say: Say) -> list[str]:
    """The charge itself: what, at which rate, how much without tax, and the tax."""
    given_back = figures.fee_yen < 0
    return [
        say("statement.invoice_return" if given_back else "statement.invoice"),
        _line(say("statement.invoice_base", rate=_percent(figures.tax_bp)), abs(figures.fee_yen), say),
        _line(say("statement.invoice_tax", rate=_percent(figures.tax_bp)), abs(figures.fee_tax_yen), say),
    ]


def _notes(paper: StatementPaper, say: Say) -> list[str]:
    figures = paper.record.statement.figures
    notes = []
    if figures.payout_yen:
        notes.append(say("statement.transfer_on", date=_date(paper.record.transfer_date, say)))
    if figures.carried_out_yen:
        notes.append(say("statement.note_carried"))
    if figures.receivable_out_yen:
        notes.append(say("statement.note_receivable_final" if figures.final else "statement.note_receivable"))
    if figures.final:
        notes.append(say("statement.note_final"))
    return [*notes, say("statement.note_rounding")]


def _line(label: str, yen: int, say: Say) -> str:
    """A label on the left and an amount on the right, in columns of `WIDTH`."""
    amount = say("statement.yen", amount=f"{yen:,}")
    gap = max(WIDTH - _columns(label) - _columns(amount), 1)
    return label + " " * gap + amount


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "FW" else 1 for sign in text)


def _percent(basis_points: int) -> str:
    whole, rest = divmod(basis_points, BASIS_POINTS // 100)
    return f"{whole}.{rest:02}".rstrip("0") + "%" if rest else f"{whole}%"


def _date(day: date, say: Say) -> str:
    return say("statement.date", year=day.year, month=day.month, day=day.day, iso=day.isoformat())
