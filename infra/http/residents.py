"""How personal data of residents come and go: the same for the resident and for the office."""

from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field

from infra.http.strict import LAST_DAY, Answer, day_text
from services.residency.names import FIRST_BIRTH
from services.residency.residency import Details, Outcome

BirthDate = Annotated[
    date,
    BeforeValidator(day_text),
    Field(ge=FIRST_BIRTH, le=LAST_DAY, description="A civil day, YYYY-MM-DD, from 1900 on.", examples=["1950-04-01"]),
]


class DetailsAnswer(Answer):
    """Name, birth date and postal code as they were proven."""

    name: str
    kana: str | None
    birth_date: date
    postal_code: str | None

    @classmethod
    def told(cls, details: Details) -> Self:
        return cls(name=details.name, kana=details.kana, birth_date=details.born_on, postal_code=details.postal_code)


class OutcomeAnswer(Answer):
    """`under_review`: somebody has proven the same already, and an officer decides. Nothing is proven until then."""

    status: Literal["proven", "under_review"]
    claim_id: UUID | None = Field(description="What the office calls the case.")

    @classmethod
    def told(cls, outcome: Outcome) -> Self:
        return cls(status="proven" if outcome.proven else "under_review", claim_id=outcome.claim_id)
