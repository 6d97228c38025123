"""Settings of the gateway, read once from the environment."""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECRET_KEY_LENGTH = 32


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """A value of the environment cannot be used; the message says which and what to write."""


@dataclass(frozen=True)
class MessengerSettings:
    """One Facebook page: its Messenger and the comments under its posts."""

    page_id: str
    page_token: str
    app_secret: str
    verify_token: str
    app_id: str | None  # tells our own echoes from other applications' where Meta names the sender
    api_version: str
    api_url: str
    hide_personal_comments: bool  # hide comments that hold personal numbers, besides telling agents
    point_to_private_reply: bool  # say in public, under the comment, that an answer was sent


@dataclass(frozen=True)
class ZaloSettings:
    """One Zalo Official Account."""

    oa_id: str
    oa_secret_key: str  # signs webhooks; the application's secret is another
    app_id: str
    app_secret: str
    refresh_token: str | None  # the first one; each use gives the next, which is kept in the database
    api_url: str
    oauth_url: str


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
    rasa_retry_seconds: int  # how long Rasa or the action server may be away before a person is called
    messenger: MessengerSettings | None = None  # None: this channel is off
    zalo: ZaloSettings | None = None
    public_url: str | None = None  # where citizens and platforms reach the gateway from outside
    trusted_proxies: tuple[Network, ...] = ()  # whose word on the client's address and HTTPS is taken

    @property
    def rasa_url(self) -> str:
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def actions_url(self) -> str:
        return f"http://127.0.0.1:{self.actions_port}"

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
        rasa_retry_seconds=_number(environment, "RASA_RETRY_SECONDS", 90, 600),
        messenger=_messenger(environment),
        zalo=_zalo(environment),
        public_url=_web_address(environment, "PUBLIC_URL", "") or None,
        trusted_proxies=_networks(environment, "TRUSTED_PROXIES"),
    )


MESSENGER_SECRETS = {
    "page_id": "MESSENGER_PAGE_ID",
    "page_token": "MESSENGER_PAGE_TOKEN",
    "app_secret": "MESSENGER_APP_SECRET",
    "verify_token": "MESSENGER_VERIFY_TOKEN",
}
ZALO_SECRETS = {
    "oa_id": "ZALO_OA_ID",
    "oa_secret_key": "ZALO_OA_SECRET_KEY",
    "app_id": "ZALO_APP_ID",
    "app_secret": "ZALO_APP_SECRET",
}


def _messenger(environment: Mapping[str, str]) -> MessengerSettings | None:
    given = _channel_secrets(environment, MESSENGER_SECRETS)
    if given is None:
        return None
    return MessengerSettings(
        **given,
        app_id=environment.get("MESSENGER_APP_ID") or None,
        api_version=environment.get("MESSENGER_API_VERSION") or "v23.0",
        api_url=_web_address(environment, "MESSENGER_API_URL", "https://graph.facebook.com"),
        hide_personal_comments=_switch(environment, "MESSENGER_HIDE_PERSONAL_COMMENTS"),
        point_to_private_reply=_switch(environment, "MESSENGER_POINT_TO_PRIVATE_REPLY", "1"),
    )


def _zalo(environment: Mapping[str, str]) -> ZaloSettings | None:
    given = _channel_secrets(environment, ZALO_SECRETS)
    if given is None:
        return None
    return ZaloSettings(
        **given,
        refresh_token=environment.get("ZALO_REFRESH_TOKEN", "").strip() or None,
        api_url=_web_address(environment, "ZALO_API_URL", "https://openapi.zalo.me"),
        oauth_url=_web_address(environment, "ZALO_OAUTH_URL", "https://oauth.zaloapp.com"),
    )


def _channel_secrets(environment: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str] | None:
    """What a channel cannot work without; None when nothing of it is set: the channel is off."""
    found = {field: environment.get(name, "").strip() for field, name in names.items()}
    if not any(found.values()):
        return None
    missing = [names[field] for field, value in found.items() if not value]
    if missing:
        raise SettingsError(f"{', '.join(missing)} not set; set all of {', '.join(names.values())}, or none")
    return found


def _web_address(environment: Mapping[str, str], name: str, default: str) -> str:
    text = environment.get(name) or default
    if text and not text.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise SettingsError(f"{name} is {text!r}; write an address that begins with https://")
    return text.rstrip("/")


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


def _networks(environment: Mapping[str, str], name: str) -> tuple[Network, ...]:
    texts = environment.get(name, "").replace(",", " ").split()
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise SettingsError(
            f"{name} is {environment[name]!r}; write addresses or networks, like 127.0.0.1, 10.0.0.0/8"
        ) from error


def _switch(environment: Mapping[str, str], name: str, default: str = "0") -> bool:
    text = environment.get(name) or default
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
