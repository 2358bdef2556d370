"""Refusals of `tanabata insight` in the reader's language: the word that a refusal carries is told in a sentence."""

from collections.abc import Mapping
from typing import Final

import locales
from services.kit.errors import Refusal

_WORDED: Final[Mapping[str, str]] = {"reason": "evaluation.reason", "problem": "insight.problem"}
"""Parameters that are a word of the programme, and under what their texts stand."""


def refusal_in_words(refusal: Refusal, language: str) -> str:
    """The refusal's text; a reason or problem that has words of its own is told in them."""
    params = dict(refusal.params)
    for name, place in _WORDED.items():
        words = locales.find(language, f"{place}.{params.get(name)}", **refusal.params)
        params |= {} if words is None else {name: words}
    if "by" in params:
        params["by"] = _dimensions(str(params["by"]), language)
    return locales.text(language, f"error.{refusal.code}", **params)


def _dimensions(by: str, language: str) -> str:
    """By what a table is divided, in words; a table of one figure is divided by nothing."""
    if by == "-":
        return locales.text(language, "insight.undivided")
    names = by.split(", ")
    return ", ".join(locales.find(language, f"dimension.{name}") or name for name in names)
