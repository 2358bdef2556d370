"""The books, proven: what was found every night, a proof asked for, and a small town's on the spot."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import Field

from infra.http.apps import router
from infra.http.auth import CityStaff
from infra.http.context import Here
from infra.http.idempotency import Command
from infra.http.paging import PageSize, paged
from infra.http.strict import Answer
from services.kit.db import Tx
from services.proof.ask import ProofAsked, ask
from services.proof.proof import Proof
from services.proof.prove import prove
from services.proof.read import ProofPage, proofs, standing
from services.proof.read import proof as one_proof

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


class BrokenLaw(CheckAnswer):
    """A law that does not hold."""

    example: str | None = Field(description="The id of something that breaks it.")


class ProofLine(Answer):
    """A proof that was kept: the books as they were when it began."""

    id: UUID
    began_at: datetime
    ended_at: datetime
    clean: bool = Field(description="Whether every law held.")
    laws: int = Field(description="How many laws were asked.")
    broken: Sequence[BrokenLaw]


class KeptProofAnswer(ProofLine):
    """The same with every law's figures."""

    checks: Sequence[CheckAnswer]


class ProofsAnswer(Answer):
    """Newest first; ask on with `after` = `next` until that is null."""

    proofs: Sequence[ProofLine]
    next: UUID | None
    asked_at: datetime | None = Field(
        description="When somebody last asked for a proof, while none that began later is here; else null."
    )


class ProofAskedAnswer(Answer):
    """A proof that begins after `asked_at` will appear among the proofs."""

    id: UUID = Field(description="The wish: the one that waited already, whoever had it, else a new one.")
    asked_at: datetime


@routes.get("/proof")
async def get_proof(_token: CityStaff, here: Here) -> ProofAnswer:
    """Recompute everything from the postings alone, while you wait. Of millions of payments ask for a proof instead."""
    return ProofAnswer.of(await here.database.transact(_prove, None))


@routes.get("/proofs")
async def list_proofs(_token: CityStaff, here: Here, after: UUID | None = None, limit: PageSize = 30) -> ProofsAnswer:
    """What was proven every night, and whenever somebody asked."""
    found = await here.database.transact(proofs, ProofPage(after, limit + 1))
    shown, following = paged(found, limit, lambda each: each.id)
    wish = (await here.database.transact(standing, None)).wish
    return ProofsAnswer(
        proofs=[ProofLine.of(each) for each in shown], next=following, asked_at=None if wish is None else wish.asked_at
    )


@routes.get("/proofs/{proof_id}")
async def get_kept_proof(proof_id: UUID, _token: CityStaff, here: Here) -> KeptProofAnswer:
    """One proof with every law's figures."""
    return KeptProofAnswer.of(await here.database.transact(one_proof, proof_id))


@routes.post("/proofs", status_code=202)
async def ask_for_proof(token: CityStaff, command: Command) -> ProofAskedAnswer:
    """Ask for a proof of the books as they are now; the worker makes it, whatever their size.

    One wish waits at a time: until a proof begins, asking again answers the same. After a proof the worker rests
    as long as that took before it begins another that was asked for.
    """
    return ProofAskedAnswer.of(
        await command.perform(token.account_id, "city.proof.ask", ask, token.account_id, ProofAsked)
    )


async def _prove(tx: Tx, _: None) -> Proof:
    return await prove(tx)
