"""The right request of every route, by its API and name."""

from tests.access import (
    requests,
    requests_care,
    requests_city,
    requests_desk,
    requests_factors,
    requests_passkeys,
    requests_phones,
    requests_registers,
    requests_residents,
    requests_sessions,
)

REQUESTS = requests.REQUESTS
MORE = [
    each.__name__
    for each in (
        requests_care,
        requests_city,
        requests_desk,
        requests_factors,
        requests_passkeys,
        requests_phones,
        requests_registers,
        requests_residents,
        requests_sessions,
    )
]
"""Loaded for what they add."""
