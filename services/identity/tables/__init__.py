"""The package's tables and every statement on them: schema, accounts, sessions, attempts (codes and passwords)."""

from services.identity.tables import accounts, attempts, schema, sessions

__all__ = ["accounts", "attempts", "schema", "sessions"]
