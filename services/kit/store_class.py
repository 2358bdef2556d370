"""The class of a store: what a programme's purses and fees tell apart."""

from enum import StrEnum


class StoreClass(StrEnum):
    """By floor area or company size; the officer who registers a store decides."""

    LARGE = "large"
    SMALL = "small"
