"""Charts as pictures, by Vega itself inside `vl-convert`; it fetches nothing."""

from typing import Any

VEGA_LITE = "6.4"
"""The version in which Altair writes."""


def svg(spec: dict[str, Any]) -> str:
    """The chart as SVG whose text is text, in the fonts that the reader has."""
    import vl_convert  # noqa: PLC0415  # brings a JavaScript engine of its own

    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=VEGA_LITE, allowed_base_urls=[])
    return drawn


def png(spec: dict[str, Any], scale: float = 1.0) -> bytes:
    """The chart as PNG, `scale` pixels to a CSS pixel."""
    import vl_convert  # noqa: PLC0415

    drawn: bytes = vl_convert.vegalite_to_png(spec, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=[])
    return drawn
