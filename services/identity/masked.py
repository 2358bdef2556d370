"""Addresses as they are shown to somebody who has to recognise one, not to learn it."""

HIDDEN = "***"
_SHOWN_DIGITS = 4


def masked_phone(phone: str) -> str:
    """The last four digits of a number in its stored form."""
    return f"{HIDDEN}-{phone[-_SHOWN_DIGITS:]}"


def masked_email(email: str) -> str:
    """The first sign of name and domain, and the last part of the domain: `h***@e***.jp`."""
    local, _, domain = email.rpartition("@")
    name, _, top = domain.rpartition(".")
    return f"{_first(local)}@{_first(name)}.{top}"


def _first(text: str) -> str:
    """A name of one sign is not shown at all."""
    return (text[0] if len(text) > 1 else "") + HIDDEN
