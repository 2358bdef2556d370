"""A resident's wallet as the office sees it: every look is written down."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field

from city_api.stores import StatusRequest
from infra.http.apps import router
from infra.http.auth import CityStaff, Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.strict import Answer, Reason, ShortText
from infra.http.typed import NUMBER_REFUSALS
from services.identity.bulk_reading import Looker, TooManyLooks
from services.identity.look_at import look_at
from services.kit.db import Tx
from services.kit.numbers import parse_number
from services.wallets import read
from services.wallets.open import NUMBER_PREFIX, SetWalletStatus, set_wallet_status
from services.wallets.wallet import Wallet, WalletMerged

routes = router("wallets")


class WalletAnswer(Answer):
    id: UUID
    number: str
    status: str = Field(description="`active`, `suspended` or `merged`.")


class PurseAnswer(Answer):
    """What one purse holds until one expiry."""

    programme: str
    purse: str
    points: int
    paid_points: int
    premium_points: int
    expires_on: date


class BalanceAnswer(Answer):
    """A wallet at an instant."""

    wallet: WalletAnswer
    total_points: int
    purses: list[PurseAnswer]
    at: datetime


@dataclass(frozen=True)
class _Look:
    number: str
    looker: Looker
    reason: str


@routes.get("/wallets/{number}", responses=refuses(*NUMBER_REFUSALS, TooManyLooks))
async def look_at_wallet(
    number: ShortText,
    reason: Annotated[Reason, Query(description="Why one looks, such as what the resident asked for.")],
    token: CityStaff,
    here: Here,
) -> BalanceAnswer:
    """A resident's balance. Who looked, at what, when and why is kept in the audit log."""
    asked = _Look(wallet_number(number), Looker(token.account_id, here.look_limits), reason)
    return BalanceAnswer.of(await here.database.transact(_look, asked))


@routes.post("/wallets/{number}/status", responses=refuses(*NUMBER_REFUSALS, WalletMerged))
async def change_wallet_status(
    number: ShortText, body: StatusRequest, token: Officer, command: Command
) -> WalletAnswer:
    """Suspend a wallet: it neither buys nor pays until it is active again."""
    asked = SetWalletStatus(wallet_number(number), body.status, body.reason, token.account_id)
    return WalletAnswer.of(
        await command.perform(token.account_id, "city.wallet.status", set_wallet_status, asked, Wallet)
    )


def wallet_number(typed: str) -> str:
    """A wallet's number as a person typed it, in stored form. Raises the refusals of `parse_number`."""
    return parse_number(typed, prefix=NUMBER_PREFIX)


async def _look(tx: Tx, asked: _Look) -> read.Balance:
    wallet = await read.wallet_by_number(tx, asked.number)
    people, its = [wallet.person_id], [wallet.id]
    await look_at(tx, asked.looker, "wallet.looked_at", people, about=its, reason=asked.reason)
    return await read.balance(tx, wallet)
