"""The results as a table that a person reads."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from infra.console import out

_WIDTH = 120
"""Also where the output is no terminal, or a narrow one: figures that are cut off are no figures."""


_VERDICTS = {True: "[green]reached", False: "[bold yellow]missed", None: "[bold yellow]not judged"}


def show(found: Mapping[str, Any]) -> None:
    """Print machine, settings, references, results and goals, as `bench.json` has them."""
    wide = Console(width=max(out.width, _WIDTH))
    for name in ("machine", "settings"):
        words = ", ".join(f"{key} {value}" for key, value in found[name].items())
        out.print(f"{name}: {words}", highlight=False, soft_wrap=True)
    wide.print(_references(found["references"]))
    wide.print(_results(found["results"]))
    if found["settling"]:
        wide.print(_settling(found["settling"]))
        for each in found["settling"]:
            for words in each["warnings"]:
                out.print(f"[bold yellow]{each['name']}: {words}", soft_wrap=True)
    wide.print(_goals(found["goals"]))
    if not found["settings"]["fsync"] == found["settings"]["synchronous_commit"] == "on":
        out.print("[bold red]fsync or synchronous_commit is off: these figures say nothing")


def _references(references: Mapping[str, float]) -> Table:
    table = Table(Column("reference"), Column("per second", justify="right"), Column("× TPC-B", justify="right"))
    for name, rate in references.items():
        table.add_row(name, f"{rate:,.0f}", f"{rate / references['tpcb_per_s']:.2f}")
    return table


def _results(results: list[Mapping[str, Any]]) -> Table:
    right = ("payments/s", "× TPC-B", "p50 ms", "p99 ms", "µs Python", "µs PG", "µs load", "acknowledged", "stored")
    table = Table("result", *(Column(each, justify="right") for each in right), "proof")
    for each in results:
        cpu = each["cpu_us"]
        table.add_row(
            each["name"],
            f"{each['per_s']:,.0f}",
            f"{each['ratio_tpcb']:.2f}",
            f"{each['p50_ms']:.1f}",
            f"{each['p99_ms']:.1f}",
            *(f"{cpu[part]:.0f}" for part in ("python", "postgres", "load")),
            f"{each['acknowledged']:,}",
            f"{each['stored']:,}",
            "[green]clean" if each["proof_clean"] else "[bold red]broken",
        )
    return table


def _settling(settled: list[Mapping[str, Any]]) -> Table:
    right = ("seconds", "alone", "payments/s meanwhile", "p99 ms quiet", "beside counting", "meanwhile")
    table = Table("beside payments", *(Column(each, justify="right") for each in right))
    for each in settled:
        table.add_row(
            each["name"],
            f"{each['seconds']:.1f}",
            f"{each['seconds_alone']:.1f}",
            f"{each['payments_per_s']:,.0f}",
            f"{each['p99_quiet_ms']:.1f}",
            f"{each['p99_counting_ms']:.1f}",
            f"{each['p99_during_ms']:.1f}",
        )
    return table


def _goals(goals: list[Mapping[str, Any]]) -> Table:
    table = Table("goal", Column("found", justify="right"), Column("wanted", justify="right"), "")
    for each in goals:
        sign = "≥" if each["at_least"] else "≤"
        verdict = _VERDICTS[each["reached"]]
        table.add_row(
            f"{each['name']}, {each['words']}", f"{each['found']:.2f}", f"{sign} {each['bound']:.1f}", verdict
        )
    return table
