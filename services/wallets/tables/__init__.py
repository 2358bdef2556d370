"""The package's tables and every statement on them.

Schema, access, block_codes, cards, care, holdings, endings, merges, purchases.
"""

from services.wallets.tables import access, block_codes, cards, care, endings, holdings, merges, purchases, schema

__all__ = ["access", "block_codes", "cards", "care", "endings", "holdings", "merges", "purchases", "schema"]
