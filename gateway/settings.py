"""Settings of the gateway, read once from the environment."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_LENGTH = 32


class SettingsError(Exception):
    """A value of the environment cannot be used; the message says which and what to write."""


@dataclass(frozen=True)
class Settings:
    """Where the gateway listens, whom it asks and where it keeps data."""

    host: str
    port: int
    rasa_port: int
    actions_port: int
    data_dir: Path
    database_url: str
    development: bool
    rasa_token: str | None
    rasa_retry_seconds: int  # how long a refused connection is tried again before a person is called

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def stack_file(self) -> Path:
        """Where the running stack writes its addresses."""
        return self.data_dir / "stack.json"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `environment`. Raises SettingsError naming the variable."""
    data_dir = Path(environment.get("DATA_DIR") or "var").absolute()
    default_database = f"sqlite+aiosqlite:///{data_dir / 'assistant.db'}"
    return Settings(
        host=environment.get("GATEWAY_HOST") or "127.0.0.1",
        port=_number(environment, "GATEWAY_PORT", 8080, 65_535),
        rasa_port=_number(environment, "RASA_PORT", 5005, 65_535),
        actions_port=_number(environment, "ACTIONS_PORT", 5055, 65_535),
        data_dir=data_dir,
        database_url=_database_url(environment.get("DATABASE_URL") or default_database),
        development=_switch(environment, "DEVELOPMENT"),
        rasa_token=environment.get("RASA_TOKEN") or None,
        rasa_retry_seconds=_number(environment, "RASA_RETRY_SECONDS", 30, 600),
    )


def read_secret_key(settings: Settings, environment: Mapping[str, str] = os.environ) -> str:
    """The key that signs cookies: SECRET_KEY, else one made once and kept in the data folder."""
    given = environment.get("SECRET_KEY")
    if given:
        return _long_enough(given, "SECRET_KEY")
    path = settings.data_dir / "secret_key"
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _long_enough(path.read_text().strip(), f"the file {path}")
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(SECRET_KEY_LENGTH)
        file.write(key)
    return key


def _long_enough(key: str, name: str) -> str:
    if len(key) < SECRET_KEY_LENGTH:
        raise SettingsError(
            f"{name} is shorter than {SECRET_KEY_LENGTH} characters; remove it and one will be made"
        )
    return key


def _number(environment: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= highest):
        raise SettingsError(f"{name} is {text!r}; write a number from 1 to {highest}")
    return int(text)


def _switch(environment: Mapping[str, str], name: str) -> bool:
    text = environment.get(name) or "0"
    if text not in ("0", "1"):
        raise SettingsError(f"{name} is {text!r}; write 1 or 0")
    return text == "1"


def _database_url(url: str) -> str:
    drivers = {
        "sqlite": "sqlite+aiosqlite",
        "postgres": "postgresql+asyncpg",
        "postgresql": "postgresql+asyncpg",
    }
    scheme, separator, rest = url.partition("://")
    driver = drivers.get(scheme, scheme)
    if not separator or driver not in drivers.values():
        raise SettingsError(
            "DATABASE_URL is not understood; write sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER@HOST/NAME"
        )
    return f"{driver}://{rest}"
