"""The installation's own keys: made at the first start, kept where only their owner reads.

Law: a key file has mode 0600 in a folder of mode 0700; a start with a key that others could
have read, or with one too short to mean anything, is refused. A key that signs tokens is called by
its thumbprint. When another takes its place its private half is destroyed; its public half stays for
as long as the tokens that it signed may live, and its file's name says until when.
"""

import base64
import os
import re
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from services.identity.tokens import TokenKeys, kid_of, token_keys

MIN_SECRET_BYTES = 32
WEBHOOK_PREFIX = "whsec_"
SIGNING_FILE = "token-es256.pem"
_RETIRED_FILE = "token-es256-until-{:%Y%m%dT%H%M%SZ}.pem"
_RETIRED = re.compile(r"token-es256-until-(\d{8}T\d{6}Z)\.pem", re.ASCII)
_PUBLIC_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class KeyUnsafe(Exception):
    """A key could have been read by others, or is not a key."""


@dataclass(frozen=True)
class EarlierKey:
    """The public half of a key that signs no more; believed `until` an instant, or while it is given to us."""

    pem: str
    until: datetime | None = None


@dataclass(frozen=True)
class Keys:
    """What signs and seals; never shown by `repr`."""

    token_key_pem: str = field(repr=False)
    """ES256 private key in PKCS 8, for access tokens."""
    code_key: bytes = field(repr=False)
    """HMAC key under which one-time codes are stored."""
    session_key: bytes = field(repr=False)
    """HMAC key from which the turns of refresh tokens follow, and that hides tried passwords."""
    webhook_secret: str = field(repr=False)
    """Standard Webhooks secret that the checkout signs its messages with."""
    earlier: tuple[EarlierKey, ...] = ()


def make_keys() -> Keys:
    """New keys, unlike any others."""
    return Keys(
        token_key_pem=_new_token_key().decode("ascii"),
        code_key=_new_secret(),
        session_key=_new_secret(),
        webhook_secret=_webhook_text(_new_secret()),
    )


def load_keys(data_dir: Path, signing_pem: str | None = None, believed_pems: str = "") -> Keys:
    """The keys under `data_dir`, made where they are missing. Raises KeyUnsafe.

    Token keys that the environment gives come instead of the files: the private key that signs, and any
    number of public keys in a row, those of before and those that other processes sign with already.
    """
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder)
    code_key = _load(folder / "code-hmac.key", _new_secret)
    session_key = _load(folder / "session-hmac.key", _new_secret)
    webhook_key = _load(folder / "checkout-webhook.key", _new_secret)
    if min(len(code_key), len(session_key), len(webhook_key)) < MIN_SECRET_BYTES:
        raise KeyUnsafe(f"a secret in {folder} is shorter than {MIN_SECRET_BYTES} bytes")
    if signing_pem is None:
        signing, earlier = _load(folder / SIGNING_FILE, _new_token_key).decode("latin-1"), _earlier(folder)
    else:
        signing, earlier = signing_pem, tuple(EarlierKey(pem) for pem in _PUBLIC_PEM.findall(believed_pems))
        if _PUBLIC_PEM.sub("", believed_pems).strip():
            raise KeyUnsafe("the token keys to believe are not public keys in PEM, one after the other")
    _private_key(signing)
    for each in earlier:
        _public_key(each.pem)
    return Keys(signing, code_key, session_key, _webhook_text(webhook_key), earlier)


def load_open_data_key(data_dir: Path) -> bytes:
    """The secret behind the noise of open data, made where it is missing. Raises KeyUnsafe.

    It is never exchanged: under another one the same figures would get other noise, and two noises average.
    """
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder)
    key = _load(folder / "open-data.key", _new_secret)
    if len(key) < MIN_SECRET_BYTES:
        raise KeyUnsafe(f"the secret of open data in {folder} is shorter than {MIN_SECRET_BYTES} bytes")
    return key


def keys_for(keys: Keys, issuer: str) -> TokenKeys:
    """The keys of access tokens, each by its thumbprint. `issuer` is the city's own address."""
    signing = _private_key(keys.token_key_pem)
    earlier = {kid_of(_public_key(each.pem)): each for each in keys.earlier}
    return token_keys(
        issuer,
        kid_of(signing.public_key()),
        keys.token_key_pem.encode("ascii"),
        {kid: each.pem.encode("ascii") for kid, each in earlier.items()},
        {kid: each.until for kid, each in earlier.items() if each.until is not None},
    )


def rotate(data_dir: Path, until: datetime) -> tuple[str, str]:
    """Put a new key in the place of the one that signs, which is believed `until` then; their two names.

    Whatever runs goes on with the old key until it is started again. A stop in between leaves the old key
    signing: a key is never retired while it signs. Raises KeyUnsafe.
    """
    folder = data_dir / "keys"
    old = _private_key(load_keys(data_dir).token_key_pem).public_key()
    public = old.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _write_once(folder / _RETIRED_FILE.format(until.astimezone(UTC)), public)
    new = folder / f".{SIGNING_FILE}.{secrets.token_hex(8)}"
    _write_once(new, _new_token_key())
    new.replace(folder / SIGNING_FILE)
    _keep_folder(folder)
    return kid_of(old), kid_of(_private_key((folder / SIGNING_FILE).read_text("ascii")).public_key())


def _earlier(folder: Path) -> tuple[EarlierKey, ...]:
    """The public halves of keys that signed before, their ends as their files' names say."""
    found = []
    for path in sorted(folder.iterdir()):
        named = _RETIRED.fullmatch(path.name)
        if named is not None:
            _require_private(path)
            until = datetime.strptime(named[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            found.append(EarlierKey(path.read_text("latin-1"), until))
    return tuple(found)


def _private_key(pem: str) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.encode("ascii"), password=None)
    except (ValueError, TypeError) as error:
        raise KeyUnsafe("the key that signs tokens is not a private key in PEM without a passphrase") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUnsafe("the key that signs tokens is not on P-256, as ES256 needs it")
    return key


def _public_key(pem: str) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except ValueError as error:
        raise KeyUnsafe("a token key to believe is not a public key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyUnsafe("a token key to believe is not on P-256, as ES256 needs it")
    return key


def load_anchor_key(path: Path) -> Ed25519PrivateKey:
    """The key that signs anchors, made where it is missing. Raises KeyUnsafe."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        key = load_pem_private_key(_load(path, _new_anchor_key), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyUnsafe(f"{path} is not a private key in PEM without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnsafe(f"{path} is not an Ed25519 key")
    return key


def load_anchor_public_key(path: Path) -> Ed25519PublicKey:
    """What checks anchors, from a file with the public key or with the private one. Raises KeyUnsafe."""
    try:
        content = path.read_bytes()
        if b"PRIVATE KEY" in content:
            return load_anchor_key(path).public_key()
        key = load_pem_public_key(content)
    except OSError as error:
        raise KeyUnsafe(f"{path} cannot be read ({error.strerror}); TANABATA_ANCHOR_KEY names another") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyUnsafe(f"{path} is not a key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnsafe(f"{path} is not an Ed25519 key")
    return key


def _load(path: Path, make: Callable[[], bytes]) -> bytes:
    """A key file's content; of two processes that make it at once, both use the first one's."""
    if not path.exists():
        new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        _write_once(new, make())
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    _require_private(path)
    return path.read_bytes()


def _write_once(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _keep_folder(folder: Path) -> None:
    """Have the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_private(path: Path) -> bytes:
    """What a file holds that only its owner may read. Raises KeyUnsafe and OSError."""
    _require_private(path)
    return path.read_bytes()


def _require_private(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise KeyUnsafe(f"{path} can be read by others; its keys must be replaced")


def _new_token_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_anchor_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _new_secret() -> bytes:
    return secrets.token_bytes(MIN_SECRET_BYTES)


def _webhook_text(secret: bytes) -> str:
    return WEBHOOK_PREFIX + base64.b64encode(secret).decode("ascii")
