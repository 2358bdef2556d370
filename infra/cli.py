"""`tanabata`: the command line. Each command is a file in `infra/commands` with a function of its name.

Only the command that was asked for is loaded: `doctor` should not wait for the APIs that `up` serves.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from infra import commands


class _OnDemand(TyperGroup):
    # Any: the types of these two methods are private to typer.
    def list_commands(self, ctx: Any) -> list[str]:
        return [part.name for part in iter_modules(commands.__path__)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in self.list_commands(ctx):
            return None
        found = getattr(import_module(f"infra.commands.{cmd_name}"), cmd_name)
        if isinstance(found, typer.Typer):  # a group with commands of its own
            return get_command(found)
        one = typer.Typer(add_completion=False, pretty_exceptions_show_locals=False)
        one.command(cmd_name)(found)
        return get_command(one)


app = typer.Typer(
    cls=_OnDemand,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # locals may hold secrets
)


@app.callback()
def tanabata() -> None:
    """Electronic premium vouchers and local points for cities, settled to the yen."""


if __name__ == "__main__":
    app()
