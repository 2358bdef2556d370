"""Every picture that we print is read back by two decoders, ZXing and ZBar, to the last character.

SVG documents are drawn by resvg, which has nothing in common with the code that writes them.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from io import BytesIO
from xml.etree import ElementTree

import pytest
import resvg_py
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from pyzbar import pyzbar

from infra.http.pictures import ErrorCorrection, qr_png, qr_svg, sticker_svg
from services.kit.numbers import display_number, make_number, number_space
from services.payments.emvco import store_payload
from services.payments.qr import store_url, till_url
from tests.payments.pay_codes import CODE

BASE = "https://pay.hiratsuka.example"
STORE = make_number("S", 123_456_789, 7)
TILL = make_number("T", 987_654_321, 10)
URL = store_url(BASE, STORE)
NAMES = [
    "七夕",
    "たなばた珈琲焙煎所 平塚本店",
    "ｶﾌｪ・ドゥ・ラ・ペ（紅谷町）",
    "八百屋 〆 髙﨑商店",
    "𠮷野家 平塚駅前店",
    "居酒屋 ❤ 🎋ななゆう🎋",
    "Café Shōnan & <Söhne> '25",
    "한국식당 北京飯店 ร้านอาหารไทย",
    "ガギグゲゴ パピプペポ ヴァヰヱヲ ー～―‐",
    "㈱ひらつか①②③㍿℡ 〒254-0045",
    "あ" * 25,
    "漢" * 25,
    "A" * 25,
]  # fmt: skip


def emvco_text(name_ja: str, till: str | None = None) -> str:
    return store_payload(
        store_code=STORE,
        name_ascii="TANABATA COFFEE",
        name_ja=name_ja,
        city_ascii="HIRATSUKA",
        postal_code="254-0045",
        mcc="5814",
        guid="example.hiratsuka.pay",
        amount_yen=None if till is None else 1980,
        reference=till,
    )


EVERYTHING_PRINTED = [URL, till_url(BASE, TILL), CODE, emvco_text("七夕", TILL), *map(emvco_text, NAMES)]


def drawn(svg: str, dpi: int = 96, page: str = "#000") -> Image.Image:
    """The document on a black page: what it does not paint white stays black."""
    content = resvg_py.svg_to_bytes(svg_string=svg, dpi=dpi, background=page)
    return Image.open(BytesIO(bytes(content))).convert("L")


def opened(png: bytes) -> Image.Image:
    return Image.open(BytesIO(png)).convert("L")


def on_black(picture: Image.Image) -> Image.Image:
    page = Image.new("L", (picture.width + 80, picture.height + 80), 0)
    page.paste(picture, (40, 40))
    return page


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)  # noqa: S314 - our own document


def read_by_both(picture: Image.Image, text: str) -> None:
    assert [symbol.text for symbol in zxingcpp.read_barcodes(picture)] == [text]
    assert [symbol.data.decode() for symbol in pyzbar.decode(picture)] == [text]


def level_of(picture: Image.Image) -> str:
    return str(zxingcpp.read_barcodes(picture)[0].ec_level)


def modules_of(svg: str) -> int:
    matched = re.search(r'viewBox="0 0 (\d+) \1"', svg)
    assert matched is not None
    return int(matched[1])


@pytest.mark.parametrize("level", ["M", "Q"])
@pytest.mark.parametrize("text", EVERYTHING_PRINTED)
def test_every_picture_is_read_back(text: str, level: ErrorCorrection) -> None:
    read_by_both(on_black(opened(qr_png(text, error_correction=level))), text)
    read_by_both(on_black(drawn(qr_svg(text, error_correction=level))), text)


@pytest.mark.parametrize("text", EVERYTHING_PRINTED)
def test_every_picture_is_read_at_the_smallest_module(text: str) -> None:
    read_by_both(opened(qr_png(text, module_px=3)), text)
    read_by_both(drawn(qr_svg(text, module_px=3)), text)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("side", [Decimal(10), Decimal(40), Decimal(90)])
def test_every_sticker_is_read_back(name: str, side: Decimal) -> None:
    svg = sticker_svg(URL, name=name, number=display_number(STORE), side_mm=side)
    read_by_both(drawn(svg, dpi=150), URL)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(0, number_space(7) - 1),
    st.text(st.characters(min_codepoint=0x3041, max_codepoint=0x9FFF, categories=["L"]), min_size=1, max_size=25),
)
def test_any_stores_picture_is_read_back(entropy: int, name: str) -> None:
    url = store_url(BASE, make_number("S", entropy, 7))
    read_by_both(drawn(sticker_svg(url, name=name, number="S"), dpi=150), url)
    zxing = zxingcpp.read_barcodes(opened(qr_png(emvco_text(name))))
    assert [symbol.text for symbol in zxing] == [emvco_text(name)]


@pytest.mark.parametrize("text", EVERYTHING_PRINTED)
def test_both_pictures_have_four_white_modules_all_round(text: str) -> None:
    for picture, module in ((opened(qr_png(text, module_px=5)), 5), (drawn(qr_svg(text, module_px=5)), 5)):
        quiet = 4 * module
        inside = (quiet, quiet, picture.width - quiet, picture.height - quiet)
        assert picture.point(lambda grey: 255 if grey < 128 else 0).getbbox() == inside
        picture.paste(255, inside)
        assert picture.getextrema() == (255, 255)


def test_a_picture_without_its_white_border_is_read_by_none_on_black() -> None:
    """The control: the border is what makes the pictures above readable."""
    picture = opened(qr_png(URL, module_px=8))
    bare = on_black(picture.crop((32, 32, picture.width - 32, picture.height - 32)))
    assert zxingcpp.read_barcodes(bare) == []
    assert pyzbar.decode(bare) == []


@pytest.mark.parametrize("make", [qr_svg, qr_png])
@pytest.mark.parametrize("module", [-1, 0, 1, 2])
def test_no_module_is_smaller_than_three_pixels(make: Callable[..., object], module: int) -> None:
    with pytest.raises(ValueError, match="at least 3"):
        make(URL, module_px=module)


def test_the_sizes_are_the_symbols() -> None:
    svg = qr_svg(URL, module_px=4)
    assert f'width="{modules_of(svg) * 4}" height="{modules_of(svg) * 4}"' in svg
    assert opened(qr_png(URL, module_px=8)).size == (modules_of(svg) * 8, modules_of(svg) * 8)


def test_an_address_stays_in_a_symbol_of_version_three_even_on_a_sticker() -> None:
    assert modules_of(qr_svg(URL, error_correction="Q")) == 29 + 8


@pytest.mark.parametrize("text", ["1", "AB", URL])
def test_no_symbol_is_a_micro_symbol(text: str) -> None:
    assert modules_of(qr_svg(text)) >= 21 + 8
    assert [symbol.format for symbol in zxingcpp.read_barcodes(drawn(qr_svg(text)))] == [zxingcpp.BarcodeFormat.QRCode]


@pytest.mark.parametrize("text", [URL, CODE, emvco_text("あ" * 25)])
@pytest.mark.parametrize("side", [Decimal(0), Decimal(10), Decimal(25), Decimal(60)])
def test_a_stickers_symbol_is_never_below_25_mm_nor_its_modules_below_half_a_millimetre(
    text: str, side: Decimal
) -> None:
    root = parsed(sticker_svg(text, name="七夕", number="S", side_mm=side))
    scale = next(path.get("transform") for path in root.iterfind(".//{*}path") if path.get("transform"))
    assert scale is not None
    module = Decimal(scale.removeprefix("scale(").removesuffix(")"))
    modules = modules_of(qr_svg(text, error_correction="Q")) - 8
    assert module >= Decimal("0.5")
    assert module * modules >= max(Decimal(25), side)
    height = root.get("height")
    assert height is not None
    assert Decimal(height.removesuffix("mm")) == module * (modules + 8)
    # What the numbers promise is what is drawn: the dark modules' box, at 254 dots an inch.
    drawing = drawn(sticker_svg(text, name="", number="", side_mm=side), dpi=254, page="#fff")
    box = drawing.point(lambda grey: 255 if grey < 128 else 0).getbbox()
    assert box is not None
    assert abs((box[2] - box[0]) / 10 - float(module * modules)) < 0.3


@pytest.mark.parametrize("name", [*NAMES, "Very Long Name of a Company " * 5, "\x00\x1b改行\n\tと制御\ud800"])
def test_a_sticker_shows_the_name_and_the_number_to_type(name: str) -> None:
    number = display_number(STORE)
    svg = sticker_svg(URL, name=name, number=number)
    root = parsed(svg)
    width, height = (Decimal(str(root.get(side)).removesuffix("mm")) for side in ("width", "height"))
    texts = list(root.iterfind(".//{*}text"))
    assert texts[-1].text == number
    shown = "".join(str(text.text) for text in texts[:-1]).removesuffix("…")
    wanted = re.sub(r"[\s\x00-\x1f\ud800]+", "", name)
    assert wanted.startswith(shown.replace(" ", ""))
    assert shown.replace(" ", "") == wanted or len(name) > 70
    assert len(texts) <= 4
    for text in texts:
        assert float(str(text.get("font-size"))) >= 4
        assert float(height) >= float(str(text.get("y"))) >= float(str(text.get("font-size")))
        ems = sum(1 if "\u2e80" < sign < "\uff61" else 0.6 for sign in str(text.text))
        assert float(str(text.get("font-size"))) * ems <= 62 * 1.01
    assert width > height


def test_an_accent_is_one_with_its_letter() -> None:
    svg = sticker_svg(URL, name="か\u3099く", number="S")
    assert ">がく<" in svg


def test_screens_have_level_m_and_stickers_level_q() -> None:
    assert level_of(opened(qr_png(URL))) == level_of(drawn(qr_svg(URL))) == "M"
    assert level_of(drawn(sticker_svg(URL, name="七夕", number="S"))) == "Q"
    assert level_of(opened(qr_png(URL, error_correction="Q"))) == "Q"


def test_a_name_is_text_and_never_markup() -> None:
    svg = sticker_svg(URL, name='</text><script>alert("1")</script>', number="<&>")
    root = parsed(svg)
    assert not list(root.iterfind(".//{*}script"))
    assert "<script" not in svg


def test_equal_texts_make_equal_pictures() -> None:
    assert qr_svg(CODE) == qr_svg(CODE)
    assert qr_png(CODE) == qr_png(CODE)
    assert sticker_svg(URL, name="七夕", number="S") == sticker_svg(URL, name="七夕", number="S")


def stained(picture: Image.Image) -> Image.Image:
    box = picture.width // 2
    picture.paste(128, (box, box, box + picture.width // 10, box + picture.width // 10))
    return picture


@pytest.mark.parametrize(
    "degrade",
    [
        lambda picture: picture.rotate(7, expand=True, fillcolor=255),
        lambda picture: picture.rotate(90, expand=True),
        lambda picture: picture.rotate(180),
        lambda picture: picture.filter(ImageFilter.GaussianBlur(2)),
        lambda picture: picture.point(lambda grey: 90 + grey // 4),
        lambda picture: picture.resize((picture.width * 2 // 3, picture.height * 2 // 3)),
        lambda picture: picture.resize((picture.width, picture.height * 3 // 4)),
        stained,
    ],
    ids=["tilted", "on its side", "upside down", "blurred", "faded", "far", "slanted", "stained"],
)
def test_a_sticker_survives_the_street(degrade: Callable[[Image.Image], Image.Image]) -> None:
    read_by_both(degrade(opened(qr_png(URL, error_correction="Q", module_px=10))), URL)
