"""A store as a payment sees it: where the money goes, whether it may be taken, and by whom."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.kit.errors import Kind, Missing, Refusal
from services.kit.frozen import quick


class StoreUnknown(Refusal):
    code = "store_unknown"
    kind = Kind.MISSING


class StoreSuspended(Refusal):
    code = "store_suspended"
    kind = Kind.FORBIDDEN


class OwnStore(Refusal):
    """Nobody pays a store that they own or work for."""

    code = "own_store"
    kind = Kind.FORBIDDEN


@quick
@dataclass(frozen=True)
class StoreAtTill:
    """`member_role` is the acting account's role there, None without one; persons known to be staff."""

    id: UUID
    code: str
    name: str
    store_class: str
    merchant_id: UUID
    accepting: bool
    member_role: str | None
    staff_person_ids: frozenset[UUID]


def store_at_till(row: Sequence[Any]) -> StoreAtTill:
    """From a row of `clauses.stores_at_till`."""
    store_id, code, name, store_class, merchant_id, accepting, role, staff = row
    return StoreAtTill(store_id, code, name, store_class, merchant_id, accepting, role, frozenset(staff or ()))


def must_accept(store: StoreAtTill, payer_person_id: UUID) -> None:
    """Raise unless the store may take this person's payment at this moment."""
    if not store.accepting:
        raise StoreSuspended(store=store.code)
    if payer_person_id in store.staff_person_ids:
        raise OwnStore(store=store.code)


def must_be_staff(store: StoreAtTill | None, roles: frozenset[str]) -> StoreAtTill:
    """The store, if the acting account has one of these roles there; Missing to everyone else."""
    if store is None or store.member_role not in roles:
        raise Missing()
    return store
