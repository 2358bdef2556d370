"""Pseudonyms that differ from export to export, so that two exports cannot be joined on them.

A pseudonym is HMAC-SHA256 under a key that is made for one export from the entropy it is given. Who keeps the
key can extend the same export later; who drops it can never find anybody again (decision 62: it is dropped).
"""

import hmac
from base64 import b32encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final, Self

import pandas as pd

from services.kit.ids import Entropy

KEY_BYTES: Final = 32
PSEUDONYM_BYTES: Final = 15
"""120 bits, 24 letters: that two of a million people meet in one has a chance of less than 10^-24."""


@dataclass(frozen=True, repr=False)
class ExportKey:
    """The secret of one export. It has no text form, so that it does not end in a log."""

    secret: bytes

    @classmethod
    def make(cls, entropy: Entropy) -> Self:
        return cls(entropy.take(KEY_BYTES))

    def pseudonym(self, kind: str, value: object) -> str:
        """24 letters and digits. `kind` keeps a resident and a store of the same number apart."""
        told = hmac.digest(self.secret, f"{kind}\x00{value}".encode(), sha256)
        return b32encode(told[:PSEUDONYM_BYTES]).decode("ascii").lower()

    def replace(self, data: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
        """A copy with these columns as pseudonyms, in an order that tells nothing of the old one.

        Rows are sorted by the first column, because their order would join two exports as well as a number.
        """
        found = data.copy()
        for name in columns:
            told: dict[Any, str] = {value: self.pseudonym(name, value) for value in data[name].unique()}
            found[name] = data[name].map(told).astype("str")
        return found.sort_values(columns, kind="stable", ignore_index=True) if columns else found
