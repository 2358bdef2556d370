"""The knobs of stores that join one after the other. docs/algorithms/synthetic-city.md, "Joining"."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Joining:
    """Stores that take part only later, what that does to what they sell, and who tells of it.

    A share `late` of the stores, all of them small, joins within `over_weeks` of the first day of use, each merchant
    on a day of its own. Beside the programme there are `outside` times as many small stores that never join. Of the
    small ones a share `tells` what it sells by every means, from `before_weeks` before the first day of use, of `told`
    of its weeks. Joining adds on average `lift` of what a small store sells, `1 + opening` times that at first, which
    fades over `fades_weeks`; between stores it differs by `spread` of it. Sales wander by `noise` (the logarithm's
    standard deviation, between the two, store by store), and `lasts` of a week's is still there in the next. Points
    are `points_share` of what stores sell; besides, each sells `floor_yen`.
    """

    late: float = 0.35
    over_weeks: int = 10
    outside: float = 0.3
    tells: float = 0.85
    told: float = 0.97
    before_weeks: int = 8
    lift: float = 0.06
    opening: float = 0.5
    fades_weeks: float = 2.0
    spread: float = 0.6
    noise: tuple[float, float] = (0.05, 0.15)
    lasts: float = 0.4
    points_share: float = 0.08
    floor_yen: int = 150_000
