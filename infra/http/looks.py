"""Why somebody of the city's looks at a person, as it is asked for: one of a few purposes, and a note."""

from typing import Annotated

from fastapi import Depends, Query
from pydantic import AfterValidator, Field, StringConstraints

from infra.http.strict import Body, one_line
from services.identity.bulk_reading import MAX_NOTE_LENGTH, LookNoteMissing, Purpose, TooManyLooks, Why
from services.kit.errors import Refusal

LOOK_REFUSALS: tuple[type[Refusal], ...] = (LookNoteMissing, TooManyLooks)
"""What any look may be refused with."""

_ABOUT = "What is not in the purpose; needed for `other`. No name, no number: it is kept in the audit log."
Note = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=MAX_NOTE_LENGTH), AfterValidator(one_line)
]


class WhyBody(Body):
    """What a look is for, in a request's body."""

    purpose: Purpose
    note: Note | None = Field(default=None, description=_ABOUT)

    def why(self) -> Why:
        return Why(self.purpose, self.note)


async def _asked(purpose: Purpose, note: Annotated[Note | None, Query(description=_ABOUT)] = None) -> Why:
    return Why(purpose, note)


AskedWhy = Annotated[Why, Depends(_asked)]
"""What a look is for, in a request's address."""
