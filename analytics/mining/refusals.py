"""What mining says no to: a question that the frames cannot answer is refused, never guessed at."""

from typing import ClassVar

from services.kit.errors import Refusal


class OutOfRange(Refusal):
    """A setting `name` is `value`, and must be from `least` to `most`."""

    code: ClassVar[str] = "mining_out_of_range"


class WindowEmpty(Refusal):
    """The time asked about ends before it begins: `first`, `last`."""

    code: ClassVar[str] = "mining_window_empty"


class DayUnknown(Refusal):
    """What was given for a day, `value`, is none."""

    code: ClassVar[str] = "mining_day_unknown"


class SeriesTooShort(Refusal):
    """`found` days are too few to tell a week's rhythm from chance; it takes `needed`."""

    code: ClassVar[str] = "mining_series_too_short"


class TooFewSimilar(Refusal):
    """Only `found` stores of other merchants are like this one; a median is told from `needed` on."""

    code: ClassVar[str] = "mining_too_few_similar"


class StoreUnknown(Refusal):
    """No row of `stores` tells what this store is in the time asked about."""

    code: ClassVar[str] = "mining_store_unknown"


class NoComparison(Refusal):
    """The coupon `coupon` has `found` people to compare with who were not shown it; it takes `needed`."""

    code: ClassVar[str] = "mining_no_comparison"


class HistoryTooShort(Refusal):
    """The frame begins on `begins`; to tell who is new from `first` on it must reach back to `needed`."""

    code: ClassVar[str] = "mining_history_too_short"
