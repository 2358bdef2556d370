"""How far each route reaches: the part of its rule that its use case asks of the tables, written down by hand.

Law: the table has every route, once. What a token must say is read from the code; whose thing it must be
stands here and is tried over HTTP, so neither can change without the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from infra.access.callers import Tie


@dataclass(frozen=True)
class Verdict:
    """What a caller is answered: `status` 0 is yes; `why` is the reason of a refusal in a word."""

    status: int
    why: str = ""


YES = Verdict(0)
_NOT_THEIRS = Verdict(404, "not theirs")
_REMOVED = Verdict(404, "removed")
_RANK = Verdict(403, "rank")
_NO_SUCH_RANK = Verdict(404, "rank")


@dataclass(frozen=True)
class Reach:
    """`words` says whose thing it is. A tie that is in neither `open_to` nor `refused` was forgotten.

    `closed` is what an account that was closed is answered by the use case, where the rule does not ask.
    """

    words: str
    open_to: frozenset[Tie]
    refused: Mapping[Tie, Verdict] = field(default_factory=dict)
    closed: Verdict | None = None


_RESIDENTS = frozenset({Tie.HOLDER, Tie.NEIGHBOUR, Tie.CARER})
_STAFF = frozenset({Tie.OWNER, Tie.MANAGER, Tie.CLERK})
_OUTSIDE = {Tie.STRANGER: _NOT_THEIRS, Tie.REMOVED: _REMOVED}
_EVERY_STAFF = _STAFF | {Tie.STRANGER, Tie.REMOVED}
_ENDED = Verdict(401, "ended")

EVERYBODY = Reach("everybody", frozenset(Tie))
LOCAL = Reach("everybody, where the local pages are", frozenset(Tie))
RESIDENTS = Reach("any resident", _RESIDENTS)
_OTHERS = {Tie.NEIGHBOUR: _NOT_THEIRS, Tie.CARER: _NOT_THEIRS}
OWN_WALLET = Reach("the wallet's holder", frozenset({Tie.HOLDER}), _OTHERS)
IN_HAND = Reach("the holder and their carers", frozenset({Tie.HOLDER, Tie.CARER}), {Tie.NEIGHBOUR: _NOT_THEIRS})
OWN_PHONE = replace(OWN_WALLET, words="the holder, and whose phone it is")
OWN_DEED = replace(OWN_WALLET, words="whose deed it was, with the wallet in hand")
PAYER = replace(IN_HAND, closed=_ENDED)
STAFF = Reach("any store's staff, of their own", _EVERY_STAFF)
OWN_STORE = Reach("the store's staff", _STAFF, _OUTSIDE)
TILL = replace(OWN_STORE, closed=_ENDED)
OWN_BOOKS = Reach("its owner and managers", frozenset({Tie.OWNER, Tie.MANAGER}), {**_OUTSIDE, Tie.CLERK: _NO_SUCH_RANK})
OWN_TEAM = Reach("its owner and managers", frozenset({Tie.OWNER, Tie.MANAGER}), {**_OUTSIDE, Tie.CLERK: _RANK})
REGISTER = Reach("whoever has a register's own text", frozenset(Tie))
OFFICE = Reach("the city's office", frozenset({Tie.OFFICE}))
OWN_SESSION = Reach("whose session it is", _RESIDENTS | _EVERY_STAFF | {Tie.OFFICE})

REACH: Mapping[str, Mapping[str, Reach]] = {
    "wallet": {
        "GET /openapi.json": LOCAL,
        "POST /sign-in/codes": EVERYBODY,
        "POST /sign-in": EVERYBODY,
        "POST /sign-in/passkey/challenge": EVERYBODY,
        "POST /sign-in/passkey": EVERYBODY,
        "POST /sign-in/refresh": EVERYBODY,
        "POST /sign-out": OWN_SESSION,
        "GET /sessions": OWN_SESSION,
        "POST /sessions/secret": RESIDENTS,
        "POST /sessions/{session_id}/end": OWN_SESSION,
        "POST /passkeys/challenge": OWN_SESSION,
        "POST /passkeys": OWN_SESSION,
        "GET /passkeys": OWN_SESSION,
        "POST /passkeys/{passkey_id}/removal": OWN_SESSION,
        "GET /programmes": EVERYBODY,
        "GET /programmes/{code}": EVERYBODY,
        "GET /stores/{code}": EVERYBODY,
        "POST /codes": RESIDENTS,
        "POST /checkout/webhook": Reach("whoever signs as the channel", frozenset(Tie)),
        "POST /cards/balance": EVERYBODY,
        "GET /care/words": RESIDENTS,
        "GET /care": RESIDENTS,
        "POST /care": Reach("whoever was told the code", _RESIDENTS),
        "POST /care/{care_id}/end": replace(IN_HAND, words="either of the two"),
        "POST /wallets/{wallet_id}/care-codes": OWN_WALLET,
        "POST /cards/history": EVERYBODY,
        "POST /cards/pin": EVERYBODY,
        "POST /cards/limits": EVERYBODY,
        "GET /wallets": RESIDENTS,
        "GET /wallets/{wallet_id}": IN_HAND,
        "GET /wallets/{wallet_id}/history": IN_HAND,
        "GET /wallets/{wallet_id}/residency": OWN_WALLET,
        "POST /wallets/{wallet_id}/residency/letter": OWN_WALLET,
        "POST /wallets/{wallet_id}/residency/service": OWN_WALLET,
        "POST /wallets/{wallet_id}/residency/service/{attempt_id}": OWN_WALLET,
        "GET /wallets/{wallet_id}/devices": IN_HAND,
        "POST /wallets/{wallet_id}/devices": IN_HAND,
        "POST /wallets/{wallet_id}/devices/{device_id}/name": OWN_PHONE,
        "POST /wallets/{wallet_id}/devices/{device_id}/block": OWN_PHONE,
        "POST /wallets/{wallet_id}/block-code": OWN_WALLET,
        "POST /lost-phone": Reach("whoever has the printed code", frozenset(Tie)),
        "GET /wallets/{wallet_id}/deeds/{key}": OWN_DEED,
        "POST /wallets/{wallet_id}/purchases": IN_HAND,
        "GET /wallets/{wallet_id}/purchases": IN_HAND,
        "GET /wallets/{wallet_id}/purchases/{purchase_id}": IN_HAND,
        "GET /wallets/{wallet_id}/till-codes": IN_HAND,
        "POST /wallets/{wallet_id}/payments": PAYER,
        "GET /wallets/{wallet_id}/payments/{payment_id}": IN_HAND,
    },
    "merchant": {
        "GET /openapi.json": LOCAL,
        "POST /sign-in": EVERYBODY,
        "POST /sign-in/second-factor": EVERYBODY,
        "POST /sign-in/second-factor/enrolment": EVERYBODY,
        "POST /sign-in/second-factor/passkey/challenge": EVERYBODY,
        "POST /sign-in/second-factor/passkey": EVERYBODY,
        "POST /sign-in/refresh": EVERYBODY,
        "POST /sign-out": OWN_SESSION,
        "GET /sessions": OWN_SESSION,
        "POST /sessions/{session_id}/end": OWN_SESSION,
        "POST /passkeys/challenge": OWN_SESSION,
        "POST /passkeys": OWN_SESSION,
        "GET /passkeys": OWN_SESSION,
        "POST /passkeys/{passkey_id}/removal": OWN_SESSION,
        "GET /stores": STAFF,
        "GET /stores/{store_id}": OWN_STORE,
        "GET /stores/{store_id}/deeds/{key}": Reach("whose deed it was, while at the store", _STAFF, _OUTSIDE),
        "GET /stores/{store_id}/qr.svg": OWN_STORE,
        "GET /stores/{store_id}/qr.png": OWN_STORE,
        "GET /stores/{store_id}/sticker.svg": OWN_STORE,
        "GET /stores/{store_id}/emvco": OWN_STORE,
        "GET /stores/{store_id}/emvco.svg": OWN_STORE,
        "GET /stores/{store_id}/emvco.png": OWN_STORE,
        "POST /stores/{store_id}/payments": TILL,
        "POST /stores/{store_id}/card-payments": OWN_STORE,
        "GET /stores/{store_id}/payments": OWN_STORE,
        "GET /stores/{store_id}/payments/{payment_id}": OWN_STORE,
        "POST /stores/{store_id}/payments/{payment_id}/cancel": OWN_STORE,
        "POST /stores/{store_id}/payments/{payment_id}/refunds": OWN_STORE,
        "GET /stores/{store_id}/totals": OWN_STORE,
        "POST /stores/{store_id}/till-codes": OWN_STORE,
        "GET /stores/{store_id}/till-codes/{till_code_id}": OWN_STORE,
        "GET /stores/{store_id}/till-codes/{till_code_id}/qr.svg": OWN_STORE,
        "GET /stores/{store_id}/statements": OWN_BOOKS,
        "GET /stores/{store_id}/statements/{statement_id}": OWN_BOOKS,
        "GET /stores/{store_id}/statements/{statement_id}.txt": OWN_BOOKS,
        "GET /stores/{store_id}/insight": OWN_BOOKS,
        "GET /stores/{store_id}/members": OWN_TEAM,
        "POST /stores/{store_id}/members": OWN_TEAM,
        "POST /stores/{store_id}/members/{account_id}/disable": OWN_TEAM,
        "POST /stores/{store_id}/members/{account_id}/wallet": OWN_TEAM,
        "GET /stores/{store_id}/registers": OWN_TEAM,
        "POST /stores/{store_id}/registers": OWN_TEAM,
        "POST /stores/{store_id}/registers/{register_id}/revocation": OWN_TEAM,
        "POST /stores/{store_id}/members/{account_id}/pin-invitation": OWN_TEAM,
        "POST /registers/staff": REGISTER,
        "POST /registers/pin": REGISTER,
        "POST /registers/sign-in": REGISTER,
        "POST /password": STAFF,
    },
    "city": {
        "GET /openapi.json": LOCAL,
        "POST /sign-in": EVERYBODY,
        "POST /sign-in/second-factor": EVERYBODY,
        "POST /sign-in/second-factor/enrolment": EVERYBODY,
        "POST /sign-in/second-factor/passkey/challenge": EVERYBODY,
        "POST /sign-in/second-factor/passkey": EVERYBODY,
        "POST /sign-in/refresh": EVERYBODY,
        "POST /sign-out": OWN_SESSION,
        "GET /sessions": OWN_SESSION,
        "POST /sessions/{session_id}/end": OWN_SESSION,
        "POST /passkeys/challenge": OWN_SESSION,
        "POST /passkeys": OWN_SESSION,
        "GET /passkeys": OWN_SESSION,
        "POST /passkeys/{passkey_id}/removal": OWN_SESSION,
        "GET /programmes": OFFICE,
        "POST /programmes": OFFICE,
        "GET /programmes/{code}": OFFICE,
        "GET /programmes/{code}/versions": OFFICE,
        "POST /programmes/{code}/versions": OFFICE,
        "POST /programmes/{code}/versions/{version}/approval": OFFICE,
        "GET /programmes/{code}/trial-balance": OFFICE,
        "GET /programmes/{code}/closes": OFFICE,
        "POST /programmes/{code}/closes": OFFICE,
        "POST /programmes/{code}/money-in": OFFICE,
        "GET /closes/{close_id}/statements": OFFICE,
        "GET /statements/{statement_id}.txt": OFFICE,
        "GET /merchants": OFFICE,
        "POST /merchants": OFFICE,
        "GET /merchants/{merchant_id}": OFFICE,
        "POST /merchants/{merchant_id}/payout-accounts": OFFICE,
        "POST /merchants/{merchant_id}/status": OFFICE,
        "POST /merchants/{merchant_id}/stores": OFFICE,
        "POST /stores/{store_id}/status": OFFICE,
        "GET /stores/{store_id}/members": OFFICE,
        "POST /stores/{store_id}/members": OFFICE,
        "POST /stores/{store_id}/members/{account_id}/disable": OFFICE,
        "POST /stores/{store_id}/members/{account_id}/wallet": OFFICE,
        "GET /wallets/{number}": OFFICE,
        "POST /wallets/{number}/status": OFFICE,
        "GET /wallets/{number}/residency": OFFICE,
        "POST /wallets/{number}/residency": OFFICE,
        "POST /card-holders": OFFICE,
        "POST /care": OFFICE,
        "GET /wallets/{number}/care": OFFICE,
        "POST /care/{care_id}/end": OFFICE,
        "POST /merges": OFFICE,
        "POST /wallets/{number}/cards": OFFICE,
        "POST /cards/{number}/status": OFFICE,
        "POST /cards/{number}/pin": OFFICE,
        "POST /cards/{number}/limits": OFFICE,
        "POST /register": OFFICE,
        "POST /register/letters": OFFICE,
        "POST /register/letters/file": OFFICE,
        "POST /districts": OFFICE,
        "GET /residency-claims": OFFICE,
        "GET /residency-claims/{claim_id}": OFFICE,
        "POST /residency-claims/{claim_id}/decision": OFFICE,
        "GET /wallets/{number}/phones": OFFICE,
        "POST /wallets/{number}/phones/block": OFFICE,
        "POST /people/search": OFFICE,
        "GET /wallets/{number}/cards": OFFICE,
        "GET /wallets/{number}/declines": OFFICE,
        "POST /wallets/{number}/cards/freeze": OFFICE,
        "POST /wallets/{number}/sign-ins/end": OFFICE,
        "GET /look-alarms": OFFICE,
        "POST /look-alarms/{alarm_id}/closing": OFFICE,
        "POST /grants": OFFICE,
        "POST /grants/batches": OFFICE,
        "POST /purchases/{number}/undo": OFFICE,
        "POST /officers": OFFICE,
        "POST /accounts/{account_id}/status": OFFICE,
        "POST /accounts/{account_id}/roles/removal": OFFICE,
        "POST /accounts/{account_id}/person": OFFICE,
        "POST /accounts/{account_id}/second-factor/reset": OFFICE,
        "POST /password": OFFICE,
        "GET /bank-files": OFFICE,
        "POST /bank-files": OFFICE,
        "GET /bank-files/{bank_file_id}": OFFICE,
        "GET /bank-files/{bank_file_id}/content": OFFICE,
        "POST /bank-files/{bank_file_id}/approval": OFFICE,
        "POST /bank-files/{bank_file_id}/void": OFFICE,
        "POST /bank-files/{bank_file_id}/withdrawal": OFFICE,
        "POST /bank-files/{bank_file_id}/sent": OFFICE,
        "POST /bank-files/{bank_file_id}/paid": OFFICE,
        "GET /changes": OFFICE,
        "GET /changes/{change_id}": OFFICE,
        "POST /changes/{change_id}/approval": OFFICE,
        "POST /changes/{change_id}/withdrawal": OFFICE,
        "GET /proof": OFFICE,
        "GET /proofs": OFFICE,
        "GET /proofs/{proof_id}": OFFICE,
        "POST /proofs": OFFICE,
        "GET /audit": OFFICE,
        "GET /measures": OFFICE,
        "GET /measures/{name}": OFFICE,
        "GET /insight/alerts": OFFICE,
        "POST /insight/alerts/{alert_id}/review": OFFICE,
        "GET /insight/alerts/{alert_id}/people/{resident}": OFFICE,
        "GET /insight/charts": OFFICE,
        "GET /insight/charts/{name}": OFFICE,
    },
    "pages": {
        "GET /": LOCAL,
        "GET /local.css": LOCAL,
        "GET /outbox": LOCAL,
        "GET /sandbox/checkout/{checkout_id}": LOCAL,
        "POST /sandbox/checkout/{checkout_id}/{choice}": LOCAL,
    },
}
