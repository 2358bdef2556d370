"""The package's tables and every statement on them: schema, writing payments, reading them,
declined ones, what stores take by the hour."""

from services.payments.tables import at_stores, declines, reading, schema, writing

__all__ = ["at_stores", "declines", "reading", "schema", "writing"]
