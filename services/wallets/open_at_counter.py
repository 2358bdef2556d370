"""Open a wallet at the counter for somebody without a phone: seen by an officer, proven, once a person."""

from uuid import UUID

from services.identity.open_person import open_person
from services.kit.db import Tx
from services.kit.errors import Kind, Refusal
from services.residency.prove import AtTheCounter, prove_at_counter
from services.wallets.open import NUMBER_LENGTH, NUMBER_PREFIX
from services.wallets.tables import access
from services.wallets.wallet import Wallet

NOBODY_YET = UUID(int=0)
"""The `person_id` of somebody who is not known yet."""


class PersonHasWallet(Refusal):
    """Somebody has proven this name and birth date: look for their wallet, and give that one a card."""

    code = "person_has_wallet"
    kind = Kind.CONFLICT


async def open_at_counter(tx: Tx, seen: AtTheCounter) -> Wallet:
    """A person and their wallet. Raises ResidencyDetailsInvalid and PersonHasWallet."""
    person_id = await open_person(tx, seen.officer_id)
    known = {**vars(seen), "person_id": person_id}
    if not (await prove_at_counter(tx, AtTheCounter(**known))).proven:
        raise PersonHasWallet
    wallet = Wallet(tx.new_id(), tx.new_number(NUMBER_PREFIX, NUMBER_LENGTH), person_id, "active")
    await access.insert_wallet(tx, wallet)
    return wallet
