"""A statement on paper says what the statement says, in three languages, and is an invoice where it must be."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from functools import cache
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from locales import LANGUAGES, fill
from services.kit.clock import TOKYO
from services.settlement.books import IssuedStatement
from services.settlement.paper import StatementPaper, StatementRecord, paper_of
from services.settlement.statement import Statement, compute_statement
from services.settlement.statement_text import WIDTH, Say, statement_text
from tests.settlement.office import FINAL, FIRST, SECOND
from tests.town import town_terms

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"
REGISTRATION = "T1234567890123"


@cache
def words(language: str) -> Mapping[str, str]:
    known: dict[str, str] = json.loads((ROOT / "locales" / f"{language}.json").read_text(encoding="utf-8"))
    return known


def say(language: str) -> Say:
    def find(key: str, /, **params: object) -> str:
        return fill(words(language)[key], params)

    return find


def figures(**changes: int) -> Statement:
    given: dict[str, int] = {
        "payments_yen": 123_456,
        "payments_count": 78,
        "cancelled_yen": 1_200,
        "refunded_yen": 3_456,
        "carried_in_yen": 0,
        "receivable_in_yen": 0,
        "fee_bp": 500,
        "tax_bp": 1_000,
        "minimum_payout_yen": 1_000,
    }
    final = bool(changes.pop("final", 0))
    return compute_statement(**(given | changes), final=final)


def paper(told: Statement, closing_date: date = SECOND) -> StatementPaper:
    statement = IssuedStatement(
        id=UUID(int=1),
        number="N12345678ZK",
        close_id=UUID(int=2),
        programme_id=UUID(int=3),
        store_id=UUID(int=4),
        merchant_id=UUID(int=5),
        figures=told,
    )
    record = StatementRecord(
        statement=statement,
        closing_date=closing_date,
        previous_closing_date=FIRST if closing_date > FIRST else None,
        transfer_date=date(2026, 5, 12),
        issued_at=datetime(2026, 5, 1, 0, 10, tzinfo=TOKYO),
        store_code="S7654321Y",
        store_name="星見商店 本店",
        merchant_number="M1234567X",
        merchant_name="株式会社 星見商店",
    )
    return paper_of(record, town_terms())


EVERYTHING = paper(figures(carried_in_yen=999))
SMALL = paper(figures(payments_yen=800, payments_count=1, cancelled_yen=0, refunded_yen=0, fee_bp=0), FIRST)
RETURNS = paper(figures(payments_yen=0, payments_count=0, cancelled_yen=0, receivable_in_yen=70, final=1), FINAL)


def registered(given: StatementPaper, registration: str | None = REGISTRATION) -> StatementPaper:
    """The same paper of an issuer with, or without, a registration number."""
    return replace(given, registration=registration)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_golden_statements_are_written_the_same(language: str) -> None:
    texts = [statement_text(registered(each), say(language)) for each in (EVERYTHING, SMALL, RETURNS)]
    written = "\n".join(texts)
    golden = GOLDEN / f"statements.{language}.txt"
    assert written == golden.read_text(encoding="utf-8"), "see what changed, then replace the golden file"


def test_an_invoice_names_what_the_tax_law_asks_for() -> None:
    text = statement_text(registered(EVERYTHING), say("ja"))
    for needed in (
        "適格請求書",
        "発行者 星見市",
        f"登録番号 {REGISTRATION}",
        "株式会社 星見商店 御中",
        "2026年4月16日から2026年4月30日まで",
        "加盟店手数料",
        "10%対象",
        "5,940円",
        "594円",
    ):
        assert needed in text


@pytest.mark.parametrize(("registration", "fee_bp"), [(None, 500), (REGISTRATION, 0)])
def test_without_a_number_or_a_fee_it_is_no_invoice(registration: str | None, fee_bp: int) -> None:
    text = statement_text(registered(paper(figures(fee_bp=fee_bp)), registration), say("ja"))
    assert "請求書" not in text
    assert text.startswith("支払通知書\n")


def test_the_period_of_the_first_statement_begins_with_the_use() -> None:
    assert SMALL.period_first == date(2026, 4, 1)
    assert EVERYTHING.period_first == date(2026, 4, 16)


@pytest.mark.parametrize(("basis_points", "shown"), [(500, "5%"), (250, "2.5%"), (199, "1.99%"), (5, "0.05%")])
def test_a_rate_is_shown_exactly(basis_points: int, shown: str) -> None:
    text = statement_text(paper(figures(fee_bp=basis_points)), say("en"))
    assert f"({shown})" in text


AMOUNTS = st.integers(0, 9_999_999_999)


@given(AMOUNTS, AMOUNTS, AMOUNTS, st.integers(0, 999), st.integers(0, 10**6), st.integers(0, 5_000), st.booleans())
def test_the_lines_above_the_payout_sum_to_it(
    gross: int, cancelled: int, refunded: int, carried: int, receivable: int, fee_bp: int, final: bool
) -> None:
    told = figures(
        payments_yen=gross,
        cancelled_yen=cancelled,
        refunded_yen=refunded,
        carried_in_yen=carried,
        receivable_in_yen=receivable,
        fee_bp=fee_bp,
        final=final,
    )
    text = statement_text(paper(told), say("en"))
    sales, settling = text.split("-" * WIDTH + "\n")[1:3]
    amounts = [int(found.replace(",", "")) for found in re.findall(r"(-?[\d,]+) yen$", sales, re.MULTILINE)]
    assert amounts[0] + amounts[1] + amounts[2] == amounts[3]
    assert amounts[3] + amounts[4] + amounts[5] == amounts[6]
    *steps, payout = [int(found.replace(",", "")) for found in re.findall(r"(-?[\d,]+) yen$", settling, re.MULTILINE)]
    assert amounts[6] + sum(steps) == payout == told.payout_yen


def test_every_amount_ends_in_the_same_column() -> None:
    for language in ("ja", "en"):
        lines = statement_text(EVERYTHING, say(language)).split("-" * WIDTH + "\n")[1].splitlines()
        assert {len(line.encode("shift_jis")) for line in lines} == {WIDTH}


def test_a_store_without_figures_gets_a_paper_too() -> None:
    nothing = replace(figures(), payments_yen=0)
    assert statement_text(paper(nothing), say("ja-simple")).endswith("\n")
