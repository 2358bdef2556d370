"""What people read for a programme and its purses, in place of their codes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from analytics.lake.lake import Source


@dataclass(frozen=True)
class Titles:
    """`programme` is empty where nothing is known; of a purse that is missing in `purses` there is its code only."""

    programme: str
    purses: Mapping[str, str]


def titles_of(source: Source, code: str) -> Titles:
    """The titles of one programme, each a line; none in a source that knows none, as a lake from before there were
    titles.

    Terms may call two purses alike: these have their codes as well, so that no chart adds up what is apart.
    """
    rows = source.frame("titles")
    rows = rows[rows["programme"] == code]
    told = {purse: " ".join(title.split()) for purse, title in zip(rows["purse"], rows["title"], strict=True)}
    own = told.pop("", "")
    read = Counter(title or purse for purse, title in told.items())
    purses = {
        purse: f"{title} [{purse}]" if read[title] > 1 or title in told.keys() - {purse} else title
        for purse, title in told.items()
        if title
    }
    return Titles(own, purses)
