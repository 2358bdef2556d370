"""How the command line speaks: progress on the error stream, results on the output, failures in a sentence.

A failure that a person can put right is told in that sentence alone; anything else keeps its traceback.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Annotated, TypeVar

import typer
import uvloop
from rich.console import Console

from infra.bad_setting import BadSetting
from infra.database.binaries import ServerFailed
from infra.database.connect import BadDatabaseUrl, ClockSkew
from infra.database.locks import InUse
from infra.database.migrate import CannotMigrate
from infra.database.provision import Unreachable
from infra.database.server_files import FolderRefused
from infra.keys import KeyUnsafe
from locales import LANGUAGES

R = TypeVar("R")

CAN_BE_PUT_RIGHT = (
    BadDatabaseUrl,
    BadSetting,
    CannotMigrate,
    ClockSkew,
    FolderRefused,
    InUse,
    KeyUnsafe,
    ServerFailed,
    Unreachable,
)

out = Console(emoji=False)
_err = Console(stderr=True, emoji=False)


AsLangSays = Annotated[str | None, typer.Option("--language", help="ja, en or ja-simple; else as LANG says.")]


def reading(asked: str | None) -> str:
    """The language that was asked for, or the one of the terminal's locale. Raises typer.BadParameter."""
    if asked is not None:
        if asked not in LANGUAGES:
            raise typer.BadParameter(f"one of {', '.join(LANGUAGES)}", param_hint="--language")
        return asked
    told = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "ja" if told.startswith("ja") else "en"


def tell(words: str) -> None:
    """Say what is going on, without mixing it into a result that is piped elsewhere."""
    _err.print(words, style="dim", markup=False, highlight=False)


def show(words: str) -> None:
    """Say what came of it, as it stands: a folder may be called `[x]` or `:x:`, and is copied from a line unbroken."""
    out.print(words, markup=False, highlight=False, soft_wrap=True)


def complain(words: str) -> None:
    """Say what went wrong and what to do."""
    _err.print(words, style="bold red", markup=False, highlight=False)


def run(work: Callable[[], Coroutine[None, None, R]], *, quickly: bool = False) -> R:
    """Run a command's work; exits with 1 and one clear message for what a person can put right.

    `quickly`: on uvloop, for a server, and for work that asks the database a million times.

    SIGTERM and SIGHUP end it as Ctrl-C does: what it opened is closed, the database server included.
    """
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop if quickly else None) as runner:
            return runner.run(_heeding_signals(work))
    except CAN_BE_PUT_RIGHT as error:
        complain(str(error))
        raise typer.Exit(1) from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        complain("interrupted")
        raise typer.Exit(130) from None


async def _heeding_signals(work: Callable[[], Coroutine[None, None, R]]) -> R:
    this = asyncio.current_task()
    if this is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    return await work()
