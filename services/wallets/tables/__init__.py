"""The package's tables and every statement on them: schema, holdings (wallets and lots), purchases."""

from services.wallets.tables import holdings, purchases, schema

__all__ = ["holdings", "purchases", "schema"]
