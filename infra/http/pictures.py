"""QR pictures: on a screen, as a file, and as a sticker to print.

Law: every picture has its quiet zone of four modules, white behind it, and modules large
enough to be read; what is printed is read back by two decoders in the tests. Error correction
M on screens, Q on stickers, where light, grease and scratches come in. Never Micro QR.
Source: ISO/IEC 18004 (quiet zone), docs/sources.md (module sizes).
"""

import unicodedata
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from html import escape
from io import BytesIO
from typing import Literal

from qrcode.constants import ERROR_CORRECT_M, ERROR_CORRECT_Q
from qrcode.image.pil import PilImage
from qrcode.main import QRCode

ErrorCorrection = Literal["M", "Q"]

QUIET_ZONE = 4  # modules
MIN_MODULE_PX = 3
MIN_MODULE_MM = Decimal("0.5")
MIN_SIDE_MM = Decimal(25)

_LEVELS = {"M": ERROR_CORRECT_M, "Q": ERROR_CORRECT_Q}
_SVG = 'xmlns="http://www.w3.org/2000/svg"'
_FONT = "'Noto Sans JP','Hiragino Sans','Yu Gothic',Meiryo,'Noto Sans CJK JP',sans-serif"
_TEXT_WIDTH_MM = 62
_NAME_SIZES_MM = (9, 8, 7, 6, 5, 4)
_MAX_NAME_LINES = 3
_NUMBER_SIZE_MM = 7
_LATIN_EM = 0.65  # a bold letter's width, on the safe side


@dataclass(frozen=True)
class _Line:
    y: float
    size: float
    text: str


def qr_svg(text: str, *, error_correction: ErrorCorrection = "M", module_px: int = 4) -> str:
    """A QR symbol as an SVG document; `module_px` CSS pixels a module, at least 3."""
    _hold_module(module_px)
    symbol = _symbol(text, error_correction)
    modules = symbol.modules_count + 2 * QUIET_ZONE
    side = modules * module_px
    return (
        f'<svg {_SVG} viewBox="0 0 {modules} {modules}" width="{side}" height="{side}"'
        f' shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{modules}v{modules}h-{modules}z"/>'
        f'<path fill="#000" d="{_outline(symbol)}"/></svg>'
    )


def qr_png(text: str, *, error_correction: ErrorCorrection = "M", module_px: int = 8) -> bytes:
    """A QR symbol as a PNG file, black on white; `module_px` pixels a module, at least 3."""
    _hold_module(module_px)
    symbol = _symbol(text, error_correction)
    symbol.box_size = module_px
    content = BytesIO()
    symbol.make_image(fill_color="black", back_color="white").save(content, format="PNG")
    return content.getvalue()


def sticker_svg(text: str, *, name: str, number: str, side_mm: Decimal = Decimal(40)) -> str:
    """A store's sticker: the symbol, and beside it the store's name and the number to type.

    `side_mm` is the wished side of the symbol without its quiet zone; it grows to 25 mm and
    to modules of 0.5 mm where it must. `number` is shown as given. The document is in
    millimetres. A name that fills three lines is cut with an ellipsis.
    """
    symbol = _symbol(text, "Q")
    count = symbol.modules_count
    module = max(MIN_MODULE_MM, max(side_mm, MIN_SIDE_MM) / count).quantize(Decimal("0.001"), ROUND_UP)
    height = module * (count + 2 * QUIET_ZONE)
    width = height + _TEXT_WIDTH_MM + 4
    caption = f"{escape(_clean(name))} {escape(_clean(number))}"
    lines = "".join(
        f'<text x="{height}" y="{line.y:g}" font-size="{line.size:g}">{escape(line.text)}</text>'
        for line in _lay_out(_clean(name), _clean(number), float(height))
    )
    return (
        f'<svg {_SVG} viewBox="0 0 {width} {height}" width="{width}mm" height="{height}mm" role="img">'
        f"<title>{caption}</title>"
        f'<path fill="#fff" d="M0 0h{width}v{height}H0z"/>'
        f'<path fill="#000" shape-rendering="crispEdges" transform="scale({module})" d="{_outline(symbol)}"/>'
        f'<g fill="#000" font-family="{_FONT}" font-weight="700">{lines}</g></svg>'
    )


def _hold_module(module_px: int) -> None:
    if module_px < MIN_MODULE_PX:
        raise ValueError(f"a module has at least {MIN_MODULE_PX} pixels")


def _symbol(text: str, error_correction: ErrorCorrection) -> QRCode[PilImage]:
    """The smallest symbol that holds `text`. Raises qrcode's DataOverflowError beyond version 40."""
    symbol = QRCode(error_correction=_LEVELS[error_correction], border=QUIET_ZONE, image_factory=PilImage)
    symbol.add_data(text)
    symbol.make(fit=True)
    return symbol


def _outline(symbol: QRCode[PilImage]) -> str:
    """The dark modules as one path in units of a module, a rectangle for each run in a row."""
    runs = []
    for y, row in enumerate(symbol.get_matrix()):
        x = 0
        while x < len(row):
            start = x
            while x < len(row) and row[x]:
                x += 1
            if x > start:
                runs.append(f"M{start} {y}h{x - start}v1h-{x - start}z")
            x += 1
    return "".join(runs)


def _clean(text: str) -> str:
    """One line of characters that XML allows, composed, so that no accent is cut from its letter."""
    composed = unicodedata.normalize("NFC", text)
    visible = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in composed)
    return " ".join(visible.split())


def _lay_out(name: str, number: str, height: float) -> list[_Line]:
    """The name in the largest size at which it needs at most three lines, the number below."""
    for size in _NAME_SIZES_MM:
        rows = _wrap(name, _TEXT_WIDTH_MM / size)
        if len(rows) <= _MAX_NAME_LINES:
            break
    else:
        rows = [*rows[: _MAX_NAME_LINES - 1], rows[_MAX_NAME_LINES - 1][:-1] + "…"]
    number_size = min(_NUMBER_SIZE_MM, _TEXT_WIDTH_MM / (_LATIN_EM * max(len(number), 1)))
    name_height = len(rows) * size * 1.3
    top = (height - name_height - _NUMBER_SIZE_MM * 1.6) / 2
    lines = [_Line(top + (turn + 1) * size * 1.3, size, row) for turn, row in enumerate(rows)]
    return [*lines, _Line(top + name_height + _NUMBER_SIZE_MM * 1.6, number_size, number)]


def _wrap(text: str, width_em: float) -> list[str]:
    """Break a line of Japanese or Latin text where it is full, at a space if one is near."""
    rows, row, used = [], "", 0.0
    for sign in text:
        advance = _advance_em(sign)
        if row and used + advance > width_em:
            cut = row.rfind(" ") + 1
            keep = cut if cut > len(row) // 2 else len(row)
            rows.append(row[:keep].rstrip())
            row = row[keep:]
            used = sum(map(_advance_em, row))
        row += sign
        used += advance
    return [*rows, row] if row else rows


def _advance_em(sign: str) -> float:
    """About how wide a sign is, in ems: 1 for Japanese, 0 for marks, less for Latin."""
    if unicodedata.combining(sign) or unicodedata.category(sign) in {"Mn", "Me"}:
        return 0
    return 1 if unicodedata.east_asian_width(sign) in "WFA" else _LATIN_EM
