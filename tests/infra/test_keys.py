"""Keys are made once, kept where only their owner reads, and refused when others could."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from typer.testing import CliRunner

from infra.bad_setting import BadSetting
from infra.cli import app
from infra.keys import SIGNING_FILE, KeyUnsafe, keys_for, load_keys, make_keys, rotate
from infra.settings import Settings
from services.identity.people import Role
from services.identity.tokens import Audience, Bearer, TokenInvalid, issue, kid_of, token_keys, verify
from tests.identity.keys import private_key, private_pem, public_pem

ISSUER = "https://hiratsuka.example.jp"
NOW = datetime(2026, 7, 7, 3, 0, 0, tzinfo=UTC)
UNTIL = NOW + timedelta(minutes=5)
BEARER = Bearer(Audience.WALLET, UUID(int=1), UUID(int=2), frozenset({Role.RESIDENT}))


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
    assert [path.name for path in files] == [
        "checkout-webhook.key",
        "code-hmac.key",
        "session-hmac.key",
        "token-es256.pem",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


@pytest.mark.parametrize("name", ["", "token-es256.pem", "code-hmac.key", "session-hmac.key"])
def test_a_key_that_others_could_read_stops_the_start(tmp_path: Path, name: str) -> None:
    load_keys(tmp_path)
    path = tmp_path / "keys" / name
    path.chmod(path.stat().st_mode | 0o040)
    with pytest.raises(KeyUnsafe, match="read by others"):
        load_keys(tmp_path)


@pytest.mark.parametrize("name", ["code-hmac.key", "session-hmac.key", "checkout-webhook.key", "token-es256.pem"])
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


def test_a_rotation_signs_with_a_new_key_and_believes_the_old_one_for_a_while(tmp_path: Path) -> None:
    before = keys_for(load_keys(tmp_path), ISSUER)
    old, new = rotate(tmp_path, UNTIL)
    after = keys_for(load_keys(tmp_path), ISSUER)
    assert (before.kid, after.kid, set(after.believed)) == (old, new, {old, new})
    assert after.retired_at == {old: UNTIL}
    token = issue(before, BEARER, NOW, UUID(int=3))
    assert verify(after, token, Audience.WALLET, NOW).account_id == UUID(int=1)
    with pytest.raises(TokenInvalid):
        verify(after, token, Audience.WALLET, UNTIL)
    fresh = issue(after, BEARER, UNTIL, UUID(int=3))
    assert verify(after, fresh, Audience.WALLET, UNTIL).account_id == UUID(int=1)
    with pytest.raises(TokenInvalid):  # whoever still runs with the old keys does not know the new one
        verify(before, fresh, Audience.WALLET, UNTIL)


def test_after_a_rotation_the_old_private_half_is_nowhere(tmp_path: Path) -> None:
    old = load_keys(tmp_path).token_key_pem
    rotate(tmp_path, UNTIL)
    rotate(tmp_path, UNTIL + timedelta(days=1))
    contents = {path.name: path.read_bytes() for path in (tmp_path / "keys").iterdir()}
    assert sum(b"PRIVATE KEY" in content for content in contents.values()) == 1
    assert all(old.encode() not in content for content in contents.values())
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert len(load_keys(tmp_path).earlier) == 2


def test_a_rotation_that_was_cut_off_leaves_the_old_key_signing_and_believed(tmp_path: Path) -> None:
    keys = load_keys(tmp_path)
    folder = tmp_path / "keys"
    kept = (folder / SIGNING_FILE).read_bytes()
    rotate(tmp_path, UNTIL)
    (folder / SIGNING_FILE).write_bytes(kept)  # as if the new key had never come into its place
    found = keys_for(load_keys(tmp_path), ISSUER)
    assert found.kid == keys_for(keys, ISSUER).kid
    assert found.retired_at == {}
    late = UNTIL + timedelta(days=1)
    verify(found, issue(found, BEARER, late, UUID(int=3)), Audience.WALLET, late)


def test_an_old_key_that_others_could_read_stops_the_start(tmp_path: Path) -> None:
    rotate(tmp_path, UNTIL)
    [path] = (tmp_path / "keys").glob("token-es256-until-*.pem")
    path.chmod(0o644)
    with pytest.raises(KeyUnsafe, match="read by others"):
        load_keys(tmp_path)


def test_the_environment_gives_token_keys_instead(tmp_path: Path) -> None:
    one, two = private_key(1), private_key(2)
    believed = public_pem(two).decode() + "\n" + public_pem(private_key(3)).decode()
    keys = load_keys(tmp_path, private_pem(one).decode(), believed)
    found = keys_for(keys, ISSUER)
    assert found.kid == kid_of(one.public_key())
    assert set(found.believed) == {kid_of(private_key(n).public_key()) for n in (1, 2, 3)}
    assert not (tmp_path / "keys" / SIGNING_FILE).exists()
    # The operator's three steps: believe the next, sign with it, take the old one out.
    after = keys_for(load_keys(tmp_path, private_pem(two).decode(), public_pem(one).decode()), ISSUER)
    token = issue(after, BEARER, NOW, UUID(int=3))
    verify(found, token, Audience.WALLET, NOW)
    verify(after, issue(found, BEARER, NOW, UUID(int=3)), Audience.WALLET, NOW)


@pytest.mark.parametrize(
    ("signing", "believed"),
    [
        ("", ""),
        ("tanabata", ""),
        (public_pem(private_key()).decode(), ""),
        (private_pem(ec.generate_private_key(ec.SECP384R1())).decode(), ""),
        (private_pem(rsa.generate_private_key(65537, 2048)).decode(), ""),
        (private_pem(private_key()).decode(), "no key"),
        (private_pem(private_key()).decode(), private_pem(private_key(2)).decode()),
        (private_pem(private_key()).decode(), public_pem(private_key(2)).decode() + "and more"),
        (private_pem(private_key()).decode(), public_pem(ec.generate_private_key(ec.SECP256K1())).decode()),
    ],
)
def test_a_key_that_is_none_stops_the_start_and_is_not_shown(tmp_path: Path, signing: str, believed: str) -> None:
    with pytest.raises(KeyUnsafe) as refused:
        load_keys(tmp_path, signing, believed)
    assert "BEGIN" not in str(refused.value)


def test_settings_take_token_keys_and_show_none() -> None:
    settings = Settings.from_env({"TANABATA_TOKEN_KEY": "secret words", "TANABATA_TOKEN_KEYS_BELIEVED": "more"})
    assert (settings.token_key, settings.token_keys_believed) == ("secret words", "more")
    assert "secret words" not in repr(settings)
    assert Settings.from_env({}).token_key is None
    with pytest.raises(BadSetting, match="TANABATA_TOKEN_KEY"):
        Settings.from_env({"TANABATA_TOKEN_KEYS_BELIEVED": "more"})


def test_the_command_lists_keys_and_rotates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TANABATA_DATA", str(tmp_path))
    first = CliRunner().invoke(app, ["keys"])
    assert (first.exit_code, first.output.split()[1:]) == (0, ["signs"])
    rotated = CliRunner().invoke(app, ["keys", "--rotate", "--hours", "2"])
    assert rotated.exit_code == 0
    kid = first.output.split()[0]
    assert f"{kid}  until " in rotated.output
    assert rotated.output.count("signs") == 2  # said, then listed
    monkeypatch.setenv("TANABATA_TOKEN_KEY", private_pem(private_key()).decode())
    assert CliRunner().invoke(app, ["keys", "--rotate"]).exit_code == 1
