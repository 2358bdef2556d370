"""A town whose chains are sealed and anchored, for whoever tries to alter them unseen."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from infra.ports.anchor_file import AnchorFile
from infra.ports.anchor_reading import read_anchors
from infra.worker import Sealer, anchor_chains
from services.kit import audit
from services.kit.audit import ENTRIES
from services.kit.db import Tx
from services.ledger.seal import JOURNALS
from services.proof.chain_walk import Finding
from services.proof.verify import known_chains, missing_anchors, noted_anchors, verify
from tests.town import Town


@dataclass(frozen=True)
class Names:
    """The tables of a chain."""

    chain: str
    entries: str
    seals: str
    key: str


AUDIT = Names("audit", "audit_entry", "audit_seal", "entry_id")
LEDGER = Names("ledger", "ledger_journal", "ledger_seal", "journal_id")


class Watched:
    """A town with its anchors in a file."""

    def __init__(self, engine: AsyncEngine, folder: Path, key: Ed25519PrivateKey | None = None) -> None:
        self.town = Town(engine)
        self.key = key or Ed25519PrivateKey.generate()
        self.path = folder / "anchors" / "heads.jsonl"
        self.file = AnchorFile(self.path, self.key)
        self._lives = False

    async def live(self, gifts: int = 4) -> None:
        """Some deeds, each with a journal and an entry of the audit log, sealed and anchored."""
        if not self._lives:
            await self.town.programme()
            self._lives = True
        for _ in range(gifts):
            await self.town.grant(await self.town.resident(), 100)
        await self.seal()
        await self.anchor()

    async def look(self, times: int = 1) -> None:
        """Entries of the audit log that no journal goes with."""

        async def looked(tx: Tx, _: None) -> None:
            await audit.record(tx, None, "wallet.looked_at", None, reason="a call")

        for _ in range(times):
            await self.town.do(looked, None)

    async def seal(self) -> None:
        for chain in (JOURNALS, ENTRIES):
            await Sealer(self.town.database, chain).seal()

    async def anchor(self) -> int:
        return await anchor_chains(self.town.database, self.file)

    async def findings(self, connection: AsyncConnection) -> list[Finding]:
        """What an auditor finds, in a transaction that may hold alterations nobody has committed."""
        tx = Tx(connection, self.town.clock.now(), self.town.entropy)
        given, found = read_anchors(self.path, self.key.public_key())
        every = [*found, *missing_anchors(await noted_anchors(tx), given)]
        for chain in known_chains():
            verdict = await verify(tx, chain, given)
            assert verdict.faults == len(verdict.findings)
            every += verdict.findings
        return every


async def tamper(connection: AsyncConnection, *statements: str) -> None:
    """What somebody does who can do everything and meets no trigger."""
    await connection.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        done = await connection.execute(text(statement))
        assert done.rowcount != 0, statement
