"""The package's tables and every statement on them: schema, writing payments, reading them."""

from services.payments.tables import reading, schema, writing

__all__ = ["reading", "schema", "writing"]
