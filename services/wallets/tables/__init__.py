"""The package's tables and every statement on them: schema, access, holdings, endings, purchases."""

from services.wallets.tables import access, endings, holdings, purchases, schema

__all__ = ["access", "endings", "holdings", "purchases", "schema"]
