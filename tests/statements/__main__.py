"""`make statements`: try every statement with its mutant, then write docs/statements.md.

Words after it (`make statements ONLY="Business API"`) choose the statements of these chapters, and those whose tests or
words hold one of them; then nothing is written.
"""

import sys
from collections.abc import Sequence

from tests.statements.statement import Statement, page
from tests.statements.table import CHAPTERS, PAGE
from tests.statements.tree import Unclear, copied, mutated, run


def chosen(words: Sequence[str]) -> list[Statement]:
    """All, or those that hold one of the words."""
    return [
        each
        for chapter in CHAPTERS
        for each in chapter.statements
        if not words
        or chapter.title in words
        or any(word in " ".join((each.says, *each.tests, each.mutant.takes_away)) for word in words)
    ]


def main(words: Sequence[str]) -> int:
    """1 when a statement is not shown to hold by what is written down."""
    asked, survived = chosen(words), 0
    with copied() as copy:
        as_built = run(copy, sorted({test for each in asked for test in each.tests}))
        for test in sorted(as_built.failed):
            print(f"fails as built: {test}")
        for each in asked:
            try:
                with mutated(copy, each.mutant):
                    seen = run(copy, each.tests)
            except (Unclear, ValueError) as error:
                print(f"NOT SHOWN   {each.says}\n{error}", flush=True)
                survived += 1
                continue
            missed = sorted(set(each.tests) - seen.failed)
            survived += bool(missed)
            print(f"{'NOT CAUGHT' if missed else 'caught    '}  {each.says}", *missed, sep="\n    ", flush=True)
    print(f"{len(asked) - survived} of {len(asked)} shown")
    if survived or as_built.failed:
        return 1
    if not words:
        PAGE.write_text(page(CHAPTERS), encoding="utf-8")
        print(f"written to {PAGE}")
    return 0


sys.exit(main(sys.argv[1:]))
