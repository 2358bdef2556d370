"""The package's tables and every statement on them.

Schema, accounts, sessions (also at registers), turns (plain refreshes), attempts (codes and passwords), factors (what
comes after a password), passkeys, looks (at people, by the city's staff), notices (how often somebody was told).
"""

from services.identity.tables import (
    accounts,
    at_register,
    attempts,
    factors,
    looks,
    notices,
    passkeys,
    schema,
    sessions,
    turns,
)

__all__ = [
    "accounts",
    "at_register",
    "attempts",
    "factors",
    "looks",
    "notices",
    "passkeys",
    "schema",
    "sessions",
    "turns",
]
