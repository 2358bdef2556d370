"""Recovery codes: read as people copy them, and nothing else is one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.recovery import (
    CODES,
    ENTROPY_BYTES,
    LENGTH,
    make_recovery_codes,
    read_recovery_code,
    recovery_mac,
)

KEY = bytes(range(32))


@given(st.binary(min_size=ENTROPY_BYTES, max_size=ENTROPY_BYTES))
def test_every_code_is_read_as_it_was_printed(noise: bytes) -> None:
    codes = make_recovery_codes(noise)
    assert len(codes) == CODES
    for code in codes:
        signs = code.replace("-", "")
        assert read_recovery_code(code) == signs
        assert len(signs) == LENGTH


def test_the_same_code_in_every_way_that_people_write_it() -> None:
    code = "4GX2-9KQM-7T0P-1B3H"
    for typed in (
        "4gx2-9kqm-7t0p-1b3h",
        " 4GX2 9KQM 7T0P 1B3H ",
        "4GX29KQM7T0P1B3H",
        "4GX2-9KQM-7TOP-IB3H",
        "4gx2ー9kqmー7topーlb3h",
        "４ＧＸ２－９ＫＱＭ－７Ｔ０Ｐ－１Ｂ３Ｈ",
    ):
        assert read_recovery_code(typed) == code.replace("-", ""), typed


@pytest.mark.parametrize(
    "typed", ["", "123456", "4GX2-9KQM-7T0P-1B3", "4GX2-9KQM-7T0P-1B3HX", "U" * 16, "4" * 41, "４"]
)
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert read_recovery_code(typed) is None


def test_a_code_is_kept_for_its_account() -> None:
    one, other = (recovery_mac(KEY, UUID(int=n), "4GX2-9KQM-7T0P-1B3H") for n in (1, 2))
    assert one != other
    assert one == recovery_mac(KEY, UUID(int=1), "4GX29KQM7T0P1B3H")
    with pytest.raises(ValueError, match="32 bytes"):
        recovery_mac(bytes(31), UUID(int=1), "4GX2-9KQM-7T0P-1B3H")
