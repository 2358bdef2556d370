"""Reading anchors back for whoever verifies: every line, and what is wrong with the file itself."""

from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from infra.ports.anchor_file import NOTHING_BEFORE, LineInvalid, read_line
from services.kit.anchors import Anchor
from services.proof.chain_walk import Fault, Finding


def read_anchors(path: Path, key: Ed25519PublicKey) -> tuple[Sequence[Anchor], Sequence[Finding]]:
    """The anchors of a file and its faults: lines that were altered, taken out, put in or exchanged.

    A last line without its end is one that a crash cut short, and says nothing.
    """
    anchors: list[Anchor] = []
    found: list[Finding] = []
    number, before = 0, NOTHING_BEFORE
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return [], [Finding(Fault.ANCHOR_FILE_MISSING, "anchors", params={"path": str(path)})]
    for place, text in enumerate(content.decode("utf-8", "replace").split("\n")[:-1], start=1):
        try:
            line = read_line(text, key)
        except LineInvalid:
            found.append(Finding(Fault.ANCHOR_LINE_INVALID, "anchors", place, params={"line": place}))
            number, before = number + 1, ""
            continue
        if line.anchor.line != number + 1 or (before and line.before != before):
            found.append(
                Finding(
                    Fault.ANCHOR_LINES_BROKEN,
                    line.anchor.head.chain,
                    line.anchor.head.entries,
                    params={"line": place, "says": line.anchor.line, "expected": number + 1},
                )
            )
        anchors.append(line.anchor)
        number, before = line.anchor.line, line.digest
    return anchors, found
