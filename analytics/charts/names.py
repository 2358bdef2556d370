"""What a chart may be asked by, and refused for. Loading this loads none of the libraries that draw."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final

from services.kit.errors import Kind, Refusal

NAMES: Final = ("circulation", "redemption", "hours", "flows", "cohorts", "ranking", "before_after")
"""Every chart, in the order in which a report shows them."""


class Shape(StrEnum):
    """For what the chart is drawn; the width is in CSS pixels, and fits with its margins."""

    PHONE = "phone"
    SCREEN = "screen"
    PRINT = "print"

    @property
    def width(self) -> int:
        """328 leaves a phone of 360 a margin of 16 on either side; 640 fills the lines of an A4 page."""
        return {Shape.PHONE: 328, Shape.SCREEN: 720, Shape.PRINT: 640}[self]


class ChartUnknown(Refusal):
    """No chart of this name: `chart`."""

    code: ClassVar[str] = "chart_unknown"
    kind = Kind.MISSING


class ChartTooLarge(Refusal):
    """A chart of so many rows is not drawn: `chart`, `rows`, `most`."""

    code: ClassVar[str] = "chart_too_large"


class ReportProgrammeUnknown(Refusal):
    """The lake has no such programme: `programme`."""

    code: ClassVar[str] = "report_programme_unknown"


class ReportProgrammeUnnamed(Refusal):
    """A programme was asked for by an empty name."""

    code: ClassVar[str] = "report_programme_unnamed"


class ReportWithoutProgramme(Refusal):
    """The lake has no programme at all."""

    code: ClassVar[str] = "report_without_programme"


class ReportProgrammeIdle(Refusal):
    """Nothing was bought, granted, paid or lapsed of this programme yet: `programme`."""

    code: ClassVar[str] = "report_programme_idle"


REPORT_REFUSALS: Final = (
    ReportProgrammeUnknown,
    ReportProgrammeUnnamed,
    ReportWithoutProgramme,
    ReportProgrammeIdle,
)
"""Why there is nothing to tell of a programme."""


@dataclass(frozen=True)
class ChartQuestion:
    """One chart of one programme (None: the one whose use began last), in the words of `language`, for a shape."""

    name: str
    language: str
    programme: str | None = None
    shape: Shape = Shape.SCREEN

    def checked(self) -> "ChartQuestion":
        """Itself, if there is such a chart. Raises ChartUnknown."""
        if self.name not in NAMES:
            raise ChartUnknown(chart=self.name[:60])
        return self
