"""RFC 4648's base64url as tokens write it (RFC 7515): no padding, and one text for one content."""

import base64


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode("ascii")


def unbase64url(text: str) -> bytes:
    """The bytes of a base64url text in its one canonical form.

    Raises ValueError for another alphabet, padding, a wrong length, or spare bits that are
    not zero: each would let one content have several texts.
    """
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError as error:
        raise ValueError("not base64url") from error
    if base64url(content) != text:
        raise ValueError("not the canonical base64url")
    return content
