"""Pieces of SQL that other packages may put into their own statements, without seeing our tables."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import InstrumentedAttribute

from services.wallets.tables.schema import DeviceRow, WalletRow

wallet_id: InstrumentedAttribute[UUID] = WalletRow.id


def is_phone_of(device_id: ColumnElement[Any], its_wallet_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """True where the phone is registered for that wallet, whether it is blocked or not."""
    return exists().where(DeviceRow.id == device_id, DeviceRow.wallet_id == its_wallet_id)
