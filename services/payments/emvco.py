"""EMVCo merchant-presented QR, v1.1: the text inside a store's code, written and read strictly.

Law: what is written here is read back equal, and a text in which anything is out of place is
refused, never guessed at. A data object is a two-digit id, a two-digit length that counts
*characters* (code points, not bytes) and a value; the checksum covers the UTF-8 *bytes*.
Source: docs/sources.md, "EMVCo QR Code Specification for Payment Systems, Merchant-Presented
Mode, v1.1", sections 3 and 4.
"""

import re
from binascii import crc_hqx
from dataclasses import dataclass

from services.kit.errors import Refusal

MAX_CHARACTERS = 512
MAX_VALUE_CHARACTERS = 99
YEN = "392"  # ISO 4217 numeric
JAPAN = "JP"
STATIC, DYNAMIC = "11", "12"
JPQR_GUID = "jp.or.paymentsjapan"  # of the Payments Japan Association: read, never issued by us

_MANDATORY = ("00", "52", "53", "58", "59", "60", "63")
_ACCOUNT_IDS = tuple(f"{number:02d}" for number in range(2, 52))
_TEMPLATE_IDS = frozenset(f"{number:02d}" for number in [*range(26, 52), 62, 64, *range(80, 100)])
_DIGITS = re.compile(r"[0-9]{2}")
_PRINTABLE_ASCII = re.compile(r"[ -~]+")

# The form of a value, by its id, or by its template and id. Ids without a line are free text.
_FORMS = {
    "00": re.compile(r"01"),
    "01": re.compile(r"1[12]"),
    "52": re.compile(r"[0-9]{4}"),
    "53": re.compile(r"[0-9]{3}"),
    "54": re.compile(r"(?=.{1,13}\Z)(?=.*[1-9])[0-9]+(\.[0-9]*)?"),
    "58": re.compile(r"[A-Z]{2}"),
    "59": re.compile(r"[ -~]{1,25}"),
    "60": re.compile(r"[ -~]{1,15}"),
    "61": re.compile(r"[ -~]{1,10}"),
    "62.03": re.compile(r"[ -~]{1,25}"),
    "62.05": re.compile(r"[ -~]{1,25}"),
    "62.07": re.compile(r"[ -~]{1,25}"),
    "64.00": re.compile(r"[A-Za-z]{2}"),
    "64.01": re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,25}"),
    "64.02": re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{1,15}"),
}
_GUID = re.compile(r"[!-~]{1,32}")


class EmvcoTooLong(Refusal):
    """More than 512 characters; carries `length` and `limit`."""

    code = "emvco_too_long"


class EmvcoTruncated(Refusal):
    """The text ends inside a data object, or before the checksum."""

    code = "emvco_truncated"


class EmvcoMalformed(Refusal):
    """An id or length is not two digits, or an object is missing or misplaced; carries `position`."""

    code = "emvco_malformed"


class EmvcoRepeatedId(Refusal):
    """The same id twice on one level; carries `id`."""

    code = "emvco_repeated_id"


class EmvcoChecksum(Refusal):
    """The checksum is not that of the text: a misread or an altered code."""

    code = "emvco_checksum"


class EmvcoValue(Refusal):
    """A value does not have its field's form; carries `field`, for instance `59` or `64.01`."""

    code = "emvco_value"


Objects = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Payload:
    """A code whose every rule has been checked: its data objects, in their order."""

    objects: Objects

    def get(self, object_id: str) -> str | None:
        return dict(self.objects).get(object_id)

    def template(self, object_id: str) -> dict[str, str]:
        """The objects inside a template, by id; empty when the template is absent."""
        value = self.get(object_id)
        return {} if value is None else dict(split(value))

    def account(self, guid: str) -> dict[str, str] | None:
        """The objects inside the merchant account template that `guid` names, if there is one."""
        return accounts(self.objects).get(guid)

    @property
    def is_dynamic(self) -> bool:
        return self.get("01") == DYNAMIC

    @property
    def amount_yen(self) -> int | None:
        """Whole yen, or None where the payer types the amount.

        Raises EmvcoValue when the amount is in another currency or has a fraction.
        """
        amount = self.get("54")
        if amount is None:
            return None
        if self.get("53") != YEN or "." in amount:
            raise EmvcoValue(field="54")
        return int(amount)


def crc16(content: bytes) -> int:
    """CRC-16/CCITT-FALSE: polynomial 1021, start FFFF, not reflected; 29B1 for `123456789`."""
    return crc_hqx(content, 0xFFFF)


def store_payload(
    *,
    store_code: str,
    name_ascii: str,
    name_ja: str,
    city_ascii: str,
    postal_code: str,
    mcc: str,
    guid: str,
    amount_yen: int | None = None,
    reference: str | None = None,
    terminal: str | None = None,
) -> str:
    """The text of a store's code: static for a sticker, dynamic for a register's amount.

    `guid` is our own reverse domain (at most 32 characters); `reference` is the register's
    code and comes with `amount_yen` or not at all, so that whoever scans the code asks us for
    the sum instead of trusting a picture. Raises EmvcoValue (with the `field`) for a value
    that does not fit its field, and EmvcoTooLong.
    """
    if _GUID.fullmatch(guid) is None or guid.lower() == JPQR_GUID:
        raise EmvcoValue(field="26.00")
    if not store_code or len(store_code) > 25 or _PRINTABLE_ASCII.fullmatch(store_code) is None:
        raise EmvcoValue(field="26.01")
    if (amount_yen is None) != (reference is None):
        raise EmvcoValue(field="62.05")
    additional = {"03": store_code, "05": reference, "07": terminal}
    body = _write(
        {
            "00": "01",
            "01": STATIC if amount_yen is None else DYNAMIC,
            "26": _write({"00": guid, "01": store_code}, within="26."),
            "52": mcc,
            "53": YEN,
            "54": None if amount_yen is None else str(amount_yen),
            "58": JAPAN,
            "59": name_ascii,
            "60": city_ascii,
            "61": postal_code,
            "62": _write(additional, within="62."),
            "64": _write({"00": "JA", "01": name_ja}, within="64."),
        }
    )
    text = f"{body}6304"
    text += f"{crc16(text.encode()):04X}"
    if len(text) > MAX_CHARACTERS:
        raise EmvcoTooLong(length=len(text), limit=MAX_CHARACTERS)
    return text


def _write(values: dict[str, str | None], within: str = "") -> str:
    """Data objects one after another; absent values are left out, the rest held to their form."""
    pieces = []
    for object_id, value in values.items():
        if value is None:
            continue
        _hold_to_form(f"{within}{object_id}", value)
        if not 1 <= len(value) <= MAX_VALUE_CHARACTERS:
            raise EmvcoValue(field=f"{within}{object_id}")
        pieces.append(f"{object_id}{len(value):02d}{value}")
    return "".join(pieces)


def _hold_to_form(field: str, value: str) -> None:
    form = _FORMS.get(field)
    if form is not None and form.fullmatch(value) is None:
        raise EmvcoValue(field=field)


def split(text: str) -> Objects:
    """The data objects of one level, without looking at what they mean.

    Raises EmvcoMalformed, EmvcoTruncated or EmvcoRepeatedId.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        object_id, length = text[position : position + 2], text[position + 2 : position + 4]
        if len(length) < 2:
            raise EmvcoTruncated()
        if _DIGITS.fullmatch(object_id) is None or _DIGITS.fullmatch(length) is None or length == "00":
            raise EmvcoMalformed(position=position)
        value = text[position + 4 : position + 4 + int(length)]
        if len(value) < int(length):
            raise EmvcoTruncated()
        if object_id in found:
            raise EmvcoRepeatedId(id=object_id)
        found[object_id] = value
        position += 4 + len(value)
    return tuple(found.items())


def accounts(objects: Objects) -> dict[str, dict[str, str]]:
    """The merchant account templates (26 to 51) by their globally unique id.

    Raises EmvcoMalformed for a template without one, EmvcoRepeatedId for two with the same.
    """
    found: dict[str, dict[str, str]] = {}
    for object_id, value in objects:
        if not "26" <= object_id <= "51":
            continue
        inside = dict(split(value))
        guid = inside.get("00")
        if guid is None or _GUID.fullmatch(guid) is None:
            raise EmvcoMalformed(position=0)
        if guid in found:
            raise EmvcoRepeatedId(id=object_id)
        found[guid] = inside
    return found


def parse(text: str) -> Payload:
    """Read a code of any payment service, holding it to every rule of the format.

    Raises EmvcoTooLong, EmvcoTruncated, EmvcoMalformed, EmvcoRepeatedId, EmvcoChecksum or
    EmvcoValue.
    """
    if len(text) > MAX_CHARACTERS:
        raise EmvcoTooLong(length=len(text), limit=MAX_CHARACTERS)
    objects = split(text)
    if not objects or objects[0][0] != "00":
        raise EmvcoMalformed(position=0)
    if objects[-1][0] != "63":
        # A text cut between two objects has a first but no last one.
        raise EmvcoTruncated() if "63" not in dict(objects) else EmvcoMalformed(position=len(text))
    _check_sum(text, objects[-1][1])
    present = dict(objects)
    if any(object_id not in present for object_id in _MANDATORY):
        raise EmvcoMalformed(position=len(text))
    if not any(object_id in present for object_id in _ACCOUNT_IDS):
        raise EmvcoMalformed(position=len(text))
    for object_id, value in objects:
        _hold_to_form(object_id, value)
        if object_id in _TEMPLATE_IDS:
            for inner_id, inner in split(value):
                _hold_to_form(f"{object_id}.{inner_id}", inner)
    accounts(objects)
    if "64" in present and not {"00", "01"} <= dict(split(present["64"])).keys():
        raise EmvcoMalformed(position=len(text))
    return Payload(objects)


def _check_sum(text: str, stated: str) -> None:
    try:
        covered = text[: -len(stated)].encode()
    except UnicodeEncodeError as error:  # a lone surrogate is no character
        raise EmvcoMalformed(position=error.start) from error
    if f"{crc16(covered):04X}" != stated:
        raise EmvcoChecksum()
