"""The package's tables and every statement on them: schema, businesses (merchants, payout accounts), stores."""

from services.merchants.tables import businesses, schema, stores

__all__ = ["businesses", "schema", "stores"]
