"""Names as they are compared: the spellings of one name are one key, names that only look alike are two.

Law: what is folded is width, combining marks, spaces, variation selectors and forms of a kanji that the family
register itself calls the same letter; nothing else. Two letters that resemble each other (a katakana and a kanji,
太 and 大, a Cyrillic and a Latin a) stay apart, for a name that is folded too far is somebody else's.
Sources: Unicode Standard Annex 15 (NFKC); the table of old forms at the end of the 常用漢字表 (2010), and for
the ladder-high 髙, the standing 﨑 and the like the variants that registers print (docs/sources.md).
"""

import re
import unicodedata
from datetime import date

MAX_NAME_LENGTH = 60
FIRST_BIRTH = date(1900, 1, 1)
POSTAL_DIGITS = 7
INDIVIDUAL_NUMBER_DIGITS = 12
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

OLD_FORMS = {
    "亞": "亜",
    "惡": "悪",
    "榮": "栄",
    "圓": "円",
    "應": "応",
    "奧": "奥",
    "學": "学",
    "嶽": "岳",
    "寬": "寛",
    "關": "関",
    "顏": "顔",
    "龜": "亀",
    "舊": "旧",
    "峽": "峡",
    "曉": "暁",
    "勳": "勲",
    "薰": "薫",
    "惠": "恵",
    "螢": "蛍",
    "縣": "県",
    "顯": "顕",
    "驗": "験",
    "嚴": "厳",
    "廣": "広",
    "恆": "恒",
    "國": "国",
    "齋": "斎",
    "齊": "斉",
    "櫻": "桜",
    "實": "実",
    "壽": "寿",
    "收": "収",
    "澁": "渋",
    "將": "将",
    "祿": "禄",
    "條": "条",
    "淨": "浄",
    "眞": "真",
    "愼": "慎",
    "盡": "尽",
    "瀨": "瀬",
    "攝": "摂",
    "專": "専",
    "莊": "荘",
    "藏": "蔵",
    "增": "増",
    "臺": "台",
    "瀧": "滝",
    "澤": "沢",
    "晝": "昼",
    "鐵": "鉄",
    "傳": "伝",
    "燈": "灯",
    "德": "徳",
    "獨": "独",
    "讀": "読",
    "惱": "悩",
    "拜": "拝",
    "髮": "髪",
    "濱": "浜",
    "濵": "浜",
    "敍": "叙",
    "佛": "仏",
    "豐": "豊",
    "邊": "辺",
    "邉": "辺",
    "寶": "宝",
    "萬": "万",
    "滿": "満",
    "藥": "薬",
    "與": "与",
    "譽": "誉",
    "樣": "様",
    "來": "来",
    "賴": "頼",
    "龍": "竜",
    "兩": "両",
    "綠": "緑",
    "禮": "礼",
    "勞": "労",
    "髙": "高",
    "﨑": "崎",
    "彌": "弥",
    "嶋": "島",
    "冨": "富",
    "圀": "国",
    "緖": "緒",
    "橫": "横",
    "黑": "黒",
    "淸": "清",
    "靑": "青",
    "敎": "教",
    "𠮷": "吉",
}
"""Forms that one register prints for the other. 斎 and 斉, 嶋 and 嶌, 大 and 太 are letters of their own."""

_FOLDING = {ord(old): new for old, new in OLD_FORMS.items()}
_VARIATIONS = frozenset((*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_HIRAGANA_DASHES = {0x2010: "ー", 0x2015: "ー", 0x2212: "ー"}


def name_key(name: str) -> str:
    """What a name is compared by; the empty text for one that has no letter."""
    key = "".join(sign for sign in name if ord(sign) not in _VARIATIONS)
    # A mark joins the letter before it once the space between them is gone, and a joined letter may have an old form.
    while (folded := _folded(key)) != key:
        key = folded
    return key


def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFKC", text)
    return "".join(sign for sign in composed if not sign.isspace()).translate(_FOLDING).casefold()


def kana_key(kana: str) -> str:
    """What a reading is compared by: katakana, whatever was typed; small kana stay small."""
    return name_key(kana).translate(_HIRAGANA).translate(_HIRAGANA_DASHES)


def is_kana(text: str) -> bool:
    """Whether a reading is written in kana only, a space between its parts apart."""
    key = kana_key(text)
    return bool(key) and all("ァ" <= sign <= "ヺ" or sign in "ー・" for sign in key)


def postal_code(text: str) -> str | None:
    """Seven digits from whatever was typed, or None."""
    folded = unicodedata.normalize("NFKC", text)
    digits = "".join(sign for sign in folded if not sign.isspace() and sign not in "-ー‐−〒")
    return digits if digits.isascii() and digits.isdigit() and len(digits) == POSTAL_DIGITS else None


def looks_like_individual_number(text: str) -> bool:
    """Whether a cell could be a 個人番号: twelve digits and nothing else. None is ever stored.

    The check digit is not asked: a mistyped one is as much a secret as a right one.
    """
    folded = unicodedata.normalize("NFKC", text)
    bare = "".join(sign for sign in folded if not sign.isspace() and sign not in "-ー‐−")
    return bare.isdigit() and len(bare) == INDIVIDUAL_NUMBER_DIGITS


def birth_date(text: str) -> date | None:
    """A day as `YYYY-MM-DD`, `YYYY/MM/DD` or `YYYYMMDD`, not before 1900; None for anything else."""
    digits = unicodedata.normalize("NFKC", text).strip().replace("/", "-")
    if len(digits) == 8 and digits.isascii() and digits.isdigit():
        digits = f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"
    if _DAY.fullmatch(digits) is None:
        return None
    try:
        day = date.fromisoformat(digits)
    except ValueError:
        return None
    return day if day >= FIRST_BIRTH else None
