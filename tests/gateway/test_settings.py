"""Settings: defaults, one clear sentence for a bad value, a key nobody else reads."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gateway.settings import SettingsError, read_secret_key, read_settings


def test_defaults() -> None:
    settings = read_settings({})
    assert (settings.port, settings.rasa_port, settings.actions_port) == (8080, 5005, 5055)
    assert (settings.host, settings.development, settings.rasa_token) == ("127.0.0.1", False, None)
    assert settings.data_dir == Path("var").absolute()
    assert settings.database_url == f"sqlite+aiosqlite:///{Path('var').absolute()}/assistant.db"
    assert settings.rasa_url == "http://127.0.0.1:5005"


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("sqlite:///a.db", "sqlite+aiosqlite:///a.db"),
        ("postgres://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql://u@h/d", "postgresql+asyncpg://u@h/d"),
        ("postgresql+asyncpg://u@h/d", "postgresql+asyncpg://u@h/d"),
    ],
)
def test_the_database_url_gets_its_driver(given: str, used: str) -> None:
    assert read_settings({"DATABASE_URL": given}).database_url == used


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GATEWAY_PORT", "http"),
        ("RASA_PORT", "0"),
        ("ACTIONS_PORT", "70000"),
        ("GATEWAY_PORT", "８０"),
        ("DEVELOPMENT", "yes"),
        ("DATABASE_URL", "mysql://x/y"),
        ("DATABASE_URL", "assistant.db"),
        ("RASA_RETRY_SECONDS", "-1"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read_settings({name: value})


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    settings = read_settings({"DATA_DIR": str(tmp_path / "data")})
    key = read_secret_key(settings, {})
    assert read_secret_key(settings, {}) == key
    assert len(key) >= 32
    assert stat.S_IMODE((tmp_path / "data" / "secret_key").stat().st_mode) == 0o600


def test_a_weak_secret_key_is_refused(tmp_path: Path) -> None:
    settings = read_settings({"DATA_DIR": str(tmp_path)})
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        read_secret_key(settings, {"SECRET_KEY": "short"})
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(SettingsError, match="secret_key"):
        read_secret_key(settings, {})


PAGE = {
    "MESSENGER_PAGE_ID": "1",
    "MESSENGER_PAGE_TOKEN": "token",
    "MESSENGER_APP_SECRET": "secret",
    "MESSENGER_VERIFY_TOKEN": "verify",
}


def test_a_channel_is_off_until_all_it_needs_is_set() -> None:
    off = read_settings({"MESSENGER_PAGE_ID": " ", "MESSENGER_API_VERSION": "v24.0"})
    assert (off.messenger, off.zalo) == (None, None)
    on = read_settings(PAGE).messenger
    assert on is not None
    assert (on.page_id, on.api_url, on.hide_personal_comments) == ("1", "https://graph.facebook.com", False)
    assert on.point_to_private_reply


@pytest.mark.parametrize("missing", PAGE)
def test_half_a_channel_names_what_is_missing(missing: str) -> None:
    given = {name: value for name, value in PAGE.items() if name != missing}
    with pytest.raises(SettingsError, match=f"^{missing} not set"):
        read_settings(given)


def test_a_channels_secrets_never_travel_unencrypted() -> None:
    with pytest.raises(SettingsError, match="MESSENGER_API_URL"):
        read_settings({**PAGE, "MESSENGER_API_URL": "http://graph.example"})
