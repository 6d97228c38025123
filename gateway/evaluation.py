"""POST /evaluation/ask: one question through the same path as a citizen's, and its turn back as JSON."""

from __future__ import annotations

import asyncio
import ipaddress
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import uuid4

from aiohttp import web

from gateway import repository
from gateway.database import Database
from gateway.inbox import MAX_TEXT, Inbox, Incoming
from gateway.requests import read_json_object
from gateway.signals import Signals, wait_for

CHANNEL = "evaluation"
WAIT_SECONDS = 180.0
POLL_SECONDS = 1.0
MAX_BODY = 64 * 1024
# A reverse proxy on this machine is a loopback peer too; it gives itself away by these.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-IP", "Via")


class BadQuestion(Exception):
    """A field of the request is missing or wrong; the message says which."""


@dataclass(frozen=True)
class Question:
    """What is asked, in which conversation, from which date."""

    text: str
    conversation: str
    on: date | None


def parse_question(body: dict[str, Any]) -> Question:
    """Raises BadQuestion."""
    text, conversation, on = body.get("text"), body.get("conversation"), body.get("on")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise BadQuestion(f"text must be a sentence of at most {MAX_TEXT} characters")
    if conversation is not None and not (isinstance(conversation, str) and 0 < len(conversation) <= 128):
        raise BadQuestion("conversation must be a text of at most 128 characters")
    try:
        day = None if on is None else date.fromisoformat(on)
    except (TypeError, ValueError) as error:
        raise BadQuestion("on must be a date like 2026-11-21") from error
    return Question(text, conversation or uuid4().hex, day)


class Evaluation:
    """Asks on the channel `evaluation` and waits for the turn."""

    def __init__(self, database: Database, signals: Signals, inbox: Inbox, development: bool) -> None:
        self._database = database
        self._signals = signals
        self._inbox = inbox
        self._development = development

    async def ask(self, request: web.Request) -> web.Response:
        if not _is_local(request):
            return _problem(403, "questions for evaluation are taken from this machine only")
        try:
            question = parse_question(await read_json_object(request, MAX_BODY))
        except BadQuestion as error:
            return _problem(400, str(error))
        if question.on is not None and not self._development:
            return _problem(403, "a date can be given only when the stack runs with DEVELOPMENT=1")
        accepted = await self._inbox.accept(
            Incoming(
                channel=CHANNEL,
                account="local",
                citizen_id=question.conversation,
                message_id=uuid4().hex,
                text=question.text,
                as_of=question.on,
            )
        )
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return web.json_response(await self._turn(accepted.conversation_id, accepted.inbox_id))
        except TimeoutError:
            return _problem(504, f"no turn within {WAIT_SECONDS:.0f} seconds")

    async def _turn(self, conversation_id: str, inbox_id: int) -> dict[str, Any]:
        with self._signals.subscribe(conversation_id) as woken:
            while True:
                async with self._database.readers() as session:
                    turn = await repository.turn_of(session, inbox_id)
                    if turn is not None:
                        replies = await repository.replies_to(session, inbox_id)
                        break
                await wait_for(woken, POLL_SECONDS)
        return {
            "replies": [reply.text for reply in replies],
            "buttons": [
                {"title": button["title"], "say": button["say"]}
                for reply in replies
                for button in reply.buttons
            ],
            "intent": turn.intent,
            "confidence": turn.confidence,
            "topics": turn.topics,
            "outcome": turn.outcome,
            "citations": turn.citations,
            "as_of": turn.as_of and turn.as_of.isoformat(),
            "failure": turn.failure,
            "latency_ms": turn.latency_ms,
        }


def _is_local(request: web.Request) -> bool:
    peer = ipaddress.ip_address(request.remote or "0.0.0.0")
    return peer.is_loopback and not any(header in request.headers for header in FORWARDED)


def _problem(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
