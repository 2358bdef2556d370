"""The package's tables and every statement on them: schema, access, cards, holdings, endings, purchases."""

from services.wallets.tables import access, cards, endings, holdings, purchases, schema

__all__ = ["access", "cards", "endings", "holdings", "purchases", "schema"]
