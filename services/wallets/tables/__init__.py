"""The package's tables and every statement on them: schema, access, holdings, purchases."""

from services.wallets.tables import access, holdings, purchases, schema

__all__ = ["access", "holdings", "purchases", "schema"]
