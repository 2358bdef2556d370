"""Open a session: the last step of every sign-in, in the sign-in's own transaction.

Law: whoever calls has proven who they are and holds the account (`tables.accounts.hold`) since before it
was looked at, so that what ends all sessions of an account ends this one too, or comes before it.
"""

from dataclasses import dataclass
from uuid import UUID

from services.identity.people import AccountKind
from services.identity.session import (
    ENTROPY_BYTES,
    NEW_PHONE,
    Carrier,
    EndedAs,
    NewPhone,
    OpenedSession,
    Session,
    begins,
    client_name,
    hash_of,
    new_token,
    write_token,
)
from services.identity.tables import notices, sessions
from services.kit.db import Tx


@dataclass(frozen=True)
class Opening:
    """What carries the tokens, and what the client says of itself; `language` is what it asks for, if anything."""

    carrier: Carrier = Carrier.BEARER
    client: str = ""
    language: str | None = None


BY_BEARER = Opening()


@dataclass(frozen=True)
class OpenSession:
    """Whose session is opened; `limit_yen` for a phone that is new to the account: what it pays at once at first.

    `owes_secret`: it has shown a one-time code alone, and adds nothing until it has shown a secret as well.
    `register_id` for a session at a store's register: it has a clerk's rights there and lives for minutes.
    `new_client`: nothing shows that this client had a session of the account before, so the owner is told.
    """

    account_id: UUID
    kind: AccountKind
    opening: Opening
    limit_yen: int | None = None
    owes_secret: bool = False
    register_id: UUID | None = None
    new_client: bool = False


async def open_session(tx: Tx, command: OpenSession) -> OpenedSession:
    """A new session, in place of the oldest when the account has too many."""
    session_id = tx.new_id()
    token = new_token(session_id, tx.entropy.take(ENTROPY_BYTES))
    expires_at, latest_at = begins(command.kind, tx.now, at_register=command.register_id is not None)
    carrier, client = command.opening.carrier, client_name(command.opening.client)
    await sessions.make_room(tx, command.account_id, EndedAs.CROWDED_OUT)
    session = Session(session_id, carrier, client, tx.now, tx.now, expires_at)
    hashes = hash_of(token.family), hash_of(token.turn)
    limit_yen = command.limit_yen
    new = None if limit_yen is None else NewPhone(tx.now + NEW_PHONE, limit_yen)
    owes, place = command.owes_secret, command.register_id
    await sessions.insert_session(
        tx, session, command.account_id, hashes, latest_at, new, owes_secret=owes, register_id=place
    )
    if command.opening.language is not None and not command.new_client and place is None:
        await notices.note_language(tx, command.account_id, command.opening.language)
    return OpenedSession(session_id, carrier, write_token(token), expires_at, command.new_client)
