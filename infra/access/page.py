"""The matrix as a page for people, and for the difference that a review reads."""

from collections.abc import Sequence
from itertools import groupby

from infra.access.callers import CALLERS, MISFITS, Caller
from infra.access.matrix import Place, verdict
from infra.access.reach import Verdict
from infra.http.auth import Everybody

_HEAD = """# Who may do what

Written by `tanabata access` from the rules on the routes (`infra/http/auth.py`) and the table of reach
(`infra/access/reach.py`). Do not edit: change a rule, write the page again, and review the difference. A new route
without an entry stops the build. `tests/access` asks for every cell over HTTP, with a request that is right in
everything else; what is refused changes nothing in the database.

| in a cell | means |
|---|---|
| yes | it is done |
| 401 token | no token came |
| 401 audience | the token is for another API |
| 401 ended | the account was closed since the token was issued, and its sessions ended with it |
| 403 role | the token's role may not do this |
| 403 taken | the role was taken away since the token was issued |
| 403 rank | a member of the store, but not of the rank that this needs |
| 404 rank | the same, where clerks are not told that there is anything |
| 404 not theirs | somebody else's: to this caller it does not exist |
| 404 removed | they worked for this store until a moment ago |

## The callers

| caller | who that is |
|---|---|
"""
_TITLES = {
    "wallet": "For residents: `/api/wallet/v1`",
    "merchant": "For stores: `/api/merchant/v1`",
    "city": "For the city: `/api/city/v1`",
    "pages": "Local pages: `/` (only where `PUBLIC_URL` is this machine)",
}
_MISFITS = """
## Tokens that no sign-in issues

Signed by our key, with an audience that is not their bearer's: `resident at merchant` is a resident's account and
role in a token for the stores' API. Everything that asks for a token refuses all of them: 403 at the API that the
token names, 401 at the others.

"""


def page(found: Sequence[Place]) -> str:
    """The whole page."""
    parts = [_HEAD + "".join(f"| {caller.name} | {caller.words} |\n" for caller in CALLERS)]
    for api, of_api in groupby(found, key=lambda place: place.api):
        rows = list(of_api)
        parts.append(f"\n## {_TITLES[api]}\n\n{_table(rows, CALLERS)}")
    asking = [place for place in found if not isinstance(place.rule, Everybody)]
    parts.append(_MISFITS + _table(asking, MISFITS))
    return "".join(parts)


def _table(rows: Sequence[Place], callers: Sequence[Caller]) -> str:
    """One row a route. Callers whose cells are the same in every row are still told apart: a review counts them."""
    head = ["", "open to", *(caller.name for caller in callers)]
    lines = [head, ["---"] * len(head)]
    for place in rows:
        cells = [_cell(verdict(place, caller)) for caller in callers]
        lines.append([f"`{place.name}`", place.reach.words, *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(answered: Verdict) -> str:
    return f"{answered.status} {answered.why}" if answered.status else "yes"
