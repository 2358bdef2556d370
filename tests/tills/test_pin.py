"""What may be a PIN, and what is kept of it."""

from uuid import UUID

import pytest

from services.tills.pin import (
    ClerkPinGuessable,
    ClerkPinInvalid,
    invitation_code,
    invites,
    new_pin,
    peppered,
    read_pin,
)
from services.tills.register import RegisterRefused, read_register_token, register_token

KEY, OTHER_KEY = bytes(range(32)), bytes(range(1, 33))
STORE, CLERK = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize("typed", ["", "407", "4071625", "40 71", "４０７１", "40a1", "-407", "٤٠٧١"])
def test_a_pin_is_four_to_six_digits(typed: str) -> None:
    with pytest.raises(ClerkPinInvalid):
        read_pin(typed)


@pytest.mark.parametrize(
    "typed", ["0000", "1234", "9876", "8901", "1212", "123123", "070707", "1984", "2026", "2580", "696969", "112233"]
)
def test_what_everybody_tries_first_is_refused(typed: str) -> None:
    with pytest.raises(ClerkPinGuessable):
        new_pin(typed)


@pytest.mark.parametrize("typed", ["4071", "90516", "905162"])
def test_other_digits_are_taken(typed: str) -> None:
    assert new_pin(typed) == typed


def test_what_is_hashed_differs_by_key_store_and_clerk() -> None:
    kept = {
        peppered(key, store, clerk, "4071")
        for key in (KEY, OTHER_KEY)
        for store in (STORE, UUID(int=3))
        for clerk in (CLERK, UUID(int=4))
    }
    assert len(kept) == 8


def test_a_register_is_told_by_its_own_text_only() -> None:
    shown = register_token(KEY, STORE)
    assert read_register_token(KEY, shown) == STORE
    for wrong in (shown[:-1], shown + "A", shown[4:], register_token(OTHER_KEY, STORE), "", "TR1.", "TR1.あ"):
        with pytest.raises(RegisterRefused):
            read_register_token(KEY, wrong)


def test_an_invitation_is_read_as_people_type_it() -> None:
    code = invitation_code(KEY, STORE)
    assert invites(KEY, STORE, code.lower().replace("-", "ー"))
    assert not invites(KEY, CLERK, code)
    assert not invites(OTHER_KEY, STORE, code)
    assert not invites(KEY, STORE, "")
