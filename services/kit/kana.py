"""The characters that Japanese banks exchange: single bytes of JIS X 0201, by class of field.

Law: what leaves this module is made of permitted half-width characters only, one byte
each, and every voicing mark stands behind a kana that can carry it. What cannot be
written so is refused with the character and its place in what was typed, never replaced
by a guess. Rules: the Zengin character table (`docs/sources.md`).
"""

import unicodedata
from enum import Enum

from services.kit.errors import Refusal

MAX_TEXT_LENGTH = 200
"""Characters that are looked at; the longest field of any bank file is 48 bytes."""


class FieldClass(Enum):
    """Which of the three character tables a field of a bank file uses."""

    BANK = "bank"
    """Names of banks and branches."""
    PARTY = "party"
    """Names of account holders, payees and senders."""
    EDI = "edi"
    """EDI information that travels with a transfer."""


class NotBankCharacter(Refusal):
    """`character` of the text as typed, at `position` (the first is 1), has no permitted form."""

    code = "not_bank_character"


class BankTextTooLong(Refusal):
    """Longer than `limit` (characters as typed, or bytes where nothing may be cut off)."""

    code = "bank_text_too_long"


class BankTextEmpty(Refusal):
    """Nothing but spaces where a name is required."""

    code = "bank_text_empty"


VOICED_MARK, SEMIVOICED_MARK = "ﾞ", "ﾟ"
WO = "ｦ"

_CARRIERS = {
    VOICED_MARK: frozenset("ｳｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄﾊﾋﾌﾍﾎ"),
    SEMIVOICED_MARK: frozenset("ﾊﾋﾌﾍﾎ"),
}
_COMMON = frozenset(chr(code) for code in range(0xFF71, 0xFFA0)) | frozenset(" 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_PERMITTED = {
    FieldClass.BANK: _COMMON | frozenset("-"),
    FieldClass.PARTY: _COMMON | frozenset("()-."),
    FieldClass.EDI: _COMMON | frozenset("\\｢｣()-/.") | {WO},
}
_SPACING_MARKS = {"゛": "\u3099", "゜": "\u309a"}
_SMALL_TO_LARGE = dict(zip("ァィゥェォッャュョヮヵヶ", "アイウエオツヤユヨワカケ", strict=True))


def _folding() -> dict[int, str]:
    """From one decomposed character to its half-width form; what is absent stays as it is.

    Half-width ｱ … ﾝ are found by asking Unicode which letter each of them stands for, so
    the table cannot disagree with the decomposition that comes before it.
    """
    half = {unicodedata.normalize("NFKC", chr(code)): chr(code) for code in range(0xFF71, 0xFFA0)}
    half["ヲ"] = WO
    half |= {small: half[large] for small, large in _SMALL_TO_LARGE.items()}
    hiragana = {chr(ord(letter) - 0x60): narrow for letter, narrow in half.items() if "ァ" <= letter <= "ヶ"}
    dashes = dict.fromkeys("ー\u2010\u2212", "-")
    brackets = {"「": "｢", "」": "｣", "¥": "\\"}
    upper = {letter: letter.upper() for letter in "abcdefghijklmnopqrstuvwxyz"}
    return {ord(key): value for key, value in (half | hiragana | dashes | brackets | upper).items()}


_FOLDING = _folding()


def permitted(field: FieldClass, *, allow_wo: bool = False) -> frozenset[str]:
    """The half-width characters that a field of this class may hold.

    `allow_wo`: a revision by the Japanese Bankers Association admits ｦ in names, but banks
    still print the old rule, so it takes a decision of the paying bank's customer.
    """
    return _PERMITTED[field] | {WO} if allow_wo else _PERMITTED[field]


def to_bank_text(text: str, field: FieldClass, *, allow_wo: bool = False) -> str:
    """The same text in permitted half-width characters, without spaces at its ends.

    Hiragana becomes katakana, small kana large, letters upper case, long-vowel signs and
    hyphens `-`. Already converted text is returned as it is.

    Raises `NotBankCharacter` (position in `text`, counted from 1) for kanji, ヰ, ヱ, ヷ and
    everything else without a permitted form, `BankTextTooLong` beyond `MAX_TEXT_LENGTH`.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise BankTextTooLong(limit=MAX_TEXT_LENGTH, length=len(text))
    allowed = permitted(field, allow_wo=allow_wo)
    found: list[str] = []
    for position, typed in enumerate(text, start=1):
        decomposed = _SPACING_MARKS.get(typed) or unicodedata.normalize("NFKD", typed)
        for character in decomposed.translate(_FOLDING):
            carriers = _CARRIERS.get(character)
            stray_mark = carriers is not None and (not found or found[-1] not in carriers)
            if stray_mark or character not in allowed:
                raise NotBankCharacter(character=typed, position=position)
            found.append(character)
    return "".join(found).strip(" ")


def encode(text: str) -> bytes:
    """Permitted text as JIS X 0201, one byte a character.

    Raises `ValueError` for text that did not come from `to_bank_text`: a programming error.
    """
    data = text.encode("shift_jis")
    if len(data) != len(text):
        raise ValueError("text is encoded only after its conversion to single-byte characters")
    return data


def decode(data: bytes) -> str:
    """The characters of JIS X 0201 bytes; raises `UnicodeDecodeError` for any other byte."""
    return data.decode("shift_jis")


def byte_length(text: str) -> int:
    """Bytes that permitted text takes in a bank file; ガ takes two."""
    return len(encode(text))


def truncate(text: str, limit: int) -> str:
    """The longest beginning of permitted text in `limit` bytes, never between a kana and its mark."""
    if byte_length(text) <= limit:
        return text
    end = limit - 1 if text[limit] in _CARRIERS else limit
    return text[: max(end, 0)].rstrip(" ")
