"""Notices of sign-ins: of what an account's owner is told that they may not have done themselves, and how often.

Law: nobody is flooded. What somebody else can bring about as often as they like (a sign-in on a new client, an end of
sessions) is told a few times in a day and then no more until the day is over; each kind is counted by itself, so that
many sign-ins do not use up the word that a session was ended.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

WINDOW: Final = timedelta(hours=24)
MOST_TOLD: Final = 5
"""Notices of one kind that an account's owner has within `WINDOW`."""


class About(StrEnum):
    SIGN_IN = "sign_in"
    """A session on a client that had none of the account before."""
    END = "end"
    """Sessions that somebody else ended."""
