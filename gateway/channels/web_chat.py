"""The chat box on the office's website: one page, messages by POST, answers as server-sent events."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import hmac
import json
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway import repository
from gateway.conversations import received_id, written_id
from gateway.database import Database
from gateway.inbox import MAX_TEXT, Inbox, Incoming
from gateway.requests import read_json_object
from gateway.signals import Signals, wait_for
from gateway.tables import Conversation, InboxMessage, OutboxMessage
from gateway.texts import Texts
from knowledge_base.office import Office

CHANNEL = "web_chat"
ACCOUNT = "site"
COOKIE = "citizen"
COOKIE_SECONDS = 90 * 24 * 3600
MAX_BODY = 16 * 1024
MAX_LINES = 100  # of history, and of what a reconnecting page is sent before it must reload
CLIENT_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
CURSOR = re.compile(r"(\d{1,18})-(\d{1,18})")
KEEP_ALIVE_SECONDS = 15.0
POLL_SECONDS = 2.0  # notices what other processes wrote
READABLE = frozenset({"sent", "delivered", "seen"})
PAGES = Path(__file__).resolve().parent.parent


class Visitors:
    """Signs and reads the cookie that identifies a citizen's browser."""

    def __init__(self, secret_key: str) -> None:
        self._key = hashlib.sha256(b"web chat cookie:" + secret_key.encode()).digest()

    def sign(self, citizen_id: str) -> str:
        return f"{citizen_id}.{self._mac(citizen_id)}"

    def read(self, cookie: str | None) -> str | None:
        """The citizen's id; None when the cookie is missing or not ours."""
        citizen_id, _, mac = (cookie or "").partition(".")
        return citizen_id if hmac.compare_digest(mac.encode(), self._mac(citizen_id).encode()) else None

    def _mac(self, citizen_id: str) -> str:
        return hmac.new(self._key, citizen_id.encode(), hashlib.sha256).hexdigest()


class RateLimit:
    """A bucket of messages per citizen, refilled steadily; the longest silent are forgotten first."""

    def __init__(
        self,
        burst: int = 10,
        per_minute: int = 20,
        remembered: int = 20_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._burst = burst
        self._per_second = per_minute / 60
        self._remembered = remembered
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, citizen_id: str) -> bool:
        """Whether this citizen may send one more message now."""
        now = self._clock()
        left, at = self._buckets.pop(citizen_id, (float(self._burst), now))
        left = min(self._burst, left + (now - at) * self._per_second)
        allowed = left >= 1
        self._buckets[citizen_id] = (left - 1 if allowed else left, now)
        if len(self._buckets) > self._remembered:
            self._buckets.popitem(last=False)
        return allowed


@dataclass(frozen=True)
class Cursor:
    """The last message in either direction that a page has seen; the id of a server-sent event."""

    received: int = 0
    written: int = 0

    @classmethod
    def parse(cls, text: str | None) -> Cursor | None:
        found = CURSOR.fullmatch(text or "")
        return cls(int(found[1]), int(found[2])) if found else None

    def __str__(self) -> str:
        return f"{self.received}-{self.written}"


@dataclass(frozen=True)
class News:
    """What a page has not seen: lines oldest first, each with the cursor after it."""

    lines: list[tuple[dict[str, Any], Cursor]]
    cursor: Cursor
    thinking: bool
    owner: str

    @property
    def state(self) -> dict[str, Any]:
        return {"thinking": self.thinking, "owner": self.owner}


class WebChat:
    """The handlers of the web channel."""

    def __init__(
        self,
        *,
        database: Database,
        signals: Signals,
        inbox: Inbox,
        office: Office,
        texts: Texts,
        secret_key: str,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._database = database
        self._signals = signals
        self._inbox = inbox
        self._texts = texts
        self._visitors = Visitors(secret_key)
        self._rate_limit = rate_limit or RateLimit()
        pages = Environment(
            loader=FileSystemLoader(PAGES / "templates"), autoescape=True, undefined=StrictUndefined
        )
        self._page = pages.get_template("chat.html").render(office=office, texts=texts, max_text=MAX_TEXT)

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/", self.page)
        app.router.add_post("/chat/messages", self.post_message)
        app.router.add_post("/chat/new", self.start_anew)
        app.router.add_get("/chat/history", self.history)
        app.router.add_get("/chat/events", self.events)
        app.router.add_static("/static/", PAGES / "static")

    async def page(self, request: web.Request) -> web.Response:
        """The chat page; a browser without a valid cookie becomes a new citizen."""
        response = web.Response(text=self._page, content_type="text/html")
        self._set_cookie(request, response, self._citizen(request) or uuid4().hex)
        return response

    async def start_anew(self, request: web.Request) -> web.Response:
        """Forget this browser's conversation: for a computer that several people use."""
        await read_json_object(request, MAX_BODY)
        response = web.Response(status=204)
        self._set_cookie(request, response, uuid4().hex)
        return response

    async def post_message(self, request: web.Request) -> web.Response:
        """Accept `{text, client_id}`, or `{button, client_id}` for a tap; 202 once it is stored."""
        body = await read_json_object(request, MAX_BODY)
        citizen_id = self._citizen(request)
        if citizen_id is None:
            return self._refuse(401, "session_expired")
        text, button, client_id = body.get("text"), body.get("button"), body.get("client_id")
        if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id):
            return self._refuse(400, "bad_request")
        if not self._rate_limit.allows(citizen_id):
            return self._refuse(429, "rate_limited", {"Retry-After": "60"})
        if isinstance(button, str):
            text = await self._sentence(citizen_id, button)
            if text is None:
                return self._refuse(410, "button_expired")
        elif not isinstance(text, str) or not text.strip():
            return self._refuse(400, "bad_request")
        elif len(text) > MAX_TEXT:
            return self._refuse(413, "too_long")
        accepted = await self._inbox.accept(
            Incoming(
                channel=CHANNEL,
                account=ACCOUNT,
                citizen_id=citizen_id,
                # Client ids are a browser's own: two browsers may choose the same.
                message_id=f"{citizen_id}:{client_id}",
                text=text,
                kind="button" if isinstance(button, str) else "text",
            )
        )
        return web.json_response({"id": received_id(accepted.inbox_id), "text": accepted.text}, status=202)

    async def history(self, request: web.Request) -> web.Response:
        """The newest lines, the cursor to follow from, and whether an answer is under way."""
        citizen_id = self._citizen(request)
        if citizen_id is None:
            return self._refuse(401, "session_expired")
        conversation = await self._conversation(citizen_id)
        if conversation is None:
            return web.json_response({"lines": [], "cursor": None, "thinking": False, "owner": "bot"})
        news = await self._news(conversation.id, Cursor())
        lines = [line for line, _ in news.lines][-MAX_LINES:]
        return web.json_response({"lines": lines, "cursor": str(news.cursor), **news.state})

    async def events(self, request: web.Request) -> web.StreamResponse:
        """Lines and states as they come; resumes after Last-Event-ID, or after `?after=` the first time.

        204 tells the browser's EventSource to stay away until there is a conversation.
        """
        citizen_id = self._citizen(request)
        if citizen_id is None:
            return self._refuse(401, "session_expired")
        conversation = await self._conversation(citizen_id)
        if conversation is None:
            return web.Response(status=204)
        seen = request.headers.get("Last-Event-ID") or request.query.get("after")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        with suppress(ConnectionResetError):  # the page was closed
            await self._stream(response, conversation.id, Cursor.parse(seen))
        return response

    async def _stream(
        self, response: web.StreamResponse, conversation_id: str, cursor: Cursor | None
    ) -> None:
        clock = asyncio.get_running_loop().time
        state: dict[str, Any] | None = None
        written_at = clock()
        with self._signals.subscribe(conversation_id) as woken:
            while not self._signals.closing:
                news = await self._news(conversation_id, cursor or Cursor())
                chunks = []
                if cursor is None or len(news.lines) > MAX_LINES:
                    chunks.append(_event("reset", {}, news.cursor))
                else:
                    chunks.extend(_event("line", line, after) for line, after in news.lines)
                cursor = news.cursor
                if news.state != state:
                    state = news.state
                    chunks.append(_event("state", state))
                if not chunks and clock() - written_at > KEEP_ALIVE_SECONDS:
                    chunks.append(": still here\n\n")
                if chunks:
                    await response.write("".join(chunks).encode())
                    written_at = clock()
                await wait_for(woken, POLL_SECONDS)

    async def _news(self, conversation_id: str, cursor: Cursor) -> News:
        # One more than is shown, so that too many can be told from just enough.
        limit = MAX_LINES + 1
        async with self._database.readers.begin() as session:
            conversation = await repository.conversation(session, conversation_id)
            received = await repository.received(session, conversation_id, limit, cursor.received)
            written = await repository.written(session, conversation_id, limit, cursor.written)
            thinking = conversation.owner != "agent" and await repository.unfinished(session, conversation_id)
        readable = [message for message, _ in written if message.status in READABLE]
        lines = []
        for message in _merged(received, readable):
            if isinstance(message, InboxMessage):
                cursor = Cursor(max(cursor.received, message.id), cursor.written)
            else:
                cursor = Cursor(cursor.received, max(cursor.written, message.id))
            lines.append((_line(message), cursor))
        return News(lines, cursor, thinking, conversation.owner)

    async def _conversation(self, citizen_id: str) -> Conversation | None:
        async with self._database.readers() as session:
            return await repository.find_conversation(session, CHANNEL, ACCOUNT, citizen_id)

    async def _sentence(self, citizen_id: str, token: str) -> str | None:
        conversation = await self._conversation(citizen_id)
        if conversation is None:
            return None
        async with self._database.readers() as session:
            return await repository.button_sentence(session, conversation.id, token)

    def _citizen(self, request: web.Request) -> str | None:
        return self._visitors.read(request.cookies.get(COOKIE))

    def _set_cookie(self, request: web.Request, response: web.Response, citizen_id: str) -> None:
        https = request.secure or request.headers.get("X-Forwarded-Proto") == "https"
        response.set_cookie(
            COOKIE,
            self._visitors.sign(citizen_id),
            max_age=COOKIE_SECONDS,
            httponly=True,
            samesite="Lax",
            secure=https,
        )

    def _refuse(self, status: int, key: str, headers: dict[str, str] | None = None) -> web.Response:
        return web.json_response({"message": self._texts[key]}, status=status, headers=headers)


def _merged(
    received: list[InboxMessage], written: list[OutboxMessage]
) -> Iterator[InboxMessage | OutboxMessage]:
    """By time, each direction in the order of its ids, on which resuming relies."""
    streams: list[Sequence[InboxMessage | OutboxMessage]] = [received, written]
    return heapq.merge(*streams, key=_written_at)


def _written_at(message: InboxMessage | OutboxMessage) -> datetime:
    return message.received_at if isinstance(message, InboxMessage) else message.created_at


def _line(message: InboxMessage | OutboxMessage) -> dict[str, Any]:
    """One line as the page shows it; a button's sentence stays here, the page gets a token."""
    at = _written_at(message).isoformat()
    if isinstance(message, InboxMessage):
        return {
            "id": received_id(message.id),
            "client_id": message.message_id.rpartition(":")[2],
            "author": "citizen",
            "text": message.text,
            "at": at,
        }
    return {
        "id": written_id(message.id),
        "author": message.author,
        "text": message.text,
        "at": at,
        "buttons": [{"title": button["title"], "token": button["token"]} for button in message.buttons],
    }


def _event(name: str, data: dict[str, Any], cursor: Cursor | None = None) -> str:
    identity = f"id: {cursor}\n" if cursor else ""
    return f"{identity}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
