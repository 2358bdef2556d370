"""Prove the books, on demand."""

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import CityStaff
from infra.http.context import Here
from infra.http.strict import Answer
from services.kit.db import Tx
from services.proof.proof import Proof
from services.proof.prove import prove

routes = router("proof")


class CheckAnswer(Answer):
    """One law over the books: what must be, and what is."""

    name: str
    expected: int
    found: int
    ok: bool


class ProofAnswer(Answer):
    clean: bool = Field(description="Whether every law holds.")
    checks: list[CheckAnswer]


@routes.get("/proof")
async def get_proof(_token: CityStaff, here: Here) -> ProofAnswer:
    """Recompute everything from the postings alone."""
    return ProofAnswer.of(await here.database.transact(_prove, None))


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)
