"""Sign in by a one-time code to one's phone; the first time opens the person's wallet."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header
from pydantic import Field

import locales
from infra.http.apps import router
from infra.http.auth import PUBLIC
from infra.http.browser import CrossSite, Visit, Visiting
from infra.http.context import Context, Here
from infra.http.notices import tell_of_sign_in
from infra.http.openapi import refuses
from infra.http.passkeys import (
    PASSKEY_REFUSALS,
    ChallengeAnswer,
    PasskeyUseRequest,
    challenge_for_use,
    party_of,
    revoked,
)
from infra.http.staff import ReturningRequest, earlier_session
from infra.http.strict import Answer, Body, Secret, ShortText
from infra.http.tokens import TokenAnswer, opening, token_members
from services.identity import codes, read
from services.identity.open_session import Opening, OpenSession, open_session
from services.identity.owed_secret import is_owed
from services.identity.people import (
    Account,
    AccountDisabled,
    AccountKind,
    PhoneMalformed,
    PhoneNotJapanese,
    PhoneUnusable,
    Role,
)
from services.identity.request_code import RequestCode, request_code
from services.identity.session import OpenedSession, RefreshToken
from services.identity.sign_in import CodeGuess, ProvenPhone, SignedIn, prove_phone, sign_in
from services.identity.tokens import Audience
from services.identity.use_passkey import UsePasskey, use_passkey
from services.kit.db import Tx
from services.wallets.open import open_wallet
from services.wallets.show_secret import has_secret
from services.wallets.wallet import Wallet

routes = router("sign-in")


class CodeRequest(Body):
    """Where the one-time code goes."""

    phone: ShortText = Field(description="A Japanese number as a person types it.", examples=["090-1234-5678"])


class CodeRequestAnswer(Answer):
    """The attempt that the code belongs to; whether the number is known is not told."""

    attempt_id: UUID
    expires_at: datetime


class SignInRequest(ReturningRequest):
    """The code that reached the phone."""

    attempt_id: UUID
    code: Secret = Field(description="Six digits; spaces and a hyphen are forgiven.", examples=["123456"])


@dataclass(frozen=True)
class _Entering:
    proven: ProvenPhone
    opening: Opening
    limit_yen: int
    earlier: RefreshToken | None


@dataclass(frozen=True)
class _Entered:
    signed_in: SignedIn
    wallets: list[Wallet]
    session: OpenedSession
    secret_owed: bool = False


class WalletName(Answer):
    """A wallet that the account acts for."""

    id: UUID
    number: str = Field(description="What people read aloud and type.")


class SignInAnswer(TokenAnswer):
    """A signed-in resident."""

    account_id: UUID
    wallets: list[WalletName]
    secret_owed: bool = Field(
        description="Whether this sign-in first shows a secret (`POST /sessions/secret`) before it adds a phone, a "
        "passkey or a printed code."
    )


@routes.post(
    "/sign-in/codes",
    dependencies=[PUBLIC],
    status_code=202,
    responses=refuses(PhoneMalformed, PhoneNotJapanese, PhoneUnusable, codes.CodeThrottled),
)
async def send_sign_in_code(
    body: CodeRequest, here: Here, accept_language: Annotated[str, Header(max_length=200)] = ""
) -> CodeRequestAnswer:
    """Send a one-time code by SMS, in the language of `Accept-Language`."""
    made = await here.database.transact(request_code, RequestCode(body.phone, here.code_key), direct=True)
    minutes = int(codes.LIFETIME.total_seconds()) // 60
    language = locales.choose(accept_language)
    await here.sms.send(made.phone, locales.text(language, "sms.sign_in_code", code=made.code, minutes=minutes))
    return CodeRequestAnswer.of(made)


@routes.post(
    "/sign-in",
    dependencies=[PUBLIC],
    responses=refuses(
        codes.CodeMalformed, codes.CodeWrong, codes.CodeExpired, codes.CodeExhausted, AccountDisabled, CrossSite
    ),
)
async def sign_in_resident(body: SignInRequest, here: Here, visit: Visiting) -> SignInAnswer:
    """Sign in with the code; the first sign-in of a phone opens the account and the wallet."""
    entering = opening(visit, here, body.carrier)
    proven = await prove_phone(here.database, CodeGuess(body.attempt_id, body.code, here.code_key))
    earlier = earlier_session(visit, Audience.WALLET, body)
    asked = _Entering(proven, entering, here.new_phone_limit_yen, earlier)
    entered = await here.database.transact(_enter, asked, direct=True)
    return await _answer(here, visit, entered)


@routes.post("/sign-in/passkey/challenge", dependencies=[PUBLIC])
async def ask_sign_in_passkey(here: Here) -> ChallengeAnswer:
    """What an authenticator has to sign; it knows for which account."""
    return await challenge_for_use(here, AccountKind.RESIDENT)


@routes.post("/sign-in/passkey", dependencies=[PUBLIC], responses=refuses(*PASSKEY_REFUSALS, CrossSite))
async def sign_in_with_passkey(body: PasskeyUseRequest, here: Here, visit: Visiting) -> SignInAnswer:
    """Sign in with a passkey alone: it is a thing that one has, unlocked by what one knows or is."""
    carried = opening(visit, here, body.carrier)
    earlier = earlier_session(visit, Audience.WALLET, body)

    async def enter(tx: Tx, account: Account) -> _Entered:
        known = SignedIn(account.id, await read.persons(tx, account.id), first_time=False)
        wallets = await open_wallet(tx, known.person_ids[0], account.id)
        here_before = earlier is not None and await read.was_here(tx, account.id, earlier)
        limit_yen, new = here.new_phone_limit_yen, not here_before
        asked = OpenSession(account.id, AccountKind.RESIDENT, carried, limit_yen, new_client=new)
        return _Entered(known, wallets, await open_session(tx, asked))

    used = UsePasskey(AccountKind.RESIDENT, body.challenge_id, body.credential.parts(), party_of(here))
    return await _answer(here, visit, await use_passkey(here.database, used, enter, revoked(here)))


async def _answer(here: Context, visit: Visit, entered: _Entered) -> SignInAnswer:
    account_id = entered.signed_in.account_id
    await tell_of_sign_in(here, account_id, entered.session)
    return SignInAnswer(
        **token_members(here, visit, Audience.WALLET, account_id, [Role.RESIDENT], entered.session),
        account_id=account_id,
        wallets=[WalletName.of(wallet) for wallet in entered.wallets],
        secret_owed=entered.secret_owed,
    )


async def _enter(tx: Tx, entering: _Entering) -> _Entered:
    """Use the code up, make sure that the person has a wallet, and open a session, in one transaction."""
    signed_in = await sign_in(tx, entering.proven)
    wallets = await open_wallet(tx, signed_in.person_ids[0], signed_in.account_id)
    account_id, earlier = signed_in.account_id, entering.earlier
    here_before = earlier is not None and await read.was_here(tx, account_id, earlier)
    owed_before = earlier is not None and await is_owed(tx, account_id, earlier.session_id)
    known = signed_in.first_time or here_before
    limit_yen = None if known else entering.limit_yen
    owes = (not known or owed_before) and await has_secret(tx, signed_in.person_ids[0])
    asked = OpenSession(account_id, AccountKind.RESIDENT, entering.opening, limit_yen, owes, new_client=not known)
    return _Entered(signed_in, wallets, await open_session(tx, asked), owes)
