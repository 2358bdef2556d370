"""The city's lists: every problem by line and column, and nothing taken over while there is one."""

import re
from datetime import date
from pathlib import Path

import pytest

import locales
from services.residency.lists import (
    MAX_PROBLEMS,
    District,
    Registered,
    ResidentListInvalid,
    read_districts,
    read_register,
)
from tests.residency.conftest import HEADER, REGISTER

TODAY = date(2026, 7, 7)


def problems(content: str | bytes) -> list[dict[str, object]]:
    with pytest.raises(ResidentListInvalid) as refused:
        read_register(content.encode() if isinstance(content, str) else content, TODAY)
    found: list[dict[str, object]] = refused.value.params["problems"]
    return found


def test_a_register_is_read_with_or_without_a_byte_order_mark() -> None:
    read = read_register(REGISTER.encode("utf-8-sig"), TODAY)
    assert read == read_register(REGISTER.encode(), TODAY)
    assert read[0] == Registered("A001", "渡邊 花子", "ワタナベ ハナコ", date(1950, 4, 1), "2540043")
    assert len(read) == 3


def test_every_broken_row_is_named_with_its_place() -> None:
    rows = (
        "A 1,渡邊,ワタナベ,1950-04-01,2540043\n"  # 2: the reference
        "A2,,ワタナベ,1950-04-01,2540043\n"  # 3: no name
        "A3,渡邊,渡邊,1950-04-01,2540043\n"  # 4: no reading
        "A4,渡邊,ワタナベ,1950-02-30,2540043\n"  # 5: no such day
        "A5,渡邊,ワタナベ,2026-07-08,2540043\n"  # 6: not born yet
        "A6,渡邊,ワタナベ,1950-04-01,254\n"  # 7: the postal code
        "A7,渡邊,ワタナベ,1950-04-01\n"  # 8: too few cells
    )
    assert [(each["line"], each["column"], each["code"]) for each in problems(HEADER + rows)] == [
        (2, 1, "reference_wrong"),
        (3, 2, "name_wrong"),
        (4, 3, "kana_wrong"),
        (5, 4, "birth_date_wrong"),
        (6, 4, "birth_date_wrong"),
        (7, 5, "postal_code_wrong"),
        (8, 5, "cells_wrong"),
    ]


def test_a_line_twice_is_named_with_the_first_and_look_alikes_are_two_people() -> None:
    again = (
        REGISTER + "A001,鈴木 一,スズキ ハジメ,1990-01-01,2540043\n" + "B9,渡辺花子,ワタナベ ハナコ,19500401,2540043\n"
    )
    assert problems(again) == [
        {"line": 5, "column": 1, "code": "reference_repeated", "other_line": 2},
        {"line": 6, "column": 2, "code": "person_repeated", "other_line": 2},
    ]


@pytest.mark.parametrize("column", range(5))
def test_an_individual_number_in_any_cell_refuses_the_list_and_is_not_repeated(column: int) -> None:
    cells = ["A9", "渡邊", "ワタナベ", "1950-04-01", "2540043"]
    cells[column] = "1234 5678 9012"
    with pytest.raises(ResidentListInvalid) as refused:
        read_register((HEADER + ",".join(cells)).encode(), TODAY)
    assert refused.value.params["problems"] == [{"line": 2, "column": column + 1, "code": "individual_number"}]
    assert "9012" not in str(refused.value)


def test_what_is_no_list_is_refused_at_its_place() -> None:
    assert problems("name,reference\n")[0]["code"] == "header_wrong"
    assert problems(HEADER)[0]["code"] == "no_lines"
    assert problems(HEADER + '"A1')[0]["code"] == "not_csv"
    broken = (HEADER + "A1,").encode() + b"\xff"
    assert problems(broken) == [{"line": 2, "column": 4, "code": "not_utf8"}]


def test_no_more_than_fifty_problems_are_told_and_all_are_counted() -> None:
    with pytest.raises(ResidentListInvalid) as refused:
        read_register((HEADER + "x\n" * 200).encode(), TODAY)
    assert (refused.value.params["count"], len(refused.value.params["problems"])) == (200, MAX_PROBLEMS)


def test_districts_are_read_and_a_code_lies_in_one() -> None:
    assert read_districts("postal_code,district\n254-0043,中央\n".encode()) == (District("2540043", "中央"),)
    with pytest.raises(ResidentListInvalid) as refused:
        read_districts("postal_code,district\n2540043,中央\n254-0043,港\nx,港\n2540001,\n".encode())
    assert [each["code"] for each in refused.value.params["problems"]] == [
        "postal_code_repeated",
        "postal_code_wrong",
        "district_wrong",
    ]


@pytest.mark.parametrize("language", ["ja", "en", "ja-simple"])
def test_every_problem_has_its_words(language: str) -> None:
    source = (Path(__file__).parents[2] / "services" / "residency" / "lists.py").read_text()
    codes = set(re.findall(r'"([a-z_0-9]+_(?:wrong|repeated|lines|csv|utf8|number))"', source))
    assert len(codes) == 16
    for code in codes | {"reference_unknown"}:
        assert locales.find(language, f"list.problem.{code}"), code
