"""What a platform channel is made of, and what it is given to work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from aiohttp import web

from gateway import repository
from gateway.database import Database, utc_now
from gateway.echoes import Echoes
from gateway.inbox import Inbox
from gateway.outbox import Channel
from gateway.signals import Signals
from gateway.texts import Texts

SEND_TIMEOUT_SECONDS = 20.0  # for one request to a platform; shorter than the outbox's lease
MAX_WEBHOOK = 1024 * 1024  # bytes; a batch of long messages stays far below
NOTE_EVERY = timedelta(seconds=10)


@dataclass(frozen=True)
class Core:
    """The parts of the gateway that channels use."""

    database: Database
    signals: Signals
    inbox: Inbox
    echoes: Echoes
    texts: Texts
    secret_key: str  # of the gateway; what is derived from it names its purpose
    clock: Callable[[], datetime] = utc_now


class Platform(Protocol):
    """One platform: its routes, what runs beside them, and a sender for each of its channels."""

    @property
    def senders(self) -> Mapping[str, Channel]: ...

    def add_routes(self, app: web.Application) -> None: ...

    def run(self, app: web.Application) -> AsyncIterator[None]:
        """Open connections and background work; close them after the yield (`cleanup_ctx`)."""
        ...


class WebhookClock:
    """Records when a platform last called, often enough for a status page and no oftener."""

    def __init__(self, core: Core, channel: str, account: str) -> None:
        self._core = core
        self._channel = channel
        self._account = account
        self._noted_at: datetime | None = None

    async def note(self) -> None:
        now = self._core.clock()
        if self._noted_at is not None and now - self._noted_at < NOTE_EVERY:
            return
        self._noted_at = now
        async with self._core.database.sessions.begin() as session:
            await repository.note_webhook(session, self._channel, self._account, now)


async def read_body(request: web.Request, longest: int = MAX_WEBHOOK) -> bytes:
    """The raw body, as it was signed. Raises HTTPRequestEntityTooLarge."""
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > longest:
            raise web.HTTPRequestEntityTooLarge(max_size=longest, actual_size=len(body))
    return body
