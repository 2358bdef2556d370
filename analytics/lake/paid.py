"""What payments took from lots, put together from the tables as the views tell them, by hashed numbers.

Pure: columns in, an Arrow table out that tells what the view `spending` does. Law: every taking is told once; one
whose leg, payment, lot or store is not there, or of which there are two, stops the refresh.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analytics.frames import SPENDING
from analytics.lake.arrays import KeysCollide, encoded, numbers_of
from analytics.lake.packed import MODES, Columns

Numbers = npt.NDArray[Any]

KINDS: Final = next(column.allowed for column in SPENDING.columns if column.name == "kind")
_PAYMENT: Final = KINDS.index("payment")
_WHOLE: Final = ("deed", "payment", "resident", "lot", "paid_yen", "premium_yen")


class LotUnknown(Exception):
    """A deed took from a lot, or a payment was made at a store, that nobody has: all is not of one snapshot."""


class City:
    """Whose each lot is and what it is for, and what each store is called: the views `purses` and `shops`."""

    def __init__(self, purses: pa.Table, shops: pa.Table) -> None:
        self._lots = _index("lots", numbers_of(purses["lot"]))
        self._shops = _index("stores", numbers_of(shops["shop"]))
        self._resident = numbers_of(purses["resident"])
        of_lot = {name: encoded(purses[name]) for name in ("programme", "purse")}
        self._of_lot = {name: numbers_of(words.indices) for name, words in of_lot.items()}
        self._words: Mapping[str, pa.Array] = {
            "kind": pa.array(KINDS),
            "store": shops["store"].combine_chunks(),
            "mode": pa.array(MODES),
            **{name: words.dictionary for name, words in of_lot.items()},
        }

    def spending(self, payments: Columns, legs: Columns, takings: Columns, returned: pa.Table) -> pa.Table:
        """What `spending` tells of the period from which these four are. Raises LotUnknown, KeysCollide."""
        paid, back = self._paid(payments, legs, takings), self._returned(returned)
        if len(takings["leg"]) != len(paid["deed"]) + len(back["deed"]):
            raise LotUnknown("a taking has no leg")
        both = {name: np.concatenate([paid[name], back[name]]) for name in paid}
        both |= self._owned(both["lot"])
        told = {name: pa.array(both[name]) for name in _WHOLE}
        told |= {
            name: pa.DictionaryArray.from_arrays(pa.array(both[name].astype("i4")), words)
            for name, words in self._words.items()
        }
        told["at"] = pa.array(both["at"]).view(pa.timestamp("us", tz="UTC"))
        told["emptied"] = pa.array(both["emptied"])
        return pa.table(told)

    def _paid(self, payments: Columns, legs: Columns, takings: Columns) -> dict[str, Numbers]:
        leg = _index("legs", legs["leg"]).get_indexer(pd.Index(takings["leg"]))
        ours = leg >= 0  # what was taken by a leg that is none of a payment's came back
        payment = _found(_index("payments", payments["payment"]), legs["payment"])[leg[ours]]
        told = {name: payments[name][payment] for name in ("payment", "mode", "at", "emptied")}
        return {
            **told,
            "deed": told["payment"],
            "kind": np.full(len(payment), _PAYMENT),
            "store": _found(self._shops, payments["shop"])[payment],
            **{name: takings[name][ours] for name in ("lot", "paid_yen", "premium_yen")},
        }

    def _returned(self, rows: pa.Table) -> dict[str, Numbers]:
        words = {
            name: numbers_of(pc.index_in(rows[name], value_set=self._words[name])) for name in ("kind", "store", "mode")
        }
        whole = {name: numbers_of(rows[name]) for name in ("deed", "payment", "lot", "paid_yen", "premium_yen")}
        return {**words, **whole, "at": numbers_of(rows["at"]), "emptied": np.zeros(len(rows), dtype=bool)}

    def _owned(self, lots: Numbers) -> dict[str, Numbers]:
        found = _found(self._lots, lots)
        return {"resident": self._resident[found], **{name: codes[found] for name, codes in self._of_lot.items()}}


def _index(of: str, numbers: Numbers) -> "pd.Index[Any]":
    index = pd.Index(numbers)
    if not index.is_unique:
        raise KeysCollide(of)
    return index


def _found(index: "pd.Index[Any]", numbers: Numbers) -> Numbers:
    places: Numbers = index.get_indexer(pd.Index(numbers))
    if (places < 0).any():
        raise LotUnknown
    return places
