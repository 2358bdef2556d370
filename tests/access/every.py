"""Every place of the platform, from an app over no database."""

from sqlalchemy.ext.asyncio import create_async_engine

from infra.access.matrix import places
from infra.commands.openapi import NOWHERE
from infra.keys import make_keys
from infra.town import build_town
from services.kit.clock import OffsetClock
from services.kit.db import Database
from services.kit.ids import SecretEntropy

_TOWN = build_town(
    Database(create_async_engine(NOWHERE), OffsetClock(), SecretEntropy()), make_keys(), public_url="http://localhost"
)
PLACES = places(_TOWN.plain)
_TOWN.checkout.close()
