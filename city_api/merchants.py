"""Merchants: registered by an officer, paid to an account that is checked, suspended with a reason."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

from pydantic import Field

from city_api.bank_accounts import (
    REFUSALS,
    BankAccountRequest,
    PayoutAccountAnswer,
    PayoutAccountRequest,
    YuchoAccountRequest,
    account_answer,
)
from city_api.interests import propose_account_of_others
from city_api.payee_notices import tell_of_proposed_account
from city_api.stores import StatusAnswer, StatusRequest, StoreAnswer, StoreRequest, store_answer
from infra.http.apps import router
from infra.http.auth import CityStaff, Officer
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer, Body, Name, ShortText
from services.identity.fresh_sign_in import SignInNotFresh
from services.kit.db import Tx
from services.kit.four_eyes import OwnInterest
from services.kit.japan import InvalidCorporateNumber, InvalidInvoiceRegistration
from services.merchants import read
from services.merchants.onboard import Onboard, Onboarded, onboard
from services.merchants.propose_payout_account import ProposedPayoutAccount
from services.merchants.set_payout_account import SetPayoutAccount
from services.merchants.set_status import SetMerchantStatus, set_merchant_status
from services.merchants.shops import (
    MccInvalid,
    Merchant,
    MerchantNameInvalid,
    MerchantReasonMissing,
    PostalCodeInvalid,
    Status,
    StoreCityLatinInvalid,
    StoreNameInvalid,
    StoreNameLatinInvalid,
)

routes = router("merchants")


class MerchantRequest(Body):
    """A vetted merchant, its account and its first store."""

    name: Name
    invoice_number: ShortText | None = Field(
        default=None, description="適格請求書発行事業者登録番号: T and 13 digits.", examples=["T8040001000016"]
    )
    payout_account: BankAccountRequest | YuchoAccountRequest = Field(discriminator="type")
    store: StoreRequest


class OnboardedAnswer(Answer):
    """The new merchant and its first store, active at once."""

    merchant_id: UUID
    number: str
    store_id: UUID
    store_code: str


class MerchantLine(Answer):
    id: UUID
    number: str
    name: str
    invoice_number: str | None
    status: str
    registered_at: datetime


class MerchantsAnswer(Answer):
    """Merchants in the order of registration; ask on with `after` = `next` until that is null."""

    merchants: list[MerchantLine]
    next: UUID | None


class MerchantAnswer(MerchantLine):
    stores: list[StoreAnswer]
    payout_account: PayoutAccountAnswer | None


class PayoutAccountProposed(Answer):
    """What waits for the second yes: an approver says it with `POST /changes/{change_id}/approval`."""

    change_id: UUID
    fingerprint: str = Field(description="Stands for the whole account; the approval names it.")


@dataclass(frozen=True)
class _Page:
    after: UUID | None
    limit: int


@routes.post(
    "/merchants",
    status_code=201,
    responses=refuses(
        MerchantNameInvalid,
        InvalidInvoiceRegistration,
        InvalidCorporateNumber,
        StoreNameInvalid,
        StoreNameLatinInvalid,
        StoreCityLatinInvalid,
        MccInvalid,
        PostalCodeInvalid,
        *REFUSALS,
    ),
)
async def register_merchant(body: MerchantRequest, token: Officer, command: Command) -> OnboardedAnswer:
    """Register a merchant with the account that is paid and its first store."""
    account, store = body.payout_account.account(), body.store.details()
    asked = Onboard(token.account_id, body.name, body.invoice_number, account, store)
    return OnboardedAnswer.of(
        await command.perform(token.account_id, "city.merchant.onboard", onboard, asked, Onboarded)
    )


@routes.get("/merchants")
async def list_merchants(
    _token: CityStaff,
    here: Here,
    after: UUID | None = None,
    limit: PageSize = 100,
) -> MerchantsAnswer:
    """Merchants in the order of registration."""
    found = await here.database.transact(_list, _Page(after, limit))
    shown, following = paged(found, limit, lambda each: each.id)
    return MerchantsAnswer(merchants=[MerchantLine.of(each) for each in shown], next=following)


@routes.get("/merchants/{merchant_id}")
async def get_merchant(merchant_id: UUID, _token: CityStaff, here: Here) -> MerchantAnswer:
    """A merchant with its stores and its account."""
    found = await here.database.transact(read.merchant, merchant_id)
    account = found.payout_account
    return MerchantAnswer(
        **MerchantLine.of(found.merchant).model_dump(),
        stores=[store_answer(store) for store in found.stores],
        payout_account=account_answer(account.account) if account else None,
    )


@routes.post(
    "/merchants/{merchant_id}/payout-accounts",
    status_code=201,
    responses=refuses(*REFUSALS, OwnInterest, SignInNotFresh),
)
async def change_payout_account(
    merchant_id: UUID, body: PayoutAccountRequest, token: Officer, here: Here, command: Command
) -> PayoutAccountProposed:
    """Propose the account to which the merchant shall be paid; one that waits is given up. Its owners are told."""
    asked = SetPayoutAccount(token.account_id, merchant_id, body.payout_account.account())
    propose = partial(propose_account_of_others, session_id=token.session_id)
    done = await command.perform(token.account_id, "city.payout_account.propose", propose, asked, ProposedPayoutAccount)
    if not command.replayed:
        await tell_of_proposed_account(here, merchant_id)
    return PayoutAccountProposed.of(done)


@routes.post("/merchants/{merchant_id}/status", responses=refuses(MerchantReasonMissing))
async def change_merchant_status(
    merchant_id: UUID, body: StatusRequest, token: Officer, command: Command
) -> StatusAnswer:
    """Suspend all of a merchant's stores, or let them take payments again."""
    asked = SetMerchantStatus(token.account_id, merchant_id, Status(body.status), body.reason)
    await command.perform(token.account_id, "city.merchant.status", set_merchant_status, asked, type(None))
    return StatusAnswer(status=body.status)


async def _list(tx: Tx, page: _Page) -> tuple[Merchant, ...]:
    return await read.merchants(tx, after=page.after, limit=page.limit + 1)
