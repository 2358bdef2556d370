"""An open-data package on disk: CSV and Parquet of every table, their description, the method, checksums.

It is written beside its place, attacked there, and only then moved into it: a folder of this name is a package that
survived. The same tables give the same bytes.
"""

import csv
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, Final

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analytics.disclosure.attack import ranges
from analytics.disclosure.open_data import OpenData, OpenTable
from analytics.disclosure.protect import verify
from analytics.sheet_text import neutral
from services.kit.errors import Refusal

Words = Callable[..., str]
"""A text's key and parameters to the text in some language."""

LICENCE: Final = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0 International",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
_WHOLE: Final = ("hour", "weekday")
_DAYS: Final = ("day", "week", "month")


class PackageExists(Refusal):
    """There is something in the place of the package already: `name`. Publishing replaces nothing."""

    code: ClassVar[str] = "open_data_exists"


class PackageUnwritable(Refusal):
    """The package's place takes no more: `name`, and the `problem` in the system's words. Nothing was published."""

    code: ClassVar[str] = "open_data_unwritable"


class AttackSucceeded(Refusal):
    """The written package did not survive its own attacks: `attack`, `table`. Nothing was published."""

    code: ClassVar[str] = "open_data_attack_succeeded"


def write_package(into: Path, data: OpenData, words: dict[str, Words], record: Callable[[], None]) -> None:
    """Write, attack, `record`, and put in place. `words` are the texts by language, the first one's in front.

    What is recorded and then lost in a crash has cost privacy for nothing; the other order would publish what nobody
    counted. Raises PackageExists, PackageUnwritable, AttackSucceeded.
    """
    require_free(into)
    draft = into.with_name(f".{into.name}.unfinished")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        try:
            _write(draft, data, words)
        except OSError as error:
            raise PackageUnwritable(name=into.name, problem=error.strerror or str(error)) from error
        attack(draft, data)
        record()
        draft.rename(into)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(draft: Path, data: OpenData, words: dict[str, Words]) -> None:
    (draft / "data").mkdir(parents=True)
    for table in data.tables:
        (draft / "data" / f"{table.name}.csv").write_bytes(csv_bytes(table))
        pq.write_table(_arrow(table), draft / "data" / f"{table.name}.parquet", compression="zstd")
    (draft / "method.md").write_text(_method(data, words), encoding="utf-8")
    description = json.dumps(_description(data, next(iter(words.values())), draft), ensure_ascii=False, indent=1)
    (draft / "datapackage.json").write_text(description + "\n", encoding="utf-8")
    (draft / "SHA256SUMS").write_text(_sums(draft), encoding="ascii")


def require_free(into: Path) -> None:
    """Raises PackageExists when there is anything in the place of the package."""
    if into.exists():
        raise PackageExists(name=into.name)


def attack(folder: Path, data: OpenData) -> None:
    """Attack what was written. Raises AttackSucceeded.

    *Complement*: with the exact figures of all shown cells in hand, which is more than any reader has, no hidden one
    can be told closely. *Dominance*: no shown cell is nearly one store's, or lets the second tell the first.
    *Reading*: the files show the noised figures and nothing in hidden cells, and have no column but these.
    """
    rules, cells, hidden = data.wish.rules, data.cells, data.hidden
    verify(cells, hidden, rules)
    for place, (least, most) in ranges(cells, hidden).items():
        if cells.people[place] > 0 and most - least < 1:
            raise AttackSucceeded(attack="complement", table=str(sorted(name for name, _ in cells.keys[place])))
    flags = rules.sensitive(cells.people, cells.stores, cells.top, cells.second)
    if any(flag and place not in hidden for place, flag in enumerate(flags)):
        raise AttackSucceeded(attack="dominance", table="")
    for table in data.tables:
        read = pd.read_csv(folder / "data" / f"{table.name}.csv", encoding="utf-8-sig", dtype={"hidden": "int64"})
        columns = pq.read_table(folder / "data" / f"{table.name}.parquet")
        wanted = [*table.by, "sales_yen", "hidden"]
        shown = table.frame["sales_yen"].astype("Int64")
        for found, names in (
            (read["sales_yen"], list(read.columns)),
            (columns["sales_yen"].to_pandas(), columns.column_names),
        ):
            if names != wanted or not found.astype("Int64").equals(shown):
                raise AttackSucceeded(attack="reading", table=table.name)
        if read.loc[read["hidden"] == 1, "sales_yen"].notna().any():
            raise AttackSucceeded(attack="reading", table=table.name)


def csv_bytes(table: OpenTable) -> bytes:
    """UTF-8 with a byte order mark, because officers open it in Excel; a text that a sheet would run begins with '."""
    told = StringIO()
    writer = csv.writer(told, lineterminator="\r\n")
    writer.writerow([*table.by, "sales_yen", "hidden"])
    for row in table.frame.itertuples(index=False):
        *names, value, hidden = row
        writer.writerow([*(_cell(name) for name in names), "" if pd.isna(value) else int(value), int(hidden)])
    return told.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if isinstance(value, pd.Timestamp):
        return value.date().isoformat()
    return neutral(str(value))


def _arrow(table: OpenTable) -> pa.Table:
    columns: dict[str, Any] = {}
    for name in table.by:
        entries = list(table.frame[name])
        if name in _DAYS:
            columns[name] = pa.array([entry.date() for entry in entries], type=pa.date32())
        else:
            columns[name] = pa.array(entries, type=pa.int64() if name in _WHOLE else pa.string())
    figures = [None if pd.isna(value) else int(value) for value in table.frame["sales_yen"]]
    columns["sales_yen"] = pa.array(figures, type=pa.int64())
    columns["hidden"] = pa.array(list(table.frame["hidden"]), type=pa.bool_())
    return pa.table(columns)


def _description(data: OpenData, words: Words, folder: Path) -> dict[str, Any]:
    """The Frictionless description: one resource for each CSV, with its schema and what its figures are worth."""
    wish = data.wish
    return {
        "profile": "tabular-data-package",
        "name": f"tanabata-{_slug(wish.programme)}-{wish.first.isoformat()}-{wish.last.isoformat()}",
        "title": words("open_data.title", programme=data.called, first=wish.first, last=wish.last),
        "licenses": [LICENCE],
        "resources": [_resource(table, words, folder) for table in data.tables],
        "privacy": {
            "minimum_people": wish.rules.minimum_people,
            "minimum_stores": wish.rules.minimum_stores,
            "largest_store_share": wish.rules.largest_store_share,
            "mechanism": "discrete Laplace",
            "noise_scale_yen": data.mechanism.scale,
            "clamp_yen": wish.clamp,
            "epsilon_per_table": float(wish.epsilon),
            "epsilon": float(wish.epsilon * len(data.tables)),
        },
    }


def _resource(table: OpenTable, words: Words, folder: Path) -> dict[str, Any]:
    content = (folder / "data" / f"{table.name}.csv").read_bytes()
    fields = [{"name": name, "type": _type(name), "title": words(f"dimension.{name}")} for name in table.by]
    figure = {"name": "sales_yen", "type": "integer", "title": words("measure.sales"), "bound95_yen": table.bound}
    hidden = {"name": "hidden", "type": "boolean", "trueValues": ["1"], "falseValues": ["0"]}
    schema: dict[str, Any] = {"fields": [*fields, figure, hidden], "missingValues": [""]}
    if table.by:
        schema["primaryKey"] = list(table.by)
    return {
        "name": table.name.replace("_", "-"),
        "path": f"data/{table.name}.csv",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"lineTerminator": "\r\n"},
        "bytes": len(content),
        "hash": f"sha256:{sha256(content).hexdigest()}",
        "schema": schema,
    }


def _type(name: str) -> str:
    return "date" if name in _DAYS else "integer" if name in _WHOLE else "string"


def _slug(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())


def _method(data: OpenData, words: dict[str, Words]) -> str:
    return "\n".join(_method_in(data, told) for told in words.values())


def _method_in(data: OpenData, words: Words) -> str:
    wish, rules = data.wish, data.wish.rules
    lines = [
        "# " + words("open_data.title", programme=data.called, first=wish.first, last=wish.last),
        words("open_data.what"),
        words(
            "open_data.hidden",
            people=rules.minimum_people,
            stores=rules.minimum_stores,
            share=f"{rules.largest_store_share:.0%}",
        ),
        words("open_data.noise", clamp_yen=f"{wish.clamp:,}", scale_yen=f"{data.mechanism.scale:,}"),
        words("open_data.cost", epsilon=float(wish.epsilon), tables=len(data.tables)),
        words("open_data.limits"),
        words("open_data.bounds"),
        _bounds(data, words),
        words("open_data.licence", title=LICENCE["title"], path=LICENCE["path"]),
    ]
    return "\n\n".join(lines) + "\n"


def _bounds(data: OpenData, words: Words) -> str:
    head = [words(f"open_data.{name}") for name in ("table", "bound", "of_clamp", "cells")]
    rows = [
        [
            table.name,
            f"{table.bound:,}",
            f"{table.clamp_bound:,}",
            f"{len(table.frame)} / {table.frame['hidden'].sum()}",
        ]
        for table in data.tables
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def _sums(folder: Path) -> str:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return "".join(
        f"{sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )
