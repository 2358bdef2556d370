"""Settings: what a machine decides about one installation, read once, at the door.

Law: nothing below the command line, the server and the migrations reads the environment. A bad
value stops the start with a sentence that names the variable, the value and what was expected.
"""

import hashlib
import os
import pwd
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infra import limit_settings as limits
from infra.bad_setting import BadSetting
from services.identity.bulk_reading import RECOMMENDED, LookLimits
from services.payments.store_velocity import USUAL_STORES, StoreLimits
from services.payments.tap import USUAL_LIMITS, PayingLimits
from services.wallets.card import CITY_LIMITS, CardLimits
from services.wallets.care import MOST_CARED_FOR

PROJECT = Path(__file__).resolve().parents[1]
UNPRIVILEGED = "nobody"
_SYSTEM_PLACES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 - survives a reboot, named and owned by us
_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_DATABASE_SCHEMES = ("postgresql://", "postgres://", "postgresql+asyncpg://")


@dataclass(frozen=True)
class SignInServiceSetting:
    """`issuer` and `client_id` as agreed with the service, our key's file, and how this city's addresses begin."""

    issuer: str
    client_id: str
    key_file: Path
    city: str


@dataclass(frozen=True)
class Settings:
    """One installation.

    `database_url` None means the embedded PostgreSQL, whose files live under `data_dir`. `host` is the
    address to listen on; the default lets only this machine in, because the demonstration's outbox shows
    everybody's one-time codes.
    """

    host: str
    port: int
    database_url: str | None
    migrator_database_url: str | None
    schema: str
    data_dir: Path
    public_url: str
    auditor_database_url: str | None = None
    analyst_database_url: str | None = None
    anchors: Path | None = None
    anchor_key: Path | None = None
    token_key: str | None = field(default=None, repr=False)
    """The private key of access tokens in PEM; None: token keys are files under `data_dir`."""
    token_keys_believed: str = ""
    """Public keys in PEM, one after the other, whose tokens are believed as well."""
    new_phone_limit_yen: int = 10_000
    """What a phone that is new to its account pays at once, for a day."""
    look_limits: LookLimits = RECOMMENDED
    """How many people one of the city's accounts may look at before it is told, and at most."""
    most_cared_for: int = MOST_CARED_FOR
    """How many people one person may care for."""

    requests_per_account: int = 1_200
    """A minute, and as many at once; 0 counts none."""
    requests_per_address: int = 3_000
    """As above, of requests without a sign-in."""
    card_limits: CardLimits = CITY_LIMITS
    """What a printed card pays without its PIN, at once and a day; a holder's own limits lie below."""

    paying: PayingLimits = USUAL_LIMITS
    """What one wallet pays by large payments, and above which sum whoever shows a code says yes on their own phone."""

    stores: StoreLimits = USUAL_STORES
    """What a store takes, and gives back, without being told of."""

    sign_in_service: SignInServiceSetting | None = None
    """How this installation is known to the government's sign-in service; None where it is not."""

    @property
    def anchors_file(self) -> Path:
        """Where the heads of the hash chains are anchored; best where the database's keepers cannot write."""
        return self.anchors or self.data_dir / "anchors" / "heads.jsonl"

    @property
    def anchor_key_file(self) -> Path:
        """The key that signs anchors; who only verifies needs no more than its public half."""
        return self.anchor_key or self.data_dir / "keys" / "anchor-ed25519.pem"

    @property
    def lake_dir(self) -> Path:
        """Where the lake of analytics lives; it can be built anew from the database at any time."""
        return self.data_dir / "lake" / self.schema

    @property
    def is_local(self) -> bool:
        """Whether people reach the installation as this machine itself: only then may it play outbox and bank."""
        return urlsplit(self.public_url).hostname in {"localhost", "127.0.0.1", "::1"}

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read the settings; an empty variable counts as not set. Raises BadSetting."""
        present = {name: value for name, value in environ.items() if value.strip()}
        port = _port(present.get("PORT", "8000"))
        database_url = _database_url(present, "DATABASE_URL")
        migrator_url = _database_url(present, "MIGRATOR_DATABASE_URL")
        if migrator_url is not None and database_url is None:
            raise BadSetting("DATABASE_URL", "", "set as well when MIGRATOR_DATABASE_URL is")
        return cls(
            host=present.get("HOST", "127.0.0.1"),
            port=port,
            database_url=database_url,
            migrator_database_url=migrator_url or database_url,
            schema=_schema(present.get("TANABATA_SCHEMA", "tanabata")),
            data_dir=_data_dir(present.get("TANABATA_DATA")),
            public_url=_public_url(present.get("PUBLIC_URL", f"http://localhost:{port}")),
            auditor_database_url=_database_url(present, "AUDITOR_DATABASE_URL"),
            analyst_database_url=_database_url(present, "ANALYST_DATABASE_URL"),
            anchors=_file(present, "TANABATA_ANCHORS"),
            anchor_key=_file(present, "TANABATA_ANCHOR_KEY"),
            token_key=_token_key(present),
            token_keys_believed=present.get("TANABATA_TOKEN_KEYS_BELIEVED", ""),
            sign_in_service=_sign_in_service(present),
            new_phone_limit_yen=limits.new_phone_limit(present.get("TANABATA_NEW_PHONE_LIMIT", "10000")),
            paying=limits.paying(present),
            stores=limits.stores(present),
            requests_per_account=limits.requests(present, "TANABATA_REQUESTS_PER_ACCOUNT", 1_200),
            requests_per_address=limits.requests(present, "TANABATA_REQUESTS_PER_ADDRESS", 3_000),
            look_limits=limits.look_limits(present.get("TANABATA_LOOK_LIMITS")),
            most_cared_for=limits.most_cared_for(present.get("TANABATA_MOST_CARED_FOR", str(MOST_CARED_FOR))),
            card_limits=limits.card_limits(present.get("TANABATA_CARD_LIMITS")),
        )


def default_data_dir(project: Path, *, as_root: bool, places: tuple[Path, ...] = _SYSTEM_PLACES) -> Path:
    """Where the data lives when nobody says: `.data` in the project, or where its server may go.

    PostgreSQL refuses to run as root, so root's server runs as an unprivileged user. When that user
    may not walk into the project (root's own home is closed), the data lives in a system place, named
    after the project's folder and a hash of its full path: two checkouts never share a database.
    """
    if not as_root:
        return project / ".data"
    nobody = pwd.getpwnam(UNPRIVILEGED)
    if may_walk_to(project, nobody.pw_uid, nobody.pw_gid):
        return project / ".data"
    digest = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
    for place in places:
        if place.is_dir() and may_walk_to(place, nobody.pw_uid, nobody.pw_gid):
            return place / "tanabata" / f"{project.name}-{digest}"
    raise BadSetting("TANABATA_DATA", "", f"a folder that the user {UNPRIVILEGED!r} may walk to")


def may_walk_to(folder: Path, uid: int, gid: int) -> bool:
    """Whether a user without privileges may enter the folder and everything above it."""
    return all(_may_enter(part.stat(), uid, gid) for part in (folder, *folder.parents) if part.exists())


def _may_enter(status: os.stat_result, uid: int, gid: int) -> bool:
    if status.st_uid == uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def _port(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", value) or not 1 <= int(value) <= 65_535:
        raise BadSetting("PORT", value, "a whole number from 1 to 65535")
    return int(value)


def _database_url(present: Mapping[str, str], name: str) -> str | None:
    value = present.get(name)
    if value is None:
        return None
    if not value.startswith(_DATABASE_SCHEMES):
        raise BadSetting(name, value, "a URL like postgresql://user:password@host/database")
    return value


def _schema(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value) or value.startswith("pg_") or value in {"public", "information_schema"}:
        raise BadSetting("TANABATA_SCHEMA", value, "a schema of its own: lower-case letters, digits and _, at most 63")
    return value


def _data_dir(value: str | None) -> Path:
    if value is None:
        return default_data_dir(PROJECT, as_root=os.geteuid() == 0)
    folder = Path(value).expanduser().absolute()
    try:
        if folder.exists() and not folder.is_dir():
            raise BadSetting("TANABATA_DATA", value, "a folder, not a file")
    except OSError as error:
        raise BadSetting("TANABATA_DATA", value, "a folder that you may enter") from error
    return folder


def _file(present: Mapping[str, str], name: str) -> Path | None:
    value = present.get(name)
    if value is None:
        return None
    path = Path(value).expanduser().absolute()
    try:
        if path.is_dir():
            raise BadSetting(name, value, "a file, not a folder")
    except OSError as error:
        raise BadSetting(name, value, "a file that you may reach") from error
    return path


def _token_key(present: Mapping[str, str]) -> str | None:
    """What it holds is judged where keys are loaded, so that no message shows a key."""
    if "TANABATA_TOKEN_KEYS_BELIEVED" in present and "TANABATA_TOKEN_KEY" not in present:
        raise BadSetting("TANABATA_TOKEN_KEY", "", "set as well when TANABATA_TOKEN_KEYS_BELIEVED is")
    return present.get("TANABATA_TOKEN_KEY")


def _sign_in_service(present: Mapping[str, str]) -> SignInServiceSetting | None:
    """All four or none: half a connection would fail before the first resident."""
    names = [f"TANABATA_SIGN_IN_{part}" for part in ("ISSUER", "CLIENT", "KEY", "CITY")]
    given = [present[name] for name in names if name in present]
    if not given:
        return None
    for name in names:
        if name not in present:
            raise BadSetting(name, "", f"set as well when another of {', '.join(names)} is")
    key_file = _file(present, names[2])
    if key_file is None:
        raise BadSetting(names[2], "", "a file")
    return SignInServiceSetting(_issuer(names[0], given[0]), given[1], key_file, given[3])


def _issuer(name: str, value: str) -> str:
    """An issuer is compared letter by letter, so nothing is taken off its end."""
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise BadSetting(name, value, "an address like https://sign-in.example.jp/realm")
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise BadSetting("PUBLIC_URL", value, "an address like https://tanabata.example.jp")
    return value.rstrip("/")
