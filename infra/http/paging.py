"""Long lists in pages: no answer ends without saying whether there is more.

A page is asked for with one thing more than it shows; `next` is what to send as `after` for the
following one, and null on the last. Pages go by an id or a number of the things themselves, so
that nothing is shown twice or left out while others are added.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from infra.http.strict import WholeText

T = TypeVar("T")
K = TypeVar("K")

MOST = 500
PageSize = Annotated[int, Query(ge=1, le=MOST), WholeText]


def paged(found: Sequence[T], limit: int, key: Callable[[T], K]) -> tuple[Sequence[T], K | None]:
    """The first `limit` of what was found, and the key to ask on with if there was more."""
    shown = found[:limit]
    return shown, key(shown[-1]) if len(found) > limit else None
