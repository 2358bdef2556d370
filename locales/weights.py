"""What a client prefers: the list of an `Accept-…` header, each name with its weight.

Law: what weighs most comes first, among equals what is named first; 0 means "not this". A weight that is none counts as
1, as if none was said. Source: RFC 9110, section 12 (docs/sources.md).
"""

import re
from typing import Final

MOST_NAMES: Final = 10
_WEIGHT: Final = re.compile(r"\s*q\s*=\s*([01](?:\.\d{0,9})?)\s*", re.ASCII | re.IGNORECASE)


def weighed(header: str) -> dict[str, float]:
    """The first ten names of a header in small letters, in the order of the header, each with its weight (0 to 1).

    A name that comes twice has the weight that it is given first.
    """
    found: dict[str, float] = {}
    for part in header.split(",")[:MOST_NAMES]:
        name, *parameters = part.split(";")
        said = [match[1] for each in parameters if (match := _WEIGHT.fullmatch(each))]
        found.setdefault(name.strip().lower(), min(float(said[0]), 1.0) if said else 1.0)
    return found
