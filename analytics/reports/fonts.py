"""Which font with Japanese signs this machine has.

A browser brings its own fonts. A PDF cannot: what has no sign in any font would come out as empty boxes, so
who makes one asks first.
"""

from functools import cache

from analytics.charts.theme import FONT_FAMILIES


@cache
def japanese_font() -> str | None:
    """The first family of the charts' stack that is installed, or None."""
    import typst  # noqa: PLC0415

    installed = set(typst.Fonts().families())
    return next((family for family in FONT_FAMILIES if family in installed), None)
