"""The installation's own keys: made at the first start, kept where only their owner reads.

Law: a key file has mode 0600 in a folder of mode 0700; a start with a key that others could
have read, or with one too short to mean anything, is refused.
"""

import base64
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

MIN_SECRET_BYTES = 32
WEBHOOK_PREFIX = "whsec_"


class KeyUnsafe(Exception):
    """A key could have been read by others, or is not a key."""


@dataclass(frozen=True)
class Keys:
    """What signs and seals; never shown by `repr`."""

    token_key_pem: str = field(repr=False)
    """ES256 private key in PKCS 8, for access tokens."""
    code_key: bytes = field(repr=False)
    """HMAC key under which one-time codes are stored."""
    webhook_secret: str = field(repr=False)
    """Standard Webhooks secret that the checkout signs its messages with."""


def make_keys() -> Keys:
    """New keys, unlike any others."""
    return Keys(
        token_key_pem=_new_token_key().decode("ascii"),
        code_key=_new_secret(),
        webhook_secret=_webhook_text(_new_secret()),
    )


def load_keys(data_dir: Path) -> Keys:
    """The keys under `data_dir`, made where they are missing. Raises KeyUnsafe."""
    folder = data_dir / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _require_private(folder)
    token_key = _load(folder / "token-es256.pem", _new_token_key)
    code_key = _load(folder / "code-hmac.key", _new_secret)
    webhook_key = _load(folder / "checkout-webhook.key", _new_secret)
    if not token_key.startswith(b"-----BEGIN PRIVATE KEY-----"):
        raise KeyUnsafe(f"{folder / 'token-es256.pem'} is not a private key in PEM")
    if min(len(code_key), len(webhook_key)) < MIN_SECRET_BYTES:
        raise KeyUnsafe(f"a secret in {folder} is shorter than {MIN_SECRET_BYTES} bytes")
    return Keys(token_key.decode("ascii"), code_key, _webhook_text(webhook_key))


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
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
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
