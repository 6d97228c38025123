"""A gateway whose page talks to a simulated Meta, with what tests ask of both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import update

from gateway.channels.facebook_comments import CommentPolicy
from gateway.channels.messenger import WEBHOOK, Messenger
from gateway.channels.messenger_events import signature
from gateway.channels.platform import Core
from gateway.echoes import Echoes
from gateway.outbox import Sender
from gateway.requests import log_request
from gateway.review import Reviewer
from gateway.settings import MessengerSettings, read_settings
from gateway.tables import Conversation, InboxMessage, OutboxMessage
from gateway.worker import Worker
from simulators.meta import Account, MetaSimulator, environment
from tests.gateway.fakes import Gateway, eventually

ACCOUNT = Account()
SECRET = ACCOUNT.app_secret


def page_settings(url: str = "http://127.0.0.1:1") -> MessengerSettings:
    settings = read_settings(environment(ACCOUNT, url)).messenger
    assert settings is not None
    return settings


@dataclass
class Fanpage:
    """Both ends of the page, at work."""

    gateway: Gateway
    meta: MetaSimulator
    url: str
    messenger: Messenger
    sender: Sender
    http: aiohttp.ClientSession

    async def post(self, body: bytes, signed: str | None = None) -> int:
        """Deliver a body as Meta would; the gateway's status."""
        headers = {"X-Hub-Signature-256": signature(body, SECRET) if signed is None else signed}
        async with self.http.post(self.url, data=body, headers=headers) as response:
            return response.status

    async def told(self, count: int) -> list[str]:
        """What citizens were sent, once it is so many messages."""
        await self.settled(count)
        return [one["text"] for one in self.meta.sent]

    async def settled(self, count: int = 0) -> list[OutboxMessage]:
        """The outbox once everything is answered, sent or given up, delivered, and `count` were sent."""

        async def done() -> tuple[list[OutboxMessage]] | None:
            rows: list[OutboxMessage] = await self.gateway.all(OutboxMessage)
            inbox: list[InboxMessage] = await self.gateway.all(InboxMessage)
            waiting = any(row.status in ("queued", "sending") for row in rows)
            unanswered = any(row.status != "done" for row in inbox)
            short = len(self.meta.sent) < count
            return None if waiting or unanswered or short or not self.meta.deliverer.idle else (rows,)

        found: tuple[list[OutboxMessage]] = await eventually(done, self.gateway.signals, "outbox")
        return found[0]

    async def status(self, index: int, status: str) -> OutboxMessage:
        """An outbox row once it has this status."""

        async def so() -> OutboxMessage | None:
            rows = await self.gateway.all(OutboxMessage)
            return rows[index] if len(rows) > index and rows[index].status == status else None

        found: OutboxMessage = await eventually(so, self.gateway.signals, "outbox")
        return found

    async def silent_for(self, time: timedelta) -> None:
        """Let the citizens' last words have been so long ago, on both ends."""
        for citizen in self.meta.citizens.values():
            if citizen.last_wrote_at is not None:
                citizen.last_wrote_at -= time
        async with self.gateway.database.sessions.begin() as session:
            for conversation in await self.gateway.all(Conversation):
                at = conversation.last_citizen_at - time
                statement = update(Conversation).where(Conversation.id == conversation.id)
                await session.execute(statement.values(last_citizen_at=at))


@asynccontextmanager
async def fanpage(
    gateway: Gateway, policy: CommentPolicy | None = None, **options: Any
) -> AsyncIterator[Fanpage]:
    """Start both ends; `options` are the simulator's."""
    site = web.Application(middlewares=[log_request])
    served = TestServer(site)
    meta = MetaSimulator("", ACCOUNT, pauses=(0.05,) * 100, **options)
    api = TestServer(meta.app())
    await api.start_server()
    settings = page_settings(str(api.make_url("")).rstrip("/"))
    signals, database, texts = gateway.signals, gateway.database, gateway.texts
    parts: dict[str, Any] = {"database": database, "signals": signals, "texts": texts}
    parts |= {"cases": gateway.cases, "ownership": gateway.ownership}
    core = Core(database, signals, gateway.inbox, Echoes(**parts), texts, "k" * 32)
    messenger = Messenger(settings, core)
    messenger.add_routes(site)
    site.cleanup_ctx.append(messenger.run)
    await served.start_server()
    meta.deliverer.url = str(served.make_url(WEBHOOK))
    sender = Sender(database, signals, messenger.senders, texts)
    worker = Worker(**parts, rasa=gateway.rasa, outbox=gateway.outbox, comments=policy or CommentPolicy())
    pumps = (sender.pump, worker.pump, Reviewer(**parts).pump)
    for pump in pumps:
        pump.start()
    async with aiohttp.ClientSession() as http:
        yield Fanpage(gateway, meta, meta.deliverer.url, messenger, sender, http)
    for pump in pumps:
        await pump.stop(0)
    await served.close()
    await api.close()
