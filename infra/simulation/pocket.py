"""What a resident believes to hold: the app's own figures, kept apart from the platform's to compare with.

Law: at a store the purses that fewer store classes take are spent first; what comes back of a
payment comes back in the reverse order.
"""

from collections.abc import Sequence

from services.campaigns.terms import Terms

Part = tuple[str, int]
"""A purse and yen of it."""


class Pocket:
    """Points by purse, of one programme and one expiry."""

    def __init__(self, terms: Terms) -> None:
        self._purses = sorted(terms.purses, key=lambda purse: len(purse.store_classes))
        self._held = {purse.code: 0 for purse in self._purses}

    @property
    def total(self) -> int:
        return sum(self._held.values())

    def spendable(self, store_class: str) -> int:
        """What counts at a store of this class."""
        return sum(self._held[purse.code] for purse in self._purses if store_class in purse.store_classes)

    def add(self, purse: str, points: int) -> None:
        self._held[purse] += points

    def take(self, store_class: str, yen: int) -> tuple[Part, ...]:
        """Spend at a store; the parts, in the order in which they are spent."""
        parts = []
        for purse in self._purses:
            share = min(yen, self._held[purse.code]) if store_class in purse.store_classes else 0
            if share > 0:
                self._held[purse.code] -= share
                yen -= share
                parts.append((purse.code, share))
        if yen:
            raise ValueError("more is spent than there is")
        return tuple(parts)

    def put_back(self, parts: Sequence[Part], yen: int) -> tuple[Part, ...]:
        """Take back `yen` of what was spent; the parts that are still outstanding, in their order."""
        left = list(parts)
        while yen:
            purse, spent = left.pop()
            back = min(yen, spent)
            self._held[purse] += back
            yen -= back
            if spent > back:
                left.append((purse, spent - back))
        return tuple(left)

    def lapse(self) -> int:
        """Lose everything; how much that was."""
        lost = self.total
        self._held = dict.fromkeys(self._held, 0)
        return lost
