"""Ask for a one-time code: the first half of a resident's sign-in.

Law: the answer is the same whether the phone has an account or not. The plain code leaves
here once, in the result, for the caller to send after the commit; no network call sits in
the transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.identity import codes
from services.identity.people import phone_number
from services.identity.tables import attempts
from services.kit.db import Tx


@dataclass(frozen=True)
class RequestCode:
    """`phone` as typed; `key` is the secret of one-time codes, at least 32 bytes."""

    phone: str = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class CodeRequested:
    """The attempt that the code belongs to; `phone` and `code` are for the SMS only."""

    attempt_id: UUID
    expires_at: datetime
    phone: str = field(repr=False)
    code: str = field(repr=False)


async def request_code(tx: Tx, command: RequestCode) -> CodeRequested:
    """Make a code for a phone; earlier ones keep their own life, so nobody can spoil a stranger's.

    Raises `PhoneMalformed`, `PhoneNotJapanese`, `PhoneUnusable`, and `CodeThrottled` within
    30 s of the last code or after five in an hour: counted under a lock, so that requests
    at once are not all the first.
    """
    phone = phone_number(command.phone)
    await attempts.lock_phone(tx, phone)
    sent_at = await attempts.codes_sent(tx, phone, tx.now - codes.PERIOD)
    wait = codes.wait_seconds(sent_at, tx.now)
    if wait > 0:
        raise codes.CodeThrottled(retry_after_seconds=wait)
    attempt_id, code = tx.new_id(), codes.make_code(tx.entropy.take(codes.ENTROPY_BYTES))
    mac = codes.code_mac(command.key, attempt_id, code)
    expires_at = tx.now + codes.LIFETIME
    await attempts.insert_code(tx, attempt_id, phone, mac, expires_at, codes.TRIES)
    return CodeRequested(attempt_id, expires_at, phone, code)
