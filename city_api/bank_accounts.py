"""A merchant's bank account as an officer types it, and as it is shown."""

from typing import Literal

from pydantic import Field

from infra.http.strict import Answer, Body, Name, Reason, ShortText
from services.kit.errors import Refusal
from services.kit.kana import BankTextEmpty, BankTextTooLong, NotBankCharacter
from services.merchants.bank_account import (
    BankAccount,
    InvalidAccountNumber,
    InvalidYuchoNumber,
    Override,
    OverrideWithoutReason,
    UnknownBank,
    UnknownBranch,
    bank_account,
    yucho_account,
)

REFUSALS: tuple[type[Refusal], ...] = (
    UnknownBank,
    UnknownBranch,
    InvalidAccountNumber,
    InvalidYuchoNumber,
    OverrideWithoutReason,
    NotBankCharacter,
    BankTextEmpty,
    BankTextTooLong,
)


class UnlistedBank(Body):
    """An officer's word for a bank or branch that the list does not have yet; recorded."""

    reason: Reason
    bank_name: Name
    branch_name: Name


class BankAccountRequest(Body):
    """A bank account; the holder's name in kana of any kind, without kanji."""

    type: Literal["bank"]
    bank_code: ShortText = Field(examples=["0005"])
    branch_code: ShortText = Field(examples=["001"])
    kind: Literal["1", "2", "4", "9"] = Field(description="1 普通, 2 当座, 4 貯蓄, 9 その他.")
    number: ShortText = Field(examples=["1234567"])
    holder: Name = Field(examples=["カ）ホシゾラショクドウ"])
    unlisted: UnlistedBank | None = None

    def account(self) -> BankAccount:
        """The validated account. Raises what `bank_account` raises."""
        override = None
        if self.unlisted is not None:
            said = self.unlisted
            override = Override(said.reason, said.bank_name, said.branch_name)
        return bank_account(
            self.bank_code, self.branch_code, int(self.kind), self.number, self.holder, override=override
        )


class YuchoAccountRequest(Body):
    """An account of ゆうちょ銀行 by the 記号 and 番号 of its passbook."""

    type: Literal["yucho"]
    symbol: ShortText = Field(examples=["14030"])
    number: ShortText = Field(examples=["12345671"])
    holder: Name

    def account(self) -> BankAccount:
        """The transfer account behind the passbook. Raises what `yucho_account` raises."""
        return yucho_account(self.symbol, self.number, self.holder)


class PayoutAccountRequest(Body):
    """Where a merchant's money goes from now on."""

    payout_account: BankAccountRequest | YuchoAccountRequest = Field(discriminator="type")


class PayoutAccountAnswer(Answer):
    """Where a merchant's money goes; the number is shown in part only."""

    bank_code: str
    bank_kana: str
    branch_code: str
    branch_kana: str
    kind: int
    number: str = Field(description="The last four digits.")
    holder_kana: str
    override_reason: str | None


def account_answer(account: BankAccount) -> PayoutAccountAnswer:
    """An account as people see it."""
    return PayoutAccountAnswer(
        bank_code=account.bank_code,
        bank_kana=account.bank_kana,
        branch_code=account.branch_code,
        branch_kana=account.branch_kana,
        kind=int(account.kind),
        number=account.masked_number,
        holder_kana=account.holder_kana,
        override_reason=account.override_reason,
    )
