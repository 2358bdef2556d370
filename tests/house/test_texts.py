"""Everything a person reads is in locales/, in three languages that say the same."""

import importlib
import json
import pkgutil
import string
from pathlib import Path

import pytest

import services
from services.kit.errors import Refusal, all_refusals

ROOT = Path(__file__).parents[2]
LANGUAGES = ("ja", "en", "ja-simple")


def texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((ROOT / "locales" / f"{language}.json").read_text())
    return {key: text for key, text in found.items() if not key.startswith("$")}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def refusals() -> list[type[Refusal]]:
    for package in (
        services,
        *(importlib.import_module(name) for name in ("infra.http", "infra.ports", "infra.insight", "analytics")),
    ):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)
    return [refusal for refusal in all_refusals() if refusal.__module__.split(".")[0] != "tests"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_refusal_has_its_text(language: str) -> None:
    known = texts(language)
    missing = sorted({refusal.code for refusal in refusals()} - {key.removeprefix("error.") for key in known})
    assert not missing


def test_the_languages_have_the_same_keys_and_placeholders() -> None:
    ja, en, simple = (texts(language) for language in LANGUAGES)
    assert set(ja) == set(en) == set(simple)
    # How a language writes a date is its own affair.
    said = [key for key in ja if not key.endswith(".date")]
    differing = [key for key in said if not placeholders(ja[key]) == placeholders(en[key]) == placeholders(simple[key])]
    assert not differing


def test_no_two_refusals_share_a_code() -> None:
    codes = [refusal.code for refusal in set(refusals())]
    assert sorted(codes) == sorted(set(codes))
