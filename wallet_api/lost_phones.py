"""A lost phone: print the code that blocks it while it is not lost, and type it in when it is."""

import hmac
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import PUBLIC, Resident
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.notices import tell_seldom
from infra.http.openapi import refuses
from infra.http.strict import Answer, Body, Secret
from services.identity.hashing import hash_secret
from services.identity.notice import About
from services.identity.owed_secret import SecretOwed
from services.identity.recovery import CODE_BYTES, make_code
from services.wallets.block_code import BlockCodeRefused, BlockCodeThrottled, read_block_code
from services.wallets.lost_phone import KeepBlockCode, LostPhone, block_by_code, keep_block_code
from wallet_api.owed_secrets import must_be_settled

routes = router("lost phones")


class BlockCodeRequest(Body):
    """Nothing to say."""


class BlockCodeAnswer(Answer):
    """To be printed or written down, and kept away from the phone."""

    code: str = Field(repr=False, description="Blocks all phones of the wallet, once; it can do nothing else.")


class LostPhoneRequest(Body):
    code: Secret = Field(repr=False, description="The sixteen signs, in any width, case and grouping.")


class PhonesBlockedAnswer(Answer):
    """The points are safe: they belong to the person, not to the phone."""

    phones: int
    sessions_ended: int


@routes.post("/wallets/{wallet_id}/block-code", status_code=201, responses=refuses(SecretOwed))
async def make_block_code(
    wallet_id: UUID, _body: BlockCodeRequest, token: Resident, here: Here, command: Command
) -> BlockCodeAnswer:
    """A new code in place of the earlier one; the same request again shows the same code."""
    await must_be_settled(here, token)
    # It follows from the request's own name, so that it is kept nowhere and can be answered again all the same.
    named = token.account_id.bytes + wallet_id.bytes + command.key.bytes
    code = make_code(hmac.digest(here.code_key, b"tanabata block code" + named, "sha256")[:CODE_BYTES])
    parts = read_block_code(code)
    hashed = await hash_secret(parts.secret, here.password_cost, here.database.entropy)
    asked = KeepBlockCode(wallet_id, token.account_id, parts.locator, hashed)
    await command.perform(
        token.account_id, "wallet.block_code", keep_block_code, asked, UUID, said=(wallet_id, token.account_id)
    )
    return BlockCodeAnswer(code=code)


@routes.post("/lost-phone", dependencies=[PUBLIC], responses=refuses(BlockCodeRefused, BlockCodeThrottled))
async def report_lost_phone(body: LostPhoneRequest, here: Here) -> PhonesBlockedAnswer:
    """Block all phones of a wallet from any device, by the printed code alone."""
    done = await block_by_code(here.database, LostPhone(body.code, here.password_cost))
    for account_id in done.account_ids:
        await tell_seldom(here, account_id, About.END, "notice.phones_blocked")
    return PhonesBlockedAnswer(phones=done.phones, sessions_ended=done.sessions)
