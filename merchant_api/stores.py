"""The stores that one works for."""

from dataclasses import dataclass
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import AtCounter, StoreStaff
from infra.http.context import Here
from infra.http.idempotency import DeedAnswer, OwnDeed, recall
from infra.http.strict import Answer
from services.kit.db import Tx
from services.kit.errors import Missing
from services.merchants.read import stores_of_account
from services.merchants.shops import StoreOfMember

routes = router("stores")


class StoreLine(Answer):
    """A store as its staff sees it."""

    id: UUID
    code: str = Field(description="The number on its sticker, as people read and type it.")
    name: str
    name_latin: str
    merchant_name: str
    store_class: str = Field(description="`large` or `small`: some purses are for small stores only.")
    status: str = Field(description="`active` or `suspended`.")
    accepting: bool = Field(description="Whether it may be paid now: the store and its merchant are active.")
    role: str = Field(description="`owner`, `manager` or `clerk`: what the account may do here.")


class StoresAnswer(Answer):
    stores: list[StoreLine]


@dataclass(frozen=True)
class AtStore:
    """A store, asked for by an account; one that it does not work for does not exist."""

    store_id: UUID
    account_id: UUID


@routes.get("/stores")
async def list_stores(token: StoreStaff, here: Here) -> StoresAnswer:
    """The stores that the account works for now."""
    found = await here.database.transact(stores_of_account, token.account_id)
    return StoresAnswer(stores=[store_line(each) for each in found])


@routes.get("/stores/{store_id}")
async def get_store(store_id: UUID, token: AtCounter, here: Here) -> StoreLine:
    """One store."""
    return store_line(await here.database.transact(own_store, AtStore(store_id, token.account_id)))


@routes.get("/stores/{store_id}/deeds/{key}")
async def get_deed(store_id: UUID, key: UUID, token: AtCounter, here: Here) -> DeedAnswer:
    """What a command of one's own answered, for a till that lost the answer on the way."""
    asked = (AtStore(store_id, token.account_id), OwnDeed(token.account_id, key))
    return await here.database.transact(_deed, asked)


def store_line(found: StoreOfMember) -> StoreLine:
    store = found.store
    return StoreLine(
        id=store.id,
        code=store.code,
        name=store.details.name,
        name_latin=store.details.name_latin,
        merchant_name=found.merchant_name,
        store_class=store.details.store_class.value,
        status=store.status.value,
        accepting=found.accepting,
        role=found.role.value,
    )


async def own_store(tx: Tx, asked: AtStore) -> StoreOfMember:
    """The store, if the account works there now. Raises Missing."""
    for found in await stores_of_account(tx, asked.account_id):
        if found.store.id == asked.store_id:
            return found
    raise Missing


async def _deed(tx: Tx, asked: tuple[AtStore, OwnDeed]) -> DeedAnswer:
    await own_store(tx, asked[0])
    return await recall(tx, asked[1])
