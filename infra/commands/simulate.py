"""`tanabata simulate`: a whole programme in simulated time, from the city's decision to the last payout.

It plays in a database of its own, which it makes and drops, through the APIs' own handlers. The same
seed writes the same bytes. Exit code 0 only when the books are proven, the report's figures agree
with each other, and the bank files come to what the stores were paid.

`tanabata simulate city` needs no database: it invents a city of any size and writes what people did
straight into a lake, with the truth beside it (docs/algorithms/synthetic-city.md).
"""

import json
import os
import shutil
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from sqlalchemy import text

from infra.collector import calm_collector
from infra.console import complain, run, show, tell
from infra.database.connect import quoted
from infra.database.provision import DatabaseHandle, open_scratch_database
from infra.settings import Settings
from infra.simulation.scenarios import FULL_SCALE, LEAST_SCALE, SCENARIOS, Setting
from services.kit.clock import TOKYO

if TYPE_CHECKING:
    from analytics.synthetic.truth import Truth
    from infra.simulation.ending import Outcome

MAX_SEED = 2**63 - 1
CITY = "city"
LAKE, JOINED, TRUTH = "lake", "joined.csv", "truth.json"
MOST_PAYMENTS = 30_000_000
OUTPUTS = ("report.json", "trial-balance.txt", "*.zengin", "statements/*.txt")


def simulate(
    scenario: Annotated[str, typer.Argument(help=f"One of: {', '.join((*SCENARIOS, CITY))}.")],
    out_dir: Annotated[
        Path, typer.Option("--out", help=f"Folder for what comes of it; of {CITY}: {LAKE}/, {JOINED} and {TRUTH}.")
    ],
    scale: Annotated[float, typer.Option(help="Size of a programme: 1 is the real one, 0.001 the smallest.")] = 0.01,
    payments: Annotated[int, typer.Option(help=f"Size of {CITY}: about so many payments.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Chance: the same seed writes the same bytes.")] = 1,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that is not empty.")] = False,
) -> None:
    """Play a whole programme: people buy, pay, cancel, are refunded; stores are settled; the books are proven.

    Or invent a city and what its people did, for analytics, with the truth that an estimator should find.
    """
    if scenario == CITY:
        _invent(out_dir, payments, _seed(seed), force=force)
        return
    setting = _setting(scenario, scale, seed)
    _require_room(out_dir, force=force)
    outcome = run(lambda: _play(setting), quickly=True)
    before = set(out_dir.iterdir())
    try:
        _write(out_dir, outcome.files)
    except OSError as error:
        _give_up(out_dir, before, error.strerror or str(error))
    _summarise(out_dir, outcome)
    if outcome.wrong:
        for sentence in outcome.wrong:
            complain(sentence)
        raise typer.Exit(1)


def _setting(name: str, scale: float, seed: int) -> Setting:
    found = SCENARIOS.get(name)
    if found is None:
        raise typer.BadParameter(
            f"{name!r} is not known; there is {', '.join((*SCENARIOS, CITY))}", param_hint="SCENARIO"
        )
    if not LEAST_SCALE <= scale <= FULL_SCALE:
        raise typer.BadParameter(f"{scale} is not from {LEAST_SCALE} to {FULL_SCALE:g}", param_hint="--scale")
    return Setting(found, scale, _seed(seed))


def _seed(seed: int) -> int:
    if not 0 <= seed <= MAX_SEED:
        raise typer.BadParameter(f"{seed} is not from 0 to {MAX_SEED}", param_hint="--seed")
    return seed


def _require_room(folder: Path, *, force: bool) -> None:
    """The folder, made if need be; one with something in it only when that was asked for."""
    if folder.exists() and not folder.is_dir():
        raise typer.BadParameter(f"{folder} is a file", param_hint="--out")
    if folder.is_dir() and any(folder.iterdir()) and not force:
        raise typer.BadParameter(f"{folder} is not empty; --force writes into it all the same", param_hint="--out")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"{folder} cannot be made: {error.strerror}", param_hint="--out") from None


async def _play(setting: Setting) -> "Outcome":
    # Loaded here, because only this command needs the APIs, and loading them takes longer than most work.
    from infra.simulation.play import play  # noqa: PLC0415

    calm_collector()
    points = setting.units * setting.terms.unit_points
    async with open_scratch_database(Settings.from_env(os.environ), tell) as handle:
        await _make_quick(handle)
        with _progress() as progress:
            bar = progress.add_task("preparing", total=points)

            def told(words: str, yen: int) -> None:
                progress.update(bar, advance=yen, description=words)

            return await play(handle, setting, told)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), transient=True)


def _invent(folder: Path, payments: int, seed: int, *, force: bool) -> None:
    """A lake in `folder`/lake, and beside it what stores tell of their weeks, and the truth, where nobody who reads the
    lake comes upon it."""
    if not 1 <= payments <= MOST_PAYMENTS:
        raise typer.BadParameter(f"{payments} is not from 1 to {MOST_PAYMENTS}", param_hint="--payments")
    _require_room(folder, force=force)
    before = set(folder.iterdir())
    # Loaded here, because only this needs pandas and its company.
    import numpy as np  # noqa: PLC0415

    from analytics.lake.write import LakeUnwritable  # noqa: PLC0415
    from analytics.synthetic.joining import as_csv  # noqa: PLC0415
    from analytics.synthetic.joining_plan import Joining  # noqa: PLC0415
    from analytics.synthetic.plan import city_of  # noqa: PLC0415
    from analytics.synthetic.write import write_city  # noqa: PLC0415

    plan = city_of(payments, joining=Joining())
    over = datetime.combine(plan.use_to + timedelta(days=1), time(), TOKYO)
    try:
        with _progress() as progress:
            bar = progress.add_task("preparing", total=1.0)
            truth, sales = write_city(
                plan,
                np.random.default_rng(seed),
                folder / LAKE,
                over,
                lambda words, share: progress.update(bar, completed=share, description=words),
            )
        if sales is not None:
            (folder / JOINED).write_bytes(as_csv(sales))
        (folder / TRUTH).write_text(json.dumps(truth.plain(), ensure_ascii=False, indent=1, sort_keys=True) + "\n")
    except LakeUnwritable as refusal:
        _give_up(folder, before, str(refusal.params["problem"]))
    except OSError as error:
        _give_up(folder, before, error.strerror or str(error))
    except KeyboardInterrupt:
        _take_away(folder, before)
        complain("interrupted")
        raise typer.Exit(130) from None
    _tell_of(folder, truth, plan.residents, plan.stores)


def _give_up(folder: Path, before: set[Path], problem: str) -> NoReturn:
    _take_away(folder, before)
    complain(f"nothing more can be written to {folder} ({problem}); make room or allow writing, then try again")
    raise typer.Exit(1)


def _take_away(folder: Path, before: set[Path]) -> None:
    """Half a city is none: what was not there `before` goes again."""
    for path in set(folder.iterdir()) - before:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _tell_of(folder: Path, truth: "Truth", residents: int, stores: int) -> None:
    show(
        f"Residents: {residents:,}, stores: {stores:,}, payments: {truth.payments:,}; {truth.used_yen:,} yen used, "
        f"{truth.lapsed_yen:,} yen lapsed. See {folder / LAKE}, and for the truth {folder / TRUTH}"
    )


async def _make_quick(handle: DatabaseHandle) -> None:
    """Let no commit wait for the disk: after a crash nobody would look at this database again."""
    engine = handle.migrator_engine(pool_size=1)
    try:
        async with engine.begin() as connection:
            name = (await connection.execute(text("SELECT current_database()"))).scalar_one()
            await connection.execute(text(f"ALTER DATABASE {quoted(name)} SET synchronous_commit = off"))
    finally:
        await engine.dispose()


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files; those of an earlier play go, anything else in the folder stays."""
    for pattern in OUTPUTS:
        for path in folder.glob(pattern):
            path.unlink()
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def _summarise(folder: Path, outcome: "Outcome") -> None:
    report = outcome.report
    counts, stores, proof = report["counts"], report["stores"], report["proof"]
    payments = counts["payments_cpm"] + counts["payments_mpm"]
    show(
        f"Buyers: {counts['buyers']:,}, stores: {counts['stores']:,}, payments: {payments:,} of "
        f"{stores['gross_yen']:,} yen; {stores['paid_out_yen']:,} yen paid out (bank files: {counts['bank_files']}); "
        f"{len(proof['checks'])} laws {'hold' if proof['clean'] else 'were asked, not all hold'}. See {folder}"
    )
