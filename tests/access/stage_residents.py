"""What the stage knows of who its people are: a register of one, her letter, and a second proof of the same name."""

from datetime import date
from uuid import UUID

from services.kit.changes import ApproveChange, approve
from services.kit.db import Tx
from services.residency.hand_over import carry_out_register, propose_register, register_list
from services.residency.letter import letter_code
from services.residency.prove_by_service import BeginAttempt, begin
from services.residency.record import record
from services.residency.residency import Details, How, Proof
from services.residency.write_letters import WriteLetters, write_letters
from services.wallets.begin_care import GiveCareCode, TakeCareCode, give_care_code, take_care_code
from services.wallets.care import WORDS, care_code, care_code_mac
from tests.http_town import HttpTown, town_keys
from tests.town import Resident

REFERENCE = "A001"
REGISTER = f"reference,name,kana,birth_date,postal_code\n{REFERENCE},星野 光,ホシノ ヒカル,1960-07-07,254-0045\n"
NAMED = Details("星野 光", "ホシノ ヒカル", date(1960, 7, 7), "2540045")
LETTER_CODE = letter_code(town_keys().code_key, REFERENCE, 1)


async def register(
    town: HttpTown, accounts: dict[str, UUID], resident: Resident, neighbour: Resident
) -> tuple[UUID, UUID]:
    """The resident has a letter and has proven who she is; the neighbour says to be the same: that claim's id,
    and the id of an attempt that the resident began at the sign-in service."""
    officer, approver = accounts["proposer"], accounts["approver"]

    async def hand_over(tx: Tx, _: None) -> None:
        proposed = await propose_register(tx, register_list(officer, REGISTER.encode(), tx.now))
        change = await approve(tx, ApproveChange(proposed.change_id, proposed.fingerprint, approver))
        await carry_out_register(tx, change)
        await write_letters(tx, WriteLetters(officer, town_keys().code_key))

    await town.do(hand_over, None)
    await town.do(record, Proof(resident.person_id, officer, How.COUNTER, NAMED))
    outcome = await town.do(record, Proof(neighbour.person_id, officer, How.COUNTER, NAMED))
    if outcome.claim_id is None:
        raise AssertionError("two people of one name were not noticed")
    attempt = await town.do(begin, BeginAttempt(resident.account_id, resident.person_id))
    return outcome.claim_id, attempt.id


async def given_by(town: HttpTown, who: Resident) -> str:
    """A code by which somebody lets another care for them."""
    key = town_keys().code_key
    code = care_code(key, who.account_id, who.wallet.id, UUID(town.new_key()))
    asked = GiveCareCode(who.wallet.id, who.account_id, WORDS, "carer", None, care_code_mac(key, code))
    await town.do(give_care_code, asked)
    return code


async def care_of(town: HttpTown, cared_for: Resident, carer: Resident) -> UUID:
    """The id of one's care for another."""
    mac = care_code_mac(town_keys().code_key, await given_by(town, cared_for))
    return (await town.do(take_care_code, TakeCareCode(carer.account_id, "cared for", mac))).id
