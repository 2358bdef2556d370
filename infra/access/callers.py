"""Who may stand at the door: the kinds of callers that every route is asked about.

Law: a caller is a token, what its account still is, and what ties it to the thing that is asked for.
Nothing else decides, so nothing else is in here.
"""

from dataclasses import dataclass
from enum import Enum, auto

from services.identity.people import Role
from services.identity.tokens import Audience


class Standing(Enum):
    """What has become of the account since its token was issued."""

    GOOD = auto()
    CLOSED = auto()
    ROLE_TAKEN = auto()


class Tie(Enum):
    """What a caller is to the wallet or the store in the address."""

    NONE = auto()
    HOLDER = auto()
    NEIGHBOUR = auto()
    CARER = auto()
    """Cares for the wallet's holder."""
    OWNER = auto()
    MANAGER = auto()
    CLERK = auto()
    STRANGER = auto()
    """Works for another store."""
    REMOVED = auto()
    """Worked for this store until a moment ago."""
    OFFICE = auto()


@dataclass(frozen=True)
class Caller:
    """`audience` None: no token at all. `role` is what the token says, `standing` what the tables say.

    Each has a session of its own; closing an account ends its sessions, which is what a closed one is told.
    """

    name: str
    words: str
    audience: Audience | None = None
    role: Role | None = None
    tie: Tie = Tie.NONE
    standing: Standing = Standing.GOOD


_WALLET, _STORE, _CITY = Audience.WALLET, Audience.MERCHANT, Audience.CITY

CALLERS = (
    Caller("nobody", "sends no token"),
    Caller("resident", "whose wallet it is", _WALLET, Role.RESIDENT, Tie.HOLDER),
    Caller("neighbour", "a resident with another wallet", _WALLET, Role.RESIDENT, Tie.NEIGHBOUR),
    Caller("carer", "cares for whose wallet it is", _WALLET, Role.RESIDENT, Tie.CARER),
    Caller("closed resident", "their account was just closed", _WALLET, Role.RESIDENT, Tie.HOLDER, Standing.CLOSED),
    Caller("owner", "of this store", _STORE, Role.MERCHANT, Tie.OWNER),
    Caller("manager", "of this store", _STORE, Role.MERCHANT, Tie.MANAGER),
    Caller("clerk", "of this store", _STORE, Role.MERCHANT, Tie.CLERK),
    Caller("stranger", "the owner of another store", _STORE, Role.MERCHANT, Tie.STRANGER),
    Caller("removed clerk", "just let go by this store", _STORE, Role.MERCHANT, Tie.REMOVED),
    Caller("closed clerk", "their account was just closed", _STORE, Role.MERCHANT, Tie.CLERK, Standing.CLOSED),
    Caller("owner by PIN", "of this store, at its register", _STORE, Role.TILL, Tie.OWNER),
    Caller("stranger by PIN", "at the register of another store", _STORE, Role.TILL, Tie.STRANGER),
    Caller("officer", "of the city", _CITY, Role.OFFICER, Tie.OFFICE),
    Caller("approver", "of the city", _CITY, Role.APPROVER, Tie.OFFICE),
    Caller("auditor", "of the city", _CITY, Role.AUDITOR, Tie.OFFICE),
    Caller("analyst", "of the city", _CITY, Role.ANALYST, Tie.OFFICE),
    Caller("call centre", "of the city", _CITY, Role.CALL_CENTRE, Tie.OFFICE),
    Caller("closed officer", "their account was just closed", _CITY, Role.OFFICER, Tie.OFFICE, Standing.CLOSED),
    Caller("former officer", "their role was just taken", _CITY, Role.OFFICER, Tie.OFFICE, Standing.ROLE_TAKEN),
)  # fmt: skip
"""One of each kind, with a token as their own sign-in issues it."""

MISFITS = tuple(
    Caller(f"{caller.name} at {audience.value.removeprefix('tanabata-')}", "", audience, caller.role, caller.tie)
    for caller in CALLERS
    if caller.name in {"resident", "owner", "officer"}
    for audience in Audience
    if audience is not caller.audience
)
"""Tokens that no sign-in of ours issues: signed by our key, for an API that is not their bearer's."""
