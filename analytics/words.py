"""The few words that some columns hold, for frames and for filters. Loading this loads no library."""

from collections.abc import Mapping
from typing import Final

UNKNOWN: Final = "unknown"
"""The district or age band of a resident who proved neither, and the category of a store without one."""

AGE_BANDS: Final = ("0-17", "18-29", "30-39", "40-49", "50-59", "60-69", "70-79", "80+", UNKNOWN)
CATEGORIES: Final = (
    "supermarket",
    "convenience",
    "food",
    "restaurant",
    "drugstore",
    "medical",
    "clothing",
    "household",
    "services",
    "leisure",
    "other",
    UNKNOWN,
)
STORE_CLASSES: Final = ("large", "small")
KINDS: Final = ("payment", "cancel", "refund")
MODES: Final = ("cpm", "mpm", "till", "card")
ORIGINS: Final = ("purchase", "grant")

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "age_band": AGE_BANDS,
    "category": CATEGORIES,
    "store_class": STORE_CLASSES,
    "kind": KINDS,
    "mode": MODES,
    "origin": ORIGINS,
}
"""By column. Every other text is a code or a name, which may be any."""
