"""A hash chain walked from its first entry, and what is wrong with it, entry by entry.

Every link is compared with the one before it as it stands, so one altered entry is one finding and not
a finding for all that follow. What anchors remember is compared on the way. What the walk cannot know:
entries that were deleted before they were sealed, and a chain that was laid anew together with every
anchor of it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from services.kit.anchors import Anchor

MOST_FINDINGS = 200
"""Of one chain: whoever sees so many does not need the rest."""

LATEST_SEAL = timedelta(hours=1)
"""A deed is over within minutes; what is sealed this long after others of its time was written by nobody honest."""


class Fault(StrEnum):
    """What can be wrong; each has its words in `locales/` under `audit.fault.<value>`."""

    EDITED = "edited"
    SEAL_EDITED = "seal_edited"
    REORDERED = "reordered"
    MISSING = "missing"
    GAP = "gap"
    RENUMBERED = "renumbered"
    BACKDATED = "backdated"
    UNSEALED = "unsealed"
    TAIL_CUT = "tail_cut"
    REPLACED = "replaced"
    ANCHOR_FILE_MISSING = "anchor_file_missing"
    ANCHOR_LINE_INVALID = "anchor_line_invalid"
    ANCHOR_LINES_BROKEN = "anchor_lines_broken"
    ANCHOR_MISSING = "anchor_missing"
    ANCHORS_BEHIND = "anchors_behind"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong: with which chain, at which place, with which entry."""

    fault: Fault
    chain: str
    position: int | None = None
    entry_id: UUID | None = None
    params: Mapping[str, object] = field(default_factory=dict)

    def plain(self) -> dict[str, object]:
        where = {"position": self.position, "entry_id": None if self.entry_id is None else str(self.entry_id)}
        return {"fault": self.fault.value, "chain": self.chain} | where | dict(self.params)


@dataclass(frozen=True)
class Link:
    """A seal as it stands, and the entry that it is over: None where there is no such entry any more."""

    position: int
    entry_id: UUID
    hash: bytes
    recorded_at: datetime | None
    content: str | None

    def after(self, previous: bytes) -> bytes:
        """What the seal must be after another one."""
        return hashlib.sha256(previous + (self.content or "").encode()).digest()


@dataclass(frozen=True)
class _Loose:
    """A link that does not follow from the one before it."""

    link: Link
    previous: bytes


class Walk:
    """Takes the links of one chain in the order of their places; `findings` says what was found."""

    def __init__(self, chain: str, anchors: Iterable[Anchor]) -> None:
        self.chain = chain
        self.entries = 0
        self.position = 0
        self.total = 0
        self._hash: bytes | None = b""
        self._latest: datetime | None = None
        self._loose: list[_Loose] = []
        self._found: list[Finding] = []
        ours = [each for each in anchors if each.head.chain == chain]
        self._anchored = {each.head.entries: each for each in ours}
        self._seen_hashes: dict[bytes, int] = {}
        self._anchored_hashes = {each.head.hash for each in ours}
        self._wrong_anchors: list[tuple[Anchor, Link]] = []

    def take(self, link: Link) -> None:
        """The next link; places only grow."""
        if link.position != self.position + 1:
            self._say(Fault.GAP, link.position - 1, None, first=self.position + 1, last=link.position - 1)
            self._hash = None  # nothing is known of the seal before this one
        if link.content is None:
            self._say(Fault.MISSING, link.position, link.entry_id)
        elif self._hash is not None and link.after(self._hash) != link.hash:
            self._mismatch(link, self._hash)
        self._in_time(link)
        self._compare(link)
        self.entries += 1
        self.position, self._hash = link.position, link.hash

    def _mismatch(self, link: Link, previous: bytes) -> None:
        """Either this entry is not what was sealed, or the seal before it is not what it was."""
        before = self._loose[-1] if self._loose else None
        if before is not None and before.link.position == link.position - 1:
            true_hash = before.link.after(before.previous)
            if link.after(true_hash) == link.hash:
                self._loose.pop()
                self.total -= 1  # told as another fault
                self._say(Fault.SEAL_EDITED, before.link.position, before.link.entry_id)
                return
        self.total += 1
        if len(self._loose) < MOST_FINDINGS:
            self._loose.append(_Loose(link, previous))

    def _in_time(self, link: Link) -> None:
        at = link.recorded_at
        if at is None:
            return
        if self._latest is not None and at < self._latest - LATEST_SEAL:
            self._say(Fault.BACKDATED, link.position, link.entry_id, recorded_at=at.isoformat())
        self._latest = at if self._latest is None else max(at, self._latest)

    def _compare(self, link: Link) -> None:
        anchor = self._anchored.get(link.position)
        if anchor is not None and anchor.head.hash != link.hash:
            self._wrong_anchors.append((anchor, link))
        if link.hash in self._anchored_hashes:
            self._seen_hashes[link.hash] = link.position

    def findings(self) -> list[Finding]:
        """Everything that was found, in the order of places; called once, at the end."""
        found = [*self._found, *self._of_loose(), *self._of_anchors()]
        return sorted(found, key=lambda each: (each.position or 0, each.fault))[:MOST_FINDINGS]

    def _of_loose(self) -> Iterator[Finding]:
        """An entry that follows from another's seal, or whose place another's content fits, was moved."""
        seals = {each.link.hash for each in self._loose} | {each.previous for each in self._loose}
        for each in self._loose:
            link = each.link
            moved = any(link.after(seal) == link.hash for seal in seals) or any(
                other.link.after(each.previous) == link.hash for other in self._loose if other is not each
            )
            yield Finding(Fault.REORDERED if moved else Fault.EDITED, self.chain, link.position, link.entry_id)

    def _of_anchors(self) -> Iterator[Finding]:
        """The first anchor that the chain contradicts: all later ones say nothing new."""
        wrong: list[tuple[Anchor, Link | None]] = list(self._wrong_anchors)
        wrong += [(each, None) for place, each in sorted(self._anchored.items()) if place > self.position]
        for anchor, link in wrong[:1]:
            self.total += 1
            said: dict[str, object] = {"anchored": anchor.head.entries, "anchored_at": anchor.at.isoformat()}
            elsewhere = self._seen_hashes.get(anchor.head.hash)
            if elsewhere is not None:
                yield Finding(Fault.RENUMBERED, self.chain, elsewhere, None, said | {"found_at": elsewhere})
            elif link is None:
                yield Finding(Fault.TAIL_CUT, self.chain, self.position, None, said | {"entries": self.position})
            else:
                yield Finding(Fault.REPLACED, self.chain, link.position, link.entry_id, said)

    def _say(self, fault: Fault, position: int, entry_id: UUID | None, **params: object) -> None:
        self.total += 1
        if len(self._found) < MOST_FINDINGS:
            self._found.append(Finding(fault, self.chain, position, entry_id, params))
