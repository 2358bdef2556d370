"""What a scanned text is: a store, a register's sum, a resident's code, or somebody else's.

Law: only our own texts become codes of ours. A text of another service is named, so that a
person at a till hears "that is a PayPay code" and not "error"; everything else is unknown.
Nothing here says that the store, the sum or the code exists: that is asked of the tables.
Source: docs/sources.md (EMVCo MPM; JPQR; hosts of other services, collected by hand).
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from services.kit.errors import Refusal
from services.kit.numbers import parse_number
from services.merchants import shops
from services.payments import emvco
from services.payments.pay_code import PayCodeMalformed, peek_device

STORE_PREFIX, TILL_PREFIX = shops.STORE_PREFIX, "T"
"""The first sign of the numbers, and the folder of their URLs."""

MAX_CHARACTERS = 1024  # above every text of ours, below anything that costs time

_ORIGIN = re.compile(r"HTTPS?://[A-Z0-9]([A-Z0-9.-]*[A-Z0-9])?(:[0-9]{1,5})?")
_OWN_PATH = re.compile(rf"/([{STORE_PREFIX}{TILL_PREFIX}])/([0-9A-Z]{{6,22}})")
_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]*", re.ASCII)
_JSON_OPENING = "eyJ"  # {" in base64url
_EMVCO_OPENING = "000201"

# Domains whose codes a till sees in Japan, each with everything under it.
_SERVICES = {
    "paypay.ne.jp": "PayPay",
    "pay.rakuten.co.jp": "Rakuten Pay",
    "aupay.wallet.auone.jp": "au PAY",
    "merpay.com": "Merpay",
    "alipay.com": "Alipay",
}
_SCHEMES = {"wxp": "WeChat Pay", "weixin": "WeChat Pay"}


class CodeUnknown(Refusal):
    """No code of ours, and none that we can name."""

    code = "code_unknown"


class CodeForeign(Refusal):
    """A code of another payment service; carries its name as `service`."""

    code = "code_foreign"


@dataclass(frozen=True)
class StoreCode:
    """A store, in the stored form of its number; the payer types the sum."""

    number: str


@dataclass(frozen=True)
class TillCode:
    """A sum that a register asks for; the sum is ours to look up, never in the picture."""

    number: str


@dataclass(frozen=True)
class PayCode:
    """A resident's code, not yet verified; `device_id` tells whose key will verify it."""

    token: str
    device_id: UUID


def store_url(base_url: str, store_code: str) -> str:
    """The text of a store's sticker, in the alphanumeric mode of QR symbols.

    `base_url` is scheme, host and port, nothing after. Raises ValueError for another base
    (a wrong setting), and the refusals of `parse_number` for a code that is no store's.
    """
    return f"{_origin(base_url)}/{STORE_PREFIX}/{parse_number(store_code, prefix=STORE_PREFIX)}"


def till_url(base_url: str, till_code: str) -> str:
    """The text of a register's code; arguments and errors as in `store_url`."""
    return f"{_origin(base_url)}/{TILL_PREFIX}/{parse_number(till_code, prefix=TILL_PREFIX)}"


def recognise(text: str, base_url: str, guid: str) -> StoreCode | TillCode | PayCode:
    """Say what a scanned text is; `guid` is our own reverse domain in EMVCo codes.

    Raises CodeForeign (with the `service`) and CodeUnknown, the refusals of `emvco` for an
    EMVCo code that was misread or altered, and PayCodeMalformed for a token that looks like
    a resident's code and is none.
    """
    bare = text.strip(" \t\r\n")  # scanners that type end with a line break
    if not bare or len(bare) > MAX_CHARACTERS:
        raise CodeUnknown
    if bare.startswith(_EMVCO_OPENING):
        return _recognise_emvco(bare, guid)
    if _TOKEN.fullmatch(bare) is not None:
        return _recognise_token(bare)
    own = _recognise_own_url(bare, base_url)
    if own is not None:
        return own
    service = _service_of_url(bare)
    if service is None:
        raise CodeUnknown
    raise CodeForeign(service=service)


def _origin(base_url: str) -> str:
    origin = base_url.removesuffix("/").upper()
    if not base_url.isascii() or _ORIGIN.fullmatch(origin) is None:
        raise ValueError("the base of printed addresses is scheme://host or scheme://host:port")
    return origin


def _recognise_own_url(text: str, base_url: str) -> StoreCode | TillCode | None:
    # Only ASCII is raised to capitals: elsewhere a foreign letter can become one of ours.
    if not text.isascii():
        return None
    origin, address = _origin(base_url), text.upper()
    if not address.startswith(origin):
        return None
    path = _OWN_PATH.fullmatch(address, len(origin))
    return None if path is None else _own_code(path[1], path[2])


def _own_code(prefix: str, number: str) -> StoreCode | TillCode:
    try:
        valid = parse_number(number, prefix=prefix) == number
    except Refusal as error:
        raise CodeUnknown from error
    if not valid:
        raise CodeUnknown
    return StoreCode(number) if prefix == STORE_PREFIX else TillCode(number)


def _recognise_token(text: str) -> PayCode:
    try:
        return PayCode(text, peek_device(text))
    except PayCodeMalformed:
        if text.startswith(_JSON_OPENING):
            raise
        raise CodeUnknown from None


def _recognise_emvco(text: str, guid: str) -> StoreCode | TillCode:
    objects = emvco.split(text)
    last_id, last = objects[-1]
    # Local tax codes have the same form with a decimal checksum of five digits.
    if last_id == "63" and len(last) == 5 and last.isascii() and last.isdigit():
        raise CodeForeign(service="eL-QR")
    accounts = emvco.accounts(objects)
    if guid not in accounts:
        raise CodeForeign(service=_service_of_accounts(accounts))
    payload = emvco.parse(text)
    if not payload.is_dynamic:
        return _own_code(STORE_PREFIX, accounts[guid].get("01", ""))
    return _own_code(TILL_PREFIX, payload.template("62").get("05", ""))


def _service_of_accounts(accounts: dict[str, dict[str, str]]) -> str:
    if emvco.JPQR_GUID in accounts:
        return "JPQR"
    return next((guid for guid in accounts if "." in guid), "EMVCo")


def _service_of_url(text: str) -> str | None:
    try:
        address = urlsplit(text)
        host = (address.hostname or "").removesuffix(".")
    except ValueError:
        return None
    if address.scheme in _SCHEMES:
        return _SCHEMES[address.scheme]
    if address.scheme not in {"http", "https"}:
        return None
    for domain, service in _SERVICES.items():
        if host == domain or host.endswith(f".{domain}"):
            return service
    return None
