"""Nobody takes a password that strangers try first: the commonest of the leaks, and what people make of them."""

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from services.identity import passwords
from services.identity.passwords import (
    MIN_LENGTH,
    PasswordGuessable,
    PasswordTooShort,
    check_new_password,
)

EMAIL = "hanako.ito@example.jp"
COMMONEST: list[str] = FREQUENCY_LISTS["passwords"][:3_000]


def is_taken(password: str) -> bool:
    try:
        check_new_password(password, EMAIL)
    except (PasswordGuessable, PasswordTooShort):
        return False
    return True


def test_the_three_thousand_commonest_are_refused() -> None:
    assert len(set(COMMONEST)) == 3_000
    assert [word for word in COMMONEST if is_taken(word)] == []
    assert [word for word in COMMONEST if is_taken(word.upper())] == []


def test_those_that_are_long_enough_are_known_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: length alone lets some of them through."""
    monkeypatch.setattr(passwords, "_COMMON", frozenset())
    monkeypatch.setattr(passwords, "_COMMON_WORDS", frozenset())
    assert [word for word in COMMONEST if is_taken(word)]


@pytest.mark.parametrize("form", ["{0}{1}", "{1}{0}", "{0}-{1}!", "{0}{0}{0}{0}"])
def test_the_commonest_words_are_not_saved_by_a_year(form: str) -> None:
    words = [word for word in COMMONEST[:500] if word.isalpha() and len(word) >= 4]
    made = [form.format(word, "20262026") for word in words]
    assert len(words) > 200
    assert [each for each in made if len(each) >= MIN_LENGTH and is_taken(each)] == []


@pytest.mark.parametrize("password", ["vivid-otter-lamp-42", "correct horse battery", "tsuki-to-hoshi-88"])
def test_unusual_ones_are_still_taken(password: str) -> None:
    assert is_taken(password)
