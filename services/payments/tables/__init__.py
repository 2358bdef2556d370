"""The package's tables and every statement on them: schema, writing payments, reading them,
declined ones."""

from services.payments.tables import declines, reading, schema, writing

__all__ = ["declines", "reading", "schema", "writing"]
