"""People as the platform knows them: addresses in one written form, names, accounts, roles.

Law: an address that leaves this module has exactly one spelling, so that one phone or one
mailbox can never be two accounts. Phone numbers are E.164 (ITU-T), checked against the
numbering plan by `phonenumbers`; e-mail addresses are ASCII and lower case, because every
mail server in use ignores case and only invented ones would suffer.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import phonenumbers

from services.kit.errors import Kind, Refusal
from services.kit.visible import seen_name

JAPAN, JAPAN_CALLING_CODE = "JP", 81
MAX_PHONE_LENGTH = 40
MAX_EMAIL_LENGTH, MAX_LOCAL_LENGTH = 254, 64  # RFC 5321 section 4.5.3.1
MAX_NAME_LENGTH = 60
MAX_REASON_LENGTH = 500

_PHONE_SIGNS = frozenset("0123456789+()-. ")
_HYPHENS = "\u2010\u2011\u2012\u2013\u2014\u2015\u2043\u2212\ufe58\ufe63\uff70ー"
"""Dashes, the minus, and the long-vowel sign in both widths, which a kana keyboard gives instead."""
_SPACES = "\u00a0\u2002\u2003\u2007\u2008\u2009\u202f"
"""What comes along when a number is copied from a page."""
_LOCAL = re.compile(r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")
_REACHABLE = frozenset(
    {
        phonenumbers.PhoneNumberType.MOBILE,
        phonenumbers.PhoneNumberType.FIXED_LINE,
        phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE,
        phonenumbers.PhoneNumberType.VOIP,
    }
)
"""Lines that belong to one subscriber; not free or premium services, pagers or machines."""


class PhoneMalformed(Refusal):
    """No telephone number has this form."""

    code = "phone_malformed"


class PhoneNotJapanese(Refusal):
    """A number of another country, to which no code is sent."""

    code = "phone_not_japanese"


class PhoneUnusable(Refusal):
    """A Japanese number that is nobody's own line: free dial, premium service, pager."""

    code = "phone_unusable"


class EmailMalformed(Refusal):
    """Not an address of the form name@domain, in ASCII, of at most 254 characters."""

    code = "email_malformed"


class PersonNameInvalid(Refusal):
    """Empty, longer than `limit` characters, or with control characters in it."""

    code = "person_name_invalid"


class RolesInvalid(Refusal):
    """No role of city staff, or the auditor's together with another."""

    code = "roles_invalid"


class AccountReasonMissing(Refusal):
    """Closing or opening an account and taking a role need a reason of 1 to `limit` characters."""

    code = "account_reason_missing"


class AccountDisabled(Refusal):
    """The account was closed by the office; told only to who has proven to own it."""

    code = "account_disabled"
    kind = Kind.FORBIDDEN


class AccountKind(StrEnum):
    RESIDENT = "resident"
    MERCHANT = "merchant"
    CITY = "city"


class AccountStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class Role(StrEnum):
    """What a token may say of its bearer. A member's role in one store is the store's to tell."""

    RESIDENT = "resident"
    MERCHANT = "merchant"
    OFFICER = "officer"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ANALYST = "analyst"
    CALL_CENTRE = "call_centre"
    TILL = "till"
    """Whoever works in a store and typed their PIN at its register: a clerk's rights there, whatever else they are."""


CITY_ROLES = frozenset({Role.OFFICER, Role.APPROVER, Role.AUDITOR, Role.ANALYST, Role.CALL_CENTRE})


@dataclass(frozen=True)
class Account:
    """A way to sign in. One address: a resident's `phone` or a staff member's `email`."""

    id: UUID
    kind: AccountKind
    status: AccountStatus
    roles: tuple[Role, ...]
    registered_at: datetime
    name: str | None = field(default=None, repr=False)
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    first_password: bool = False
    """Whoever opened the account chose its password, and knows it until its holder changes it."""


@dataclass(frozen=True)
class Contact:
    """An account that acts for a person: their own (`self`) or a guardian's; one address."""

    relation: str
    status: AccountStatus
    phone: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)


def phone_number(text: str) -> str:
    """A Japanese number as a person typed it, in any width and grouping, as E.164: `+8190…`.

    Raises `PhoneMalformed`, `PhoneNotJapanese`, `PhoneUnusable`. Letters are refused, not
    dialled as on a keypad, and so are extensions.
    """
    typed = _narrow(text[: MAX_PHONE_LENGTH + 1]).translate(_SEPARATORS).strip()
    if len(typed) > MAX_PHONE_LENGTH or not _PHONE_SIGNS.issuperset(typed):
        raise PhoneMalformed
    try:
        number = phonenumbers.parse(typed, JAPAN)
    except phonenumbers.NumberParseException as wrong:
        raise PhoneMalformed from wrong
    if number.country_code != JAPAN_CALLING_CODE:
        raise PhoneNotJapanese
    if not phonenumbers.is_valid_number(number):
        raise PhoneMalformed
    if phonenumbers.number_type(number) not in _REACHABLE:
        raise PhoneUnusable
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def email_address(text: str) -> str:
    """An address in its one stored form: ASCII, lower case; full-width letters are forgiven.

    Only the full-width block is folded. Folding more (a Kelvin sign to k, a ligature to two
    letters) would let foreign letters become somebody else's address. Raises
    `EmailMalformed`.
    """
    typed = _narrow(text[: MAX_EMAIL_LENGTH + 9]).strip()
    local, at, domain = typed.rpartition("@")
    if not at or not typed.isascii() or len(typed) > MAX_EMAIL_LENGTH or len(local) > MAX_LOCAL_LENGTH:
        raise EmailMalformed
    local, domain = local.lower(), domain.lower()
    if _LOCAL.fullmatch(local) is None or _DOMAIN.fullmatch(domain) is None:
        raise EmailMalformed
    return f"{local}@{domain}"


def person_name(text: str) -> str:
    """A person's name for the eye, without spaces at its ends, 1 to 60 characters (NFC).

    Raises `PersonNameInvalid` also for control and direction marks, which could make a name
    look like another one in a list.
    """
    name = seen_name(text, MAX_NAME_LENGTH)
    if name is None:
        raise PersonNameInvalid(limit=MAX_NAME_LENGTH)
    return name


def city_roles(roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """The roles of one city account, each once, in a fixed order.

    Whoever audits decides nothing: the auditor's role stands alone. That an officer never
    approves a deed of their own is held by each deed. Raises `RolesInvalid`.
    """
    wanted = frozenset(roles)
    if not wanted or not wanted <= CITY_ROLES or (Role.AUDITOR in wanted and len(wanted) > 1):
        raise RolesInvalid
    return tuple(sorted(wanted))


def account_reason(text: str) -> str:
    """Why an account is closed, opened again or loses a role; raises `AccountReasonMissing`."""
    reason = text.strip()
    if not 1 <= len(reason) <= MAX_REASON_LENGTH:
        raise AccountReasonMissing(limit=MAX_REASON_LENGTH)
    return reason


def _narrow(text: str) -> str:
    """Full-width ASCII (U+FF01 to U+FF5E) and the ideographic space in their usual width."""
    return text.translate(_NARROW)


_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_SEPARATORS = dict.fromkeys(map(ord, _HYPHENS), "-") | dict.fromkeys(map(ord, _SPACES), " ")
