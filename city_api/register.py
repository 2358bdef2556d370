"""The city's register of residents, the letters to them, and the districts, as an officer hands them over."""

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Response
from pydantic import Field

from infra.http.apps import router
from infra.http.auth import Officer
from infra.http.context import Here
from infra.http.csv_body import csv_of, described, in_words
from infra.http.edge import MAX_CSV_BYTES, MAX_LIST_BYTES, MAX_REGISTER_BYTES
from infra.http.idempotency import Command
from infra.http.openapi import refuses
from infra.http.routes import takes_bytes
from infra.http.strict import Answer, Body, Reason, ShortText
from services.residency.hand_over import (
    DistrictsLoaded,
    LoadDistricts,
    ProposedList,
    load_districts,
    propose_register,
    register_list,
)
from services.residency.lists import ResidentListInvalid
from services.residency.write_letters import LettersWritten, PrintLetters, WriteLetters, print_letters, write_letters

routes = router("register")

Language = Annotated[str, Header(alias="accept-language", max_length=200)]
References = Annotated[tuple[ShortText, ...], Field(max_length=20_000)]

_REGISTER = described(
    "UTF-8 with the header `reference,name,kana,birth_date,postal_code`; at most 32 MB. `reference` is the city's own "
    "number for the line, never a 個人番号: any cell of twelve digits refuses the list."
)
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The printer's file.", "content": {"text/csv": {"schema": {"type": "string"}}}},
    **refuses(ResidentListInvalid),
}
_DISTRICTS = described("UTF-8 with the header `postal_code,district`; at most 5 MB.")


class DifferencesAnswer(Answer):
    """What a list would do to the register as it is now, in entries."""

    lines: int
    added: int
    changed: int
    left_out: int = Field(description="Who is in the register and not in the list: they can prove no more.")


class ProposedListAnswer(Answer):
    """What waits for the second yes: an approver says it with `POST /changes/{change_id}/approval`."""

    change_id: UUID
    fingerprint: str
    differences: DifferencesAnswer


class DistrictsAnswer(Answer):
    postal_codes: int
    districts: int


class LettersRequest(Body):
    """Entries of the register to which a letter goes, again or for the first time; none: all that had none."""

    references: References = ()


class LettersAnswer(Answer):
    """To whom letters were written; 20,000 at most, so ask again while there are as many."""

    references: Sequence[str]


class PrintRequest(Body):
    """Entries whose letters are to be printed."""

    references: Annotated[References, Field(min_length=1)]
    reason: Reason


@routes.post("/register", status_code=201, openapi_extra=_REGISTER, responses=refuses(ResidentListInvalid))
async def propose_new_register(
    token: Officer,
    here: Here,
    command: Command,
    content: Annotated[bytes, Depends(csv_of(MAX_REGISTER_BYTES))],
    accept_language: Language = "",
) -> ProposedListAnswer:
    """Propose the register of residents. Problems come all together, each with its line, its column and words."""
    try:
        asked = await asyncio.to_thread(register_list, token.account_id, content, here.clock.now())
    except ResidentListInvalid as refusal:
        raise in_words(refusal, accept_language) from refusal
    proposed = await command.perform(
        token.account_id, "city.register.propose", propose_register, asked, ProposedList, said=asked.sha256
    )
    return ProposedListAnswer.of(proposed)


@routes.post("/districts", status_code=201, openapi_extra=_DISTRICTS, responses=refuses(ResidentListInvalid))
async def load_postal_districts(
    token: Officer,
    command: Command,
    content: Annotated[bytes, Depends(csv_of(MAX_CSV_BYTES))],
    accept_language: Language = "",
) -> DistrictsAnswer:
    """Put postal codes into districts; codes that the list does not name stay where they are."""
    asked = LoadDistricts(token.account_id, content)
    perform = partial(command.perform, token.account_id, "city.districts.load")
    try:
        return DistrictsAnswer.of(await perform(load_districts, asked, DistrictsLoaded))
    except ResidentListInvalid as refusal:
        raise in_words(refusal, accept_language) from refusal


@routes.post("/register/letters", status_code=201, responses=refuses(ResidentListInvalid))
@takes_bytes(MAX_LIST_BYTES)
async def write_new_letters(body: LettersRequest, token: Officer, here: Here, command: Command) -> LettersAnswer:
    """Give entries of the register a new code each; their earlier letters are worth nothing from now on."""
    asked = WriteLetters(token.account_id, here.code_key, body.references)
    written = await command.perform(
        token.account_id, "city.letters.write", write_letters, asked, LettersWritten, said=body.references
    )
    return LettersAnswer.of(written)


@routes.post("/register/letters/file", response_class=Response, responses=_FILE)
@takes_bytes(MAX_LIST_BYTES)
async def download_letters(body: PrintRequest, token: Officer, here: Here) -> Response:
    """The printer's file, `reference,code`: the same bytes each time. Codes are kept nowhere, so it is no deed.

    That it was asked for, and why, is kept in the audit log.
    """
    asked = PrintLetters(token.account_id, body.reason, body.references, here.code_key)
    text = await here.database.transact(print_letters, asked)
    headers = {"Content-Disposition": 'attachment; filename="letters.csv"'}
    return Response(text.encode(), media_type="text/csv; charset=utf-8", headers=headers)
