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
        ("ja;q=0.5, en;q=0.9", "en"),
        ("ja;q=0.8,en;q=0.8", "ja"),
        ("en;q=0.8,ja;q=0.8", "en"),
        ("EN-us ; Q=1.0 , ja;q=0.9", "en"),
        ("en;q=0, ja-simple;q=0.1", "ja-simple"),
        ("ja;q=0", "en"),
        ("ja;q=0, *", "en"),
        ("en;q=0.3, *;q=0.7", "ja"),
        ("en;q=0.7, *;q=0.3", "en"),
        ("ja;q=0.2, en;q=0.1, *;q=0.9", "ja-simple"),
        ("fr, *;q=0", "ja"),
        ("ja;q=0, en;q=0, ja-simple", "ja-simple"),
        ("ja;q=0, en;q=0", "ja"),
        ("en-GB;q=0, en", "en"),
        ("en-GB, en;q=0", "ja"),
        ("en;q=0, en;q=1", "ja"),
        ("en;q=much, ja;q=0.9", "en"),
        ("en;q=-1, ja;q=0.9", "en"),
        ("en;q=1.9, ja", "en"),
    ],
)
def test_the_language_that_weighs_most_of_those_that_we_have_is_chosen(header: str, language: str) -> None:
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
