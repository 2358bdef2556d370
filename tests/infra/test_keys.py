"""Keys are made once, kept where only their owner reads, and refused when others could."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.keys import KeyUnsafe, load_keys, make_keys
from services.identity.tokens import token_keys


def test_keys_are_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    first = load_keys(tmp_path / "data")
    assert load_keys(tmp_path / "data") == first
    assert load_keys(tmp_path / "other") != first
    token_keys("http://localhost", "k", first.token_key_pem.encode())
    assert first.webhook_secret.startswith("whsec_")
    assert len(first.code_key) == 32


def test_only_their_owner_reads_them(tmp_path: Path) -> None:
    load_keys(tmp_path)
    folder = tmp_path / "keys"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.iterdir())
    assert [path.name for path in files] == ["checkout-webhook.key", "code-hmac.key", "token-es256.pem"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize("name", ["", "token-es256.pem", "code-hmac.key"])
def test_a_key_that_others_could_read_stops_the_start(tmp_path: Path, name: str) -> None:
    load_keys(tmp_path)
    path = tmp_path / "keys" / name
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(KeyUnsafe, match="read by others"):
        load_keys(tmp_path)


@pytest.mark.parametrize("name", ["code-hmac.key", "checkout-webhook.key", "token-es256.pem"])
def test_a_short_key_stops_the_start(tmp_path: Path, name: str) -> None:
    load_keys(tmp_path)
    (tmp_path / "keys" / name).write_bytes(b"tanabata")
    with pytest.raises(KeyUnsafe):
        load_keys(tmp_path)


def test_two_starts_at_once_agree(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as several:
        found = list(several.map(load_keys, [tmp_path] * 8))
    assert all(keys == found[0] for keys in found)


def test_keys_are_not_shown(tmp_path: Path) -> None:
    keys = make_keys()
    assert "BEGIN" not in repr(keys)
    assert keys.webhook_secret not in repr(keys)
