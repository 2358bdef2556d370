"""Texts are found by key and language, and a text never reaches into what it is given."""

import pytest

import locales


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "ja"),
        ("en", "en"),
        ("en-GB,en;q=0.9,ja;q=0.8", "en"),
        ("fr,de;q=0.9", "ja"),
        ("fr, en;q=0.5", "en"),
        ("ja-simple", "ja-simple"),
        ("," * 1_000 + "en", "ja"),
    ],
)
def test_the_first_language_that_we_have_is_chosen(header: str, language: str) -> None:
    assert locales.choose(header) == language


def test_places_are_filled_and_nothing_else() -> None:
    template = "{name} {missing} {name.__class__} {0} {{name}} {name!r}"
    assert locales.fill(template, {"name": "{secret}", "secret": 1}) == (
        "{secret} {missing} {name.__class__} {0} {{secret}} {name!r}"
    )


def test_an_unknown_text_or_language_is_told() -> None:
    assert locales.find("en", "error.of_nobody") is None
    with pytest.raises(KeyError):
        locales.text("en", "error.of_nobody")
    with pytest.raises(ValueError, match="no texts"):
        locales.text("fr", "error.not_found")
