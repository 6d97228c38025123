"""A Rasa that does what a test tells it, and the whole gateway behind the channels."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from aiohttp import web
from aiohttp.test_utils import TestServer
from sqlalchemy import select

from call_centre.services import CaseService
from call_centre.tables import Case
from gateway import repository
from gateway.channels.web_chat import RateLimit, WebChat
from gateway.conversations import StoredConversations
from gateway.database import Database
from gateway.inbox import Accepted, Inbox, Incoming
from gateway.outbox import StoredOutbox
from gateway.ownership import ConversationOwnership
from gateway.rasa_client import RasaClient
from gateway.requests import add_headers, log_request
from gateway.signals import Signals, wait_for
from gateway.tables import Conversation, InboxMessage, OutboxMessage, Turn
from gateway.texts import Texts
from gateway.worker import Worker
from knowledge_base.office import load_office

PATIENCE_SECONDS = 20.0  # after which something awaited will never come
OFFICE = load_office()

Message = dict[str, Any]
Behaviour = Callable[[Message], Any]


def turn(outcome: str = "answered", **fields: Any) -> Message:
    """The closing message of a turn."""
    return {
        "custom": {
            "turn": {
                "outcome": outcome,
                "topics": ["voluntary.contribution_rate"],
                "citations": [{"source": "law_41_2024", "article": "36", "text": "Điều 36"}],
                "as_of": "2026-11-21",
                "intent": "ask_topic",
                "confidence": 0.9,
                **fields,
            }
        }
    }


def handover(reason: str = "asked_for_person") -> Message:
    return turn("escalated", escalate={"reason": reason, "summary": "Người dân xin gặp nhân viên."})


def said(body: Message) -> list[Message]:
    """The default behaviour: say the question back."""
    return [{"text": f"Đáp: {body['message']}"}, turn()]


class FakeRasa:
    """Rasa's REST channel on a port of its own; `behave` decides what each question gets."""

    def __init__(self) -> None:
        self.asked: list[Message] = []
        self.arrived = asyncio.Event()
        self.behave: Behaviour = said
        self.at_once: dict[str, int] = {}
        self.most_at_once = 0
        self._server: TestServer | None = None
        self.port = 0

    async def start(self, port: int = 0) -> None:
        app = web.Application()
        app.router.add_get("/", self._hello)
        app.router.add_post("/webhooks/rest/webhook", self._answer)
        self._server = TestServer(app, host="127.0.0.1", port=port)
        await self._server.start_server()
        assert self._server.port is not None
        self.port = self._server.port

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.close()
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def questions(self) -> list[str]:
        return [body["message"] for body in self.asked]

    async def _hello(self, _request: web.Request) -> web.Response:
        return web.Response(text="Hello from Rasa: 3.6.21")

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.asked.append(body)
        self.arrived.set()
        sender = body["sender"]
        self.at_once[sender] = self.at_once.get(sender, 0) + 1
        self.most_at_once = max(self.most_at_once, self.at_once[sender])
        try:
            answer = self.behave(body)
            if asyncio.iscoroutine(answer):
                answer = await answer
        finally:
            self.at_once[sender] -= 1
        return answer if isinstance(answer, web.Response) else web.json_response(answer)


class Held:
    """A behaviour that answers only when the test lets it."""

    def __init__(self, then: Behaviour = said) -> None:
        self.release = asyncio.Event()
        self._then = then

    async def __call__(self, body: Message) -> Any:
        await self.release.wait()
        return self._then(body)


async def eventually(check: Callable[[], Awaitable[Any]], signals: Signals, key: str) -> Any:
    """What `check` returns once it is true; looked at again at every signal."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with signals.subscribe(key) as woken:
            while True:
                found = await check()
                if found:
                    return found
                await wait_for(woken, 0.2)


@dataclass
class Gateway:
    """Everything behind the channels, with what tests ask of it."""

    database: Database
    rasa: RasaClient
    signals: Signals = field(default_factory=Signals)

    def __post_init__(self) -> None:
        self.texts = Texts(OFFICE)
        self.inbox = Inbox(self.database, self.signals)
        self.outbox = StoredOutbox(self.signals)
        self.ownership = ConversationOwnership(self.signals)
        self.conversations = StoredConversations()
        self.cases = CaseService(self.outbox, self.ownership, self.conversations, OFFICE)
        self.worker = Worker(
            database=self.database,
            signals=self.signals,
            rasa=self.rasa,
            cases=self.cases,
            outbox=self.outbox,
            ownership=self.ownership,
            texts=self.texts,
        )

    async def accept(self, text: str, citizen: str = "citizen-1", **fields: Any) -> Accepted:
        """A citizen's message, as a channel would store it."""
        fields = {"channel": "web_chat", "account": "site", "message_id": uuid4().hex, **fields}
        return await self.inbox.accept(Incoming(citizen_id=citizen, text=text, **fields))

    async def turn(self, accepted: Accepted) -> Turn:
        """The turn of a message, once it is written."""

        async def written() -> Turn | None:
            async with self.database.readers() as session:
                return await repository.turn_of(session, accepted.inbox_id)

        found: Turn = await eventually(written, self.signals, accepted.conversation_id)
        return found

    async def say(self, text: str, **fields: Any) -> Turn:
        """Accept a message and wait for its turn."""
        return await self.turn(await self.accept(text, **fields))

    async def all(self, table: type[Any]) -> list[Any]:
        """Every row of a table in the order of its key."""
        async with self.database.readers() as session:
            key = table.__table__.primary_key.columns.values()[0]
            return list((await session.execute(select(table).order_by(key))).scalars().all())

    async def replies(self) -> list[str]:
        """What citizens were told, in order."""
        return [row.text for row in await self.all(OutboxMessage)]

    async def conversation(self) -> Conversation:
        """The only conversation there is."""
        (found,) = await self.all(Conversation)
        assert isinstance(found, Conversation)
        return found

    async def case(self) -> Case:
        """The only case there is."""
        (found,) = await self.all(Case)
        assert isinstance(found, Case)
        return found

    async def inbox_rows(self) -> list[InboxMessage]:
        return await self.all(InboxMessage)

    async def give_to_agent(self) -> None:
        async with self.database.sessions.begin() as session:
            await self.ownership.give_to_agent(session, (await self.conversation()).id, "agent-1")

    async def open_case(self) -> None:
        """Ask for a person the way a citizen does; the bot must be told to hand over."""
        await self.say("cho tôi gặp nhân viên")


def site(gateway: Gateway, rate_limit: RateLimit | None = None) -> web.Application:
    """The web chat alone, over a test's gateway."""
    app = web.Application(middlewares=[log_request])
    app.on_response_prepare.append(add_headers)
    chat = WebChat(
        database=gateway.database,
        signals=gateway.signals,
        inbox=gateway.inbox,
        office=OFFICE,
        texts=gateway.texts,
        secret_key="k" * 32,
        rate_limit=rate_limit,
    )
    chat.add_routes(app)

    async def end_streams(_app: web.Application) -> None:
        gateway.signals.close()

    app.on_shutdown.append(end_streams)
    return app
