"""Corruptions, each of one thing, each done as a superuser with every trigger asleep.

`law` is the check that must turn red. What is marked `alone` is found by that law and no other.
"""

from dataclasses import dataclass

from tests.proof.bookkeeper import Bookkeeper, tokyo


@dataclass(frozen=True)
class Corruption:
    law: str
    what: str
    statements: tuple[str, ...]
    alone: bool = False


def corrupt(law: str, what: str, *statements: str, alone: bool = False) -> Corruption:
    return Corruption(law, what, statements, alone)


AFTER = tokyo(7, 1)
"""The world's last deed lies weeks behind; what a corruption inserts is written now."""

NEW_ID = f"uuid '{Bookkeeper().new_id(AFTER)}'"

ONE = "ctid = (SELECT ctid FROM {table} WHERE {where} ORDER BY ctid LIMIT 1)"


def one(table: str, where: str = "true") -> str:
    """The first row of a table that satisfies a condition."""
    return ONE.format(table=table, where=where)
