"""Pieces of SQL for who is paid: stores with the merchant behind each, without seeing our tables."""

from typing import Any

from sqlalchemy import Select, select

from services.merchants.tables.schema import MerchantRow, StoreRow


def payees() -> Select[*tuple[Any, ...]]:
    """One row a store: what a statement and a transfer must know of it.

    Columns: store_id, store_code, store_name, store_class, merchant_id, merchant_number,
    merchant_name and merchant_active (False while the merchant is suspended; a store that is
    suspended alone is still owed what it sold).
    """
    return select(
        StoreRow.id.label("store_id"),
        StoreRow.code.label("store_code"),
        StoreRow.name.label("store_name"),
        StoreRow.store_class.label("store_class"),
        MerchantRow.id.label("merchant_id"),
        MerchantRow.number.label("merchant_number"),
        MerchantRow.name.label("merchant_name"),
        (MerchantRow.status == "active").label("merchant_active"),
    ).join(MerchantRow, MerchantRow.id == StoreRow.merchant_id)
