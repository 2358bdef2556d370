"""Anchor the heads of the hash chains outside the database.

Law: a head is anchored only if the chain still holds the one that was anchored before it; else the
chain was cut or laid anew, and nothing more is vouched for until somebody has looked. The place may
be a service, so no transaction is open while it is asked. What it remembered is then noted here too;
a note that a crash prevents is no harm, for it is a missing line there that is missed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.kit import chains
from services.kit.anchors import Anchor, AnchorPort, AnchorsBroken, Head
from services.kit.chains import Chain
from services.kit.db import Database, Tx


@dataclass(frozen=True)
class _Ask:
    """Chains, and the last head that was anchored of each."""

    chains: Sequence[Chain]
    last: Mapping[str, Head]


async def anchor(database: Database, port: AnchorPort, every: Sequence[Chain]) -> int:
    """Anchor every chain if one has grown; the number anchored. Raises AnchorsBroken."""
    heads = await database.transact(_heads, _Ask(every, await port.last()))
    if not heads:
        return 0
    anchors = await port.write(heads, database.clock.now())
    if anchors:
        await database.transact(_note, anchors)
    return len(anchors)


async def _heads(tx: Tx, ask: _Ask) -> list[Head]:
    """The heads of all chains that have one, or of none if none has grown beyond what was anchored of it.

    All of them, so that the last lines of a file always say where every chain stood.
    """
    heads, grown = [], False
    for chain in ask.chains:
        last = ask.last.get(chain.name)
        if last is not None and await chains.hash_at(tx, chain, last.entries) != last.hash:
            raise AnchorsBroken(
                f"the {chain.name} chain no longer holds entry {last.entries} as it was anchored; "
                "nothing is anchored until `tanabata audit verify` has been read and acted upon"
            )
        head = await chains.head(tx, chain)
        grown = grown or head.entries > (0 if last is None else last.entries)
        heads += [head] if head.entries else []
    return heads if grown else []


async def _note(tx: Tx, anchors: Sequence[Anchor]) -> None:
    await chains.insert_anchors(tx, anchors)
