"""Sign a resident in by the code that reached their phone; the first time opens the account.

Law: a guess is paid for before it is compared. `prove_phone` takes one try in a committed
transaction of its own and only then looks at the code, so that neither a hundred guesses at
once nor a rollback gets a sixth. What follows from the proof, the account and whatever the
caller adds (a wallet), is one transaction that uses the code up.
"""

from dataclasses import dataclass, field
from uuid import UUID

from services.identity import codes
from services.identity.people import AccountDisabled, AccountKind, AccountStatus
from services.identity.tables import accounts, attempts
from services.kit.db import Database, Tx
from services.kit.errors import Missing


@dataclass(frozen=True)
class CodeGuess:
    """A code as typed for one attempt; `key` is the secret of one-time codes."""

    attempt_id: UUID
    code: str = field(repr=False)
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class ProvenPhone:
    """A phone whose code was right; made by `prove_phone`, good for one `sign_in`."""

    attempt_id: UUID
    phone: str = field(repr=False)


@dataclass(frozen=True)
class SignedIn:
    """A resident's account and the persons it acts for, themselves first."""

    account_id: UUID
    person_ids: tuple[UUID, ...]
    first_time: bool


async def prove_phone(database: Database, guess: CodeGuess) -> ProvenPhone:
    """Compare a guess with the code that was sent, at the price of one try.

    Raises `CodeMalformed` (which costs nothing), `CodeWrong`, `CodeExhausted`,
    `CodeExpired`.
    """
    typed = codes.read_code(guess.code)
    sent = await database.transact(_take_try, guess.attempt_id, direct=True)
    if not codes.code_fits(guess.key, guess.attempt_id, typed, sent.mac):
        raise codes.CodeWrong(tries_left=sent.tries_left)
    return ProvenPhone(guess.attempt_id, sent.phone)


async def sign_in(tx: Tx, proven: ProvenPhone) -> SignedIn:
    """Use the code up and give the phone's account; opens it, with its person, the first time.

    Of two first sign-ins at once one opens the account and the other finds it. Raises
    `CodeExpired` for a code used meanwhile, and `AccountDisabled`.
    """
    if not await attempts.use_code(tx, proven.attempt_id, proven.phone):
        raise codes.CodeExpired
    opened = await accounts.insert_account(tx, AccountKind.RESIDENT, phone=proven.phone)
    if opened is not None:
        return SignedIn(opened, (await accounts.insert_person(tx, opened),), first_time=True)
    await accounts.hold(tx, proven.phone)
    account = await accounts.account_by_phone(tx, proven.phone)
    if account is None:
        raise Missing
    if account.status is not AccountStatus.ACTIVE:
        raise AccountDisabled
    return SignedIn(account.id, tuple(await accounts.persons_of(tx, account.id)), first_time=False)


async def _take_try(tx: Tx, attempt_id: UUID) -> attempts.SentCode:
    sent = await attempts.take_code_try(tx, attempt_id)
    if sent is not None:
        return sent
    if await attempts.is_exhausted(tx, attempt_id):
        raise codes.CodeExhausted
    raise codes.CodeExpired
