"""Merchants, their stores, and who works there: the values, their limits, who may appoint whom.

Law: what a store is called fits everywhere it will be written. The names, the city, the
postal code and the category go into its EMVCo code, whose fields are narrow; a store that
cannot be printed is refused when it is registered, not when its sticker is.
Source: EMVCo QR (MPM) v1.1: 52, 59, 60, 61 and 64-01, see docs/sources.md; ISO 18245 (MCC).
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.kit.errors import Kind, Refusal
from services.kit.store_class import StoreClass
from services.kit.visible import seen_name

MERCHANT_PREFIX, MERCHANT_NUMBER_LENGTH = "M", 7
STORE_PREFIX, STORE_CODE_LENGTH = "S", 7
"""34 thousand million numbers of each: among 10,000 stores the next collides with odds of 1 in 3 million."""

MAX_MERCHANT_NAME, MAX_STORE_NAME = 100, 25
MAX_NAME_LATIN, MAX_CITY_LATIN = 25, 15
MAX_REASON_LENGTH = 500
MAX_TYPED_LENGTH = 400

_LATIN = re.compile(r"(?=.*[A-Za-z0-9])[ -~]+")
_MCC = re.compile(r"[0-9]{4}")
_POSTAL_CODE = re.compile(r"[0-9]{7}")
_HYPHENS = dict.fromkeys(map(ord, " -\u2010\u2011\u2212ー"))


class MerchantNameInvalid(Refusal):
    """Empty, longer than `limit` characters, or with control characters in it."""

    code = "merchant_name_invalid"


class StoreNameInvalid(Refusal):
    """Empty, longer than `limit` characters, or with control characters in it."""

    code = "store_name_invalid"


class StoreNameLatinInvalid(Refusal):
    """Not 1 to `limit` printable ASCII characters with a letter or digit among them."""

    code = "store_name_latin_invalid"


class StoreCityLatinInvalid(Refusal):
    """Not 1 to `limit` printable ASCII characters with a letter or digit among them."""

    code = "store_city_latin_invalid"


class MccInvalid(Refusal):
    """A merchant category code has four digits."""

    code = "mcc_invalid"


class PostalCodeInvalid(Refusal):
    """A Japanese postal code has seven digits."""

    code = "postal_code_invalid"


class MerchantReasonMissing(Refusal):
    """The deed needs a reason of 1 to `limit` characters."""

    code = "merchant_reason_missing"


class MemberExists(Refusal):
    """The account works for this store already; its role is changed by disabling it first."""

    code = "member_exists"
    kind = Kind.CONFLICT


class MemberKnown(Refusal):
    """It is known already which resident this account's holder is; only the office says that it is another."""

    code = "member_known"
    kind = Kind.CONFLICT


class Status(StrEnum):
    """Of a merchant or a store; a payment needs both to be active."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class MemberStatus(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"


class MemberRole(StrEnum):
    """What a member may do in one store; the order of power is owner, manager, clerk."""

    OWNER = "owner"
    MANAGER = "manager"
    CLERK = "clerk"


@dataclass(frozen=True)
class Merchant:
    """Who is paid: a company or a person with one or more stores."""

    id: UUID
    number: str
    name: str
    invoice_number: str | None
    status: Status
    registered_at: datetime


@dataclass(frozen=True)
class StoreDetails:
    """How a store presents itself, as typed or, from `store_details`, as stored.

    `name` is what the payer reads (Japanese, at most 25 characters), `name_latin` and
    `city_latin` the same in ASCII for the EMVCo code, `postal_code` seven digits.
    """

    name: str
    name_latin: str
    store_class: StoreClass
    mcc: str
    postal_code: str
    city_latin: str


@dataclass(frozen=True)
class Store:
    """A place that takes points; `code` is the number people type, in stored form."""

    id: UUID
    code: str
    merchant_id: UUID
    details: StoreDetails
    status: Status
    registered_at: datetime


@dataclass(frozen=True)
class StoreOfMember:
    """A store as one of its staff sees it: their role there, and whether it may be paid now."""

    store: Store
    merchant_name: str
    role: MemberRole
    accepting: bool


@dataclass(frozen=True)
class Member:
    """An account's work in one store, and whose person that is where it is known."""

    store_id: UUID
    account_id: UUID
    role: MemberRole
    status: MemberStatus
    person_id: UUID | None
    since: datetime


def merchant_name(text: str) -> str:
    """A merchant's name without spaces at its ends; raises `MerchantNameInvalid`."""
    name = seen_name(text, MAX_MERCHANT_NAME)
    if name is None:
        raise MerchantNameInvalid(limit=MAX_MERCHANT_NAME)
    return name


def store_details(typed: StoreDetails) -> StoreDetails:
    """The same details in stored form, every one fit for the store's codes.

    Raises `StoreNameInvalid`, `StoreNameLatinInvalid`, `StoreCityLatinInvalid`, `MccInvalid`,
    `PostalCodeInvalid`. Full-width letters and digits are forgiven.
    """
    name = seen_name(typed.name, MAX_STORE_NAME)
    if name is None:
        raise StoreNameInvalid(limit=MAX_STORE_NAME)
    name_latin = _latin(typed.name_latin, MAX_NAME_LATIN)
    if name_latin is None:
        raise StoreNameLatinInvalid(limit=MAX_NAME_LATIN)
    city_latin = _latin(typed.city_latin, MAX_CITY_LATIN)
    if city_latin is None:
        raise StoreCityLatinInvalid(limit=MAX_CITY_LATIN)
    mcc = _folded(typed.mcc)
    if _MCC.fullmatch(mcc) is None:
        raise MccInvalid
    postal_code = _folded(typed.postal_code).removeprefix("〒").translate(_HYPHENS)
    if _POSTAL_CODE.fullmatch(postal_code) is None:
        raise PostalCodeInvalid
    return StoreDetails(name, name_latin, StoreClass(typed.store_class), mcc, postal_code, city_latin)


def status_reason(text: str) -> str:
    """Why a merchant, store or member is stopped or let on again; raises `MerchantReasonMissing`."""
    reason = text.strip()
    if not 1 <= len(reason) <= MAX_REASON_LENGTH:
        raise MerchantReasonMissing(limit=MAX_REASON_LENGTH)
    return reason


def may_appoint(acting: MemberRole | None, role: MemberRole) -> bool:
    """Whether a member may add or disable one of `role`: an owner anybody, a manager clerks."""
    return acting is MemberRole.OWNER or (acting is MemberRole.MANAGER and role is MemberRole.CLERK)


def _folded(text: str) -> str:
    """In usual width; over-long input becomes nothing, which fits nowhere."""
    return unicodedata.normalize("NFKC", text).strip() if len(text) <= MAX_TYPED_LENGTH else ""


def _latin(text: str, limit: int) -> str | None:
    latin = _folded(text)
    return latin if len(latin) <= limit and _LATIN.fullmatch(latin) else None
