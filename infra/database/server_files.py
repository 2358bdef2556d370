"""The server's folders and settings files, written anew at every start.

    data_dir/            owner: who runs us     postgres/  the database, 0700, owner: the server's account
      settings/          readable               log/       one file a weekday, overwritten after a week
      *.lock             who uses the server    socket/    0700; elsewhere when the path would be too long

The settings live outside the database folder: root then never writes where another account could have
laid a symbolic link.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from infra.database.binaries import Account
from infra.database.postmaster import PORT, SOCKET
from infra.settings import may_walk_to

MIGRATOR = "tanabata_migrator"
APP = "tanabata_app"
AUDITOR = "tanabata_auditor"
ANALYST = "tanabata_analyst"
ACTING = (APP, AUDITOR, ANALYST)
"""Roles that own nothing: what each may do is exactly what migrations grant."""
ROLES = (MIGRATOR, *ACTING)
_LONGEST_SOCKET_PATH = 100  # the system's limit is 104 to 108 bytes
_IDENT_MAP = "tanabata"


class FolderRefused(Exception):
    """A folder that the database needs belongs to somebody else or cannot be reached."""


def private_folder(folder: Path, account: Account) -> Path:
    """A folder that only the server's account may enter. Raises FolderRefused when another owns it."""
    try:
        folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        status = folder.lstat()
        if status.st_uid != account.uid or not folder.is_dir() or folder.is_symlink():
            raise FolderRefused(f"{folder} belongs to another user; remove it or set TANABATA_DATA") from None
        if status.st_mode & 0o077:
            folder.chmod(0o700)
    return folder


def socket_folder(data_dir: Path, account: Account) -> Path:
    """Where the socket lives: beside the data, or under a short name when that path is too long.

    A comma separates folders both in PostgreSQL's setting and in a URL, so such a path will not do either.
    """
    beside = data_dir / "socket"
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    short = [Path(place) / f"tanabata-{digest}" for place in (tempfile.gettempdir(), "/tmp", "/var/tmp")]  # noqa: S108
    for folder in (beside, *short):
        fits = len(os.fsencode(folder / SOCKET)) <= _LONGEST_SOCKET_PATH and "," not in str(folder)
        if fits and may_walk_to(folder.parent, account.uid, account.gid):
            return private_folder(folder, account)
    raise FolderRefused(f"no folder for a socket that the server's user may reach; tried {beside} and {short}")


def write_settings(data_dir: Path, socket_dir: Path, account: Account, *, durable: bool) -> list[str]:
    """Write the three settings files; returns the server's arguments that name them."""
    folder = data_dir / "settings"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    texts = {
        "postgresql.conf": _settings_text(data_dir, socket_dir, durable=durable),
        "pg_hba.conf": "".join(f"local all {role} peer map={_IDENT_MAP}\n" for role in ROLES),
        "pg_ident.conf": "".join(f'{_IDENT_MAP} "{user}" {role}\n' for user in _os_users(account) for role in ROLES),
    }
    for name, text in texts.items():
        _replace(folder / name, text)
    named = {"config_file": "postgresql.conf", "hba_file": "pg_hba.conf", "ident_file": "pg_ident.conf"}
    return [word for name, file in named.items() for word in ("-c", f"{name}={folder / file}")]


def _settings_text(data_dir: Path, socket_dir: Path, *, durable: bool) -> str:
    """Everything that differs from PostgreSQL's defaults, each with its reason."""
    safe = "on" if durable else "off"
    lines = {
        "listen_addresses": "",  # no network at all: another server may have port 5432
        "unix_socket_directories": f'"{socket_dir}"',
        "unix_socket_permissions": "0700",
        "port": PORT,
        "max_connections": 120,
        "shared_buffers": "256MB",
        "max_wal_size": "2GB" if durable else "256MB",  # what tests write may lie in memory
        "jit": "off",  # short statements only: compiling them costs more than it saves
        "fsync": safe,  # off only in tests, whose databases live for seconds
        "full_page_writes": safe,
        "synchronous_commit": safe,  # an answered payment is on the disk
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "default_text_search_config": "pg_catalog.simple",
        "logging_collector": "on",
        "log_directory": data_dir / "log",
        "log_filename": "postgresql-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_lock_waits": "on",
        "log_startup_progress_interval": "2s",
    }
    return "".join(f"{name} = {_quoted(value)}\n" for name, value in lines.items())


def _quoted(value: object) -> str:
    return "'" + str(value).replace("\\", "\\\\").replace("'", "''") + "'"


def _os_users(account: Account) -> list[str]:
    """Who may act as the roles: the server's own user, and root, who may do everything anyway."""
    return sorted({account.name or "", "root"} - {""})


def _replace(path: Path, text: str) -> None:
    """Never write into a file that is there: one that another user made is replaced, not followed."""
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.chmod(0o644)
    unfinished.replace(path)
