"""Every chart by its name, in the order in which a report shows them."""

from collections.abc import Mapping
from typing import Final

from analytics.charts.before_after import BEFORE_AFTER
from analytics.charts.circulation import CIRCULATION
from analytics.charts.cohorts import COHORTS
from analytics.charts.figure import ChartKind
from analytics.charts.flows import FLOWS
from analytics.charts.hours import HOURS
from analytics.charts.ranking import RANKING
from analytics.charts.redemption import REDEMPTION

CHARTS: Final[Mapping[str, ChartKind]] = {
    kind.name: kind for kind in (CIRCULATION, REDEMPTION, HOURS, FLOWS, COHORTS, RANKING, BEFORE_AFTER)
}
