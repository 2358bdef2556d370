"""A bad setting stops the start with a sentence that names it; two checkouts never share their data."""

from pathlib import Path

import pytest

from infra.bad_setting import BadSetting
from infra.settings import Settings, default_data_dir, may_walk_to


def test_without_any_setting_there_is_a_working_default() -> None:
    settings = Settings.from_env({"PORT": " "})
    assert (settings.host, settings.port, settings.schema) == ("127.0.0.1", 8000, "tanabata")
    assert settings.database_url is None
    assert settings.public_url == "http://localhost:8000"
    assert settings.data_dir.is_absolute()


def test_the_migrator_uses_the_applications_url_unless_it_has_its_own() -> None:
    alone = Settings.from_env({"DATABASE_URL": "postgresql://a@h/d", "PORT": "9"})
    assert alone.migrator_database_url == "postgresql://a@h/d"
    assert alone.public_url == "http://localhost:9"
    both = Settings.from_env({"DATABASE_URL": "postgres://a@h/d", "MIGRATOR_DATABASE_URL": "postgres://m@h/d"})
    assert both.migrator_database_url == "postgres://m@h/d"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "80 80"),
        ("PORT", "٣٠٠٠"),
        ("PORT", "1" * 5_000),
        ("DATABASE_URL", "mysql://root@localhost/db"),
        ("DATABASE_URL", "localhost"),
        ("MIGRATOR_DATABASE_URL", "postgresql://m@h/d"),
        ("TANABATA_SCHEMA", 'a"; DROP SCHEMA x'),
        ("TANABATA_SCHEMA", "public"),
        ("TANABATA_SCHEMA", "pg_city"),
        ("TANABATA_SCHEMA", "x" * 64),
        ("TANABATA_DATA", __file__),
        ("TANABATA_DATA", "/" + "x" * 300),
        ("AUDITOR_DATABASE_URL", "sqlite:///audit"),
        ("TANABATA_ANCHORS", "/"),
        ("TANABATA_ANCHORS", "/" + "x" * 300),
        ("TANABATA_ANCHOR_KEY", "/"),
        ("PUBLIC_URL", "tanabata.example.jp"),
        ("PUBLIC_URL", "https://"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=r"must be|set as well"):
        Settings.from_env({name: value})


def test_anchors_and_their_key_lie_with_the_data_unless_they_have_a_place_of_their_own() -> None:
    beside = Settings.from_env({"TANABATA_DATA": "/town"})
    assert (beside.anchors_file, beside.anchor_key_file) == (
        Path("/town/anchors/heads.jsonl"),
        Path("/town/keys/anchor-ed25519.pem"),
    )
    apart = Settings.from_env({"TANABATA_ANCHORS": "/vault/heads", "TANABATA_ANCHOR_KEY": "/safe/key.pem"})
    assert (apart.anchors_file, apart.anchor_key_file) == (Path("/vault/heads"), Path("/safe/key.pem"))


def test_an_auditor_needs_no_other_login() -> None:
    settings = Settings.from_env({"AUDITOR_DATABASE_URL": "postgresql://eyes@h/d"})
    assert (settings.auditor_database_url, settings.database_url) == ("postgresql://eyes@h/d", None)


def test_a_password_is_not_repeated_in_the_message() -> None:
    with pytest.raises(BadSetting) as caught:
        Settings.from_env({"DATABASE_URL": "mysql://root:s3cret@h/db"})
    assert "s3cret" not in str(caught.value)


def test_the_data_lives_in_the_project_when_its_server_may_go_there(tmp_path: Path) -> None:
    assert default_data_dir(tmp_path, as_root=False) == tmp_path / ".data"
    assert default_data_dir(Path("/"), as_root=True) == Path("/.data")


def test_in_a_closed_folder_each_checkout_gets_a_place_of_its_own(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    one, two = tmp_path / "one" / "tanabata", tmp_path / "two" / "tanabata"
    first, second = (default_data_dir(project, as_root=True, places=(Path("/"),)) for project in (one, two))
    assert first.parent == second.parent == Path("/tanabata")
    assert first.name.startswith("tanabata-")
    assert first != second
    with pytest.raises(BadSetting, match="TANABATA_DATA"):
        default_data_dir(one, as_root=True, places=(tmp_path,))


def test_a_folder_is_reached_only_through_open_doors(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    status = inner.stat()
    assert may_walk_to(inner.parent / "nothing yet", status.st_uid, status.st_gid)
    inner.parent.chmod(0o000)
    try:
        assert not may_walk_to(inner.parent, status.st_uid, status.st_gid)
    finally:
        inner.parent.chmod(0o700)
