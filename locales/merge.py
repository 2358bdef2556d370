"""Merge `locales/parts/*.json` into one file a language: `python -m locales.merge`.

A part is `{"<key>": {"ja": …, "en": …, "ja-simple": …}}`. What is already merged stays;
a part's text replaces it. Stops at a key that lacks a language.
"""

import json
import sys
from pathlib import Path

from locales import LANGUAGES

HERE = Path(__file__).parent


def merge(folder: Path = HERE) -> int:
    """Write the merged files; the number of keys in each. Raises ValueError for a bad part."""
    merged: dict[str, dict[str, str]] = {language: _read(folder / f"{language}.json") for language in LANGUAGES}
    for path in sorted((folder / "parts").glob("*.json")):
        part: dict[str, dict[str, str]] = json.loads(path.read_text(encoding="utf-8"))
        for key, translations in part.items():
            if translations.keys() != set(LANGUAGES):
                raise ValueError(f"{path.name}: {key} needs exactly {', '.join(LANGUAGES)}")
            for language, text in translations.items():
                merged[language][key] = text
    for language, texts in merged.items():
        content = json.dumps(texts, ensure_ascii=False, indent=1, sort_keys=True)
        (folder / f"{language}.json").write_text(content + "\n", encoding="utf-8")
    return len(merged["en"])


def _read(path: Path) -> dict[str, str]:
    content: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return content


if __name__ == "__main__":
    sys.stdout.write(f"{merge()} keys\n")
