"""What is approved is what would be written of the payees now, whenever their accounts were changed."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from services.merchants.bank_account import BankAccount, bank_account
from services.merchants.set_payout_account import SetPayoutAccount, set_payout_account
from services.merchants.shops import Status
from services.settlement import read
from services.settlement.approve import ApproveFile, approve
from services.settlement.bank_file import BankFile, FileStatus, PayeeChanged
from tests.settlement.office import Office
from tests.strict_zengin import read_strictly
from tests.town import APPROVER, OFFICER, Shop, Town

MOVED = bank_account("0001", "001", 1, "1111111", "ベツノコウザ")
SHARED = bank_account("0138", "641", 1, "7654321", "ホシミショウテン")


@pytest.fixture
def office(engine: AsyncEngine) -> Office:
    return Office(Town(engine))


async def lines_of(office: Office, file: BankFile) -> list[tuple[str, str]]:
    record = await office.town.do(read.bank_file_record, file.id)
    return [(line.masked_number, line.holder_kana) for line in record.lines]


async def test_a_file_is_not_approved_when_a_payee_has_changed_since(office: Office) -> None:
    await office.town.programme()
    shop, other = await office.sell(2_000, 3_000)
    file = (await office.propose()).file
    office.town.wait(minutes=5)
    await office.suspend(other)
    with pytest.raises(PayeeChanged) as refused:
        await office.approve(file)
    assert refused.value.params == {"number": file.number, "store": other.code, "count": 1}
    await office.suspend(other, Status.ACTIVE)
    await office.move_account(shop, MOVED)
    with pytest.raises(PayeeChanged):
        await office.approve(file)
    await office.void(file)
    again = (await office.propose()).file
    await office.approve(again)
    numbers = [line.get("number") for line in read_strictly((await office.download(again)).content)[1:-1]]
    assert "1111111" in numbers
    await office.town.must_prove()


async def test_an_account_change_that_began_before_the_proposal_and_commits_after_it_is_noticed(office: Office) -> None:
    """By their instants the change came first; the bytes hold the account that the proposal could see."""
    await office.town.programme()
    (shop,) = await office.sell(2_000)
    office.morning_after(office.today)
    async with office.town.database.begin() as slow:
        await set_payout_account(slow, SetPayoutAccount(OFFICER, shop.merchant_id, MOVED))
        office.town.wait(seconds=1)
        file = (await office.propose()).file
    office.town.wait(seconds=1)
    ((number, holder),) = await lines_of(office, file)
    assert (number == MOVED.masked_number, holder == MOVED.holder_kana) == (False, False)
    with pytest.raises(PayeeChanged) as refused:
        await office.approve(file)
    assert refused.value.params["store"] == shop.code
    await office.void(file)
    again = (await office.propose()).file
    assert await lines_of(office, again) == [(MOVED.masked_number, MOVED.holder_kana)]
    await office.approve(again)
    await office.town.must_prove()


async def test_an_account_change_that_began_after_the_approval_and_commits_before_it_looks_is_noticed(
    office: Office,
) -> None:
    await office.town.programme()
    (shop,) = await office.sell(2_000)
    file = (await office.propose()).file
    async with office.town.database.begin() as slow:
        await office.move_account(shop, MOVED)
        with pytest.raises(PayeeChanged):
            await approve(slow, ApproveFile(file.id, file.sha256, APPROVER))


@pytest.mark.parametrize(
    ("bank", "branch", "kind", "number", "holder"),
    [
        ("0138", "641", 1, "7654321", "ベツノシャチョウ"),
        ("0138", "641", 1, "7654320", "ホシミショウテン"),
        ("0138", "641", 2, "7654321", "ホシミショウテン"),
        ("0138", "642", 1, "7654321", "ホシミショウテン"),
        ("0001", "641", 1, "7654321", "ホシミショウテン"),
    ],
)
async def test_whatever_of_an_account_changes_makes_the_proposal_void(
    office: Office, bank: str, branch: str, kind: int, number: str, holder: str
) -> None:
    await office.town.programme()
    shop = await office.town.shop()
    await office.move_account(shop, SHARED)
    await office.sell(2_000, shops=(shop,))
    file = (await office.propose()).file
    await office.move_account(shop, bank_account(bank, branch, kind, number, holder))
    with pytest.raises(PayeeChanged):
        await office.approve(file)
    await office.move_account(shop, SHARED)
    assert (await office.approve(file)).status is FileStatus.APPROVED, "what is written is true again"


async def test_a_name_beyond_the_width_of_its_field_changes_nothing_that_is_written(office: Office) -> None:
    await office.town.programme()
    shop = await office.town.shop()
    await office.move_account(shop, bank_account("0138", "641", 1, "7654321", "ア" * 30 + "イ"))
    await office.sell(2_000, shops=(shop,))
    file = (await office.propose()).file
    await office.move_account(shop, bank_account("0138", "641", 1, "7654321", "ア" * 30 + "ウ"))
    assert (await office.approve(file)).status is FileStatus.APPROVED
    assert await lines_of(office, file) == [("***4321", "ｱ" * 30)]


async def shared(office: Office) -> tuple[BankFile, Shop, Shop]:
    """A file with one line for two merchants of different names; the first gives it its name."""
    await office.town.programme()
    shops = sorted([await office.town.shop(), await office.town.shop()], key=lambda shop: shop.code)
    other_name = bank_account("0138", "641", 1, "7654321", "アマノガワ")
    for shop, account in zip(shops, (SHARED, other_name), strict=True):
        await office.move_account(shop, account)
    await office.sell(2_000, 3_000, shops=tuple(shops))
    file = (await office.propose()).file
    assert await lines_of(office, file) == [(SHARED.masked_number, SHARED.holder_kana)]
    return file, shops[0], shops[1]


async def test_merchants_who_share_an_account_under_two_names_are_approved(office: Office) -> None:
    file, *_ = await shared(office)
    assert (await office.approve(file)).status is FileStatus.APPROVED


@pytest.mark.parametrize(
    ("which", "account"), [(0, MOVED), (1, MOVED), (0, bank_account("0138", "641", 1, "7654321", "ベツ"))]
)
async def test_either_of_two_merchants_who_share_a_line_may_have_changed(
    office: Office, which: int, account: BankAccount
) -> None:
    file, *shops = await shared(office)
    await office.move_account(shops[which], account)
    with pytest.raises(PayeeChanged) as refused:
        await office.approve(file)
    assert refused.value.params == {"number": file.number, "store": shops[which].code, "count": 1}
