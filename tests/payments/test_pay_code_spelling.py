"""However a phone spells a code's JSON, it is read the same, and each member is said once.

What is spelt plainly is read by a quicker reader than the rest; nobody may notice which one it was.
"""

import json
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from services.payments.pay_code import MAX_CHARACTERS, verify
from tests.payments.pay_codes import CLAIMS, CODE, HEADER, KEY, NOW, PHONE, THIEF, refuse_malformed

SPACES = ("", " ", "\n", "\t ")
MEMBERS = [("header", name) for name in HEADER] + [("payload", name) for name in CLAIMS]


def spelt(members: dict[str, object], chance: random.Random, *, twice: str | None = None) -> str:
    """The object in another order, with other spaces, some letters escaped, and one member said `twice`."""
    names = [*members] if twice is None else [*members, twice]
    chance.shuffle(names)

    def text(value: object) -> str:
        written = json.dumps(value)
        if isinstance(value, str) and value and chance.random() < 0.2:
            return f'"\\u{ord(value[0]):04x}{written[2:]}'
        return written

    def space() -> str:
        return chance.choice(SPACES)

    said = [f"{space()}{text(name)}{space()}:{space()}{text(members[name])}{space()}" for name in names]
    return f"{space()}{{{','.join(said)}}}{space()}"


@given(st.randoms(use_true_random=False))
def test_a_code_says_the_same_in_whatever_spelling(chance: random.Random) -> None:
    code = PHONE.sign_text(spelt(HEADER, chance), spelt(CLAIMS, chance))
    assume(len(code) <= MAX_CHARACTERS)
    assert verify(code, KEY, NOW) == verify(CODE, KEY, NOW)


@pytest.mark.parametrize(("part", "name"), MEMBERS)
@pytest.mark.parametrize("seed", range(6))
def test_no_member_is_said_twice_in_whatever_spelling(part: str, name: str, seed: int) -> None:
    chance = random.Random(seed)
    header = spelt(HEADER, chance, twice=name if part == "header" else None)
    payload = spelt(CLAIMS, chance, twice=name if part == "payload" else None)
    code = PHONE.sign_text(header, payload)
    assert len(code) <= MAX_CHARACTERS, "too long a code says nothing about its members"
    refuse_malformed(code)


def test_a_letter_beyond_ascii_is_refused_before_the_signature_is_looked_at() -> None:
    payload = json.dumps(CLAIMS | {"aud": "tanabata-päy"}, ensure_ascii=False)
    for phone in (PHONE, THIEF):
        refuse_malformed(phone.sign_text(json.dumps(HEADER), payload))
