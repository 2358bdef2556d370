"""Columns of Arrow as arrays of numpy and back, without a copy, and words as their places in a list."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Numbers = npt.NDArray[Any]


class KeysCollide(Exception):
    """Two deeds, lots or expiries have one hashed number (one chance in some 100,000 for 10 million of them)."""


def numbers_of(column: pa.Array | pa.ChunkedArray) -> Numbers:
    """Whole numbers, or instants as whole numbers of their unit; no value is empty."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if column.null_count:
        raise ValueError("a number is empty")
    if not pa.types.is_integer(column.type):
        column = column.view(pa.int64())
    found: Numbers = column.to_numpy()
    return found


def encoded(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """Words as places in a list of words, of which some may not occur."""
    if isinstance(column, pa.ChunkedArray):
        column = column.unify_dictionaries().combine_chunks()
    return column if pa.types.is_dictionary(column.type) else column.dictionary_encode()


def in_order(column: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """The same words by a list that holds each that occurs once and is sorted: equal columns have equal lists."""
    words = encoded(column)
    places = numbers_of(words.indices)
    used = np.flatnonzero(np.bincount(places, minlength=len(words.dictionary)))
    occurring = words.dictionary.take(pa.array(used))
    order = numbers_of(pc.sort_indices(occurring))
    rank = np.zeros(len(words.dictionary), dtype="i4")
    rank[used[order]] = np.arange(len(used))
    return pa.DictionaryArray.from_arrays(pa.array(rank[places]), occurring.take(pa.array(order)))
