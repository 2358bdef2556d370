"""The package's tables and every statement on them: schema, accounts, attempts (codes and passwords)."""

from services.identity.tables import accounts, attempts, schema

__all__ = ["accounts", "attempts", "schema"]
