"""Charts as pictures, by Vega itself inside `vl-convert`; it fetches nothing."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

Picture = TypeVar("Picture", str, bytes)

VEGA_LITE = "6.4"
"""The version in which Altair writes."""


GETA: Final = "〓"
"""What Japanese printers set for a sign that they have not."""
_BEYOND: Final = re.compile("[\U00010000-\U0010ffff]")
"""Signs of two halves in JavaScript."""


def svg(spec: dict[str, Any]) -> str:
    """The chart as SVG whose text is text, in the fonts that the reader has."""
    import vl_convert  # noqa: PLC0415  # brings a JavaScript engine of its own

    def drawn(of: dict[str, Any]) -> str:
        made: str = vl_convert.vegalite_to_svg(of, vl_version=VEGA_LITE, allowed_base_urls=[])
        return made

    return _whole(drawn, spec)


def png(spec: dict[str, Any], scale: float = 1.0) -> bytes:
    """The chart as PNG, `scale` pixels to a CSS pixel."""
    import vl_convert  # noqa: PLC0415

    def drawn(of: dict[str, Any]) -> bytes:
        made: bytes = vl_convert.vegalite_to_png(of, vl_version=VEGA_LITE, scale=scale, allowed_base_urls=[])
        return made

    return _whole(drawn, spec)


def _whole(drawn: Callable[[dict[str, Any]], Picture], spec: dict[str, Any]) -> Picture:
    """The picture, also where Vega would cut a sign in two.

    It shortens what has no room by JavaScript's units, and the measuring of `vl-convert` refuses half a sign. Such a
    chart has `GETA` for its signs of two halves, which are rare in names (𠮷); the table beside it has them all.
    """
    try:
        return drawn(spec)
    except ValueError:
        plain = _changed(spec)
        if plain == spec:
            raise
        return drawn(plain)


def _changed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_changed(key): _changed(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(each) for each in value]
    return _BEYOND.sub(GETA, value) if isinstance(value, str) else value
