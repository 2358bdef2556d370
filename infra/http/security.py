"""Headers that every answer carries, whatever made it."""

from collections.abc import Mapping

API_POLICY = "default-src 'none'; frame-ancestors 'none'"
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def standard_headers(*, secure: bool) -> Mapping[str, str]:
    """Headers for answers of an API; a page replaces the policy by `PAGE_POLICY`.

    `secure`: the platform is reached by HTTPS, and browsers shall never try anything else.
    """
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": API_POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(self), geolocation=(), microphone=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }
    if secure:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"
    return headers
