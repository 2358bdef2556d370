"""Only a proof of all the books is kept as one."""

import pytest

from services.kit.db import Tx
from services.proof.keep import Proven, keep
from services.proof.prove import audit
from services.proof.read import ProofPage, proofs


async def test_a_proof_of_what_is_new_is_not_kept(intruder: Tx) -> None:
    part = await audit(intruder, intruder.now)
    with pytest.raises(ValueError, match="not a proof of the books"):
        await keep(intruder, Proven(intruder.now, part))
    assert await proofs(intruder, ProofPage(None, 10)) == []
