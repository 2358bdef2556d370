"""Which cells may not be shown for their own sake, whatever stands beside them.

A cell is sensitive when few people are in it, when few stores are, or when one store makes up nearly all of
it: then its figure is nearly that store's turnover. Where the second store is known as well, the p % rule is
asked too: the second store subtracts its own turnover from the figure, and what is left must not tell it the
first store's turnover closely.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Truths = NDArray[np.bool_]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Rules:
    """When a cell is sensitive, and how badly a hidden one must be guessed.

    `minimum_people`: distinct residents that a shown cell has at least. `minimum_stores`: distinct stores;
    asked only where a cell names stores at all (points issued belong to none). `largest_store_share`: most
    that one store may have of a cell's value, 0 to 1. `rival_margin`: what the stores after the first two
    must make up, as a share of the first one's value. `protection`: whoever knows every shown figure and that
    no cell is negative must leave each hidden value open by this share of it, upwards and downwards.
    """

    minimum_people: int = 10
    minimum_stores: int = 3
    largest_store_share: float = 0.8
    rival_margin: float = 0.1
    protection: float = 0.2

    def __post_init__(self) -> None:
        if self.minimum_people < 1 or self.minimum_stores < 1:
            raise ValueError("a shown cell has at least one person and one store")
        if not (0 < self.largest_store_share <= 1 and 0 <= self.rival_margin <= 1 and 0 < self.protection <= 1):
            raise ValueError("shares lie between 0 and 1")

    def sensitive(self, people: Reals, stores: Reals, top: Reals, second: Reals) -> Truths:
        """Which cells with somebody in them may not be shown. All arrays are of one length.

        `top` and `second` are the shares of the first and the second store; NaN where nobody counted them. A cell
        in which nobody is (no people, no stores) says nothing of anybody and is never sensitive.
        """
        few_people = people < self.minimum_people
        few_stores = (stores > 0) & (stores < self.minimum_stores)
        dominated = (stores > 0) & (np.nan_to_num(top, nan=0.0) > self.largest_store_share)
        rest = 1.0 - top - second
        guessed = (stores > 0) & (np.nan_to_num(rest - self.rival_margin * top, nan=1.0) < 0)
        return ((people > 0) | (stores > 0)) & (few_people | few_stores | dominated | guessed)
