"""Accepts what citizens write: made safe once, stored once, then worked on from the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from gateway import repository
from gateway.database import Database, utc_now
from gateway.signals import INBOX, Signals
from gateway.tables import Kind
from vietnamese.text import normalise

MAX_TEXT = 2_000  # characters; what is longer is cut


@dataclass(frozen=True)
class Incoming:
    """One message as a channel parsed it; `message_id` is the platform's, unique within the account."""

    channel: str
    account: str
    citizen_id: str
    message_id: str
    text: str
    kind: Kind = "text"
    platform_time: datetime | None = None
    citizen_name: str | None = None
    as_of: date | None = None
    token: str | None = None  # a tapped button's: its sentence replaces `text` where the token is known


@dataclass(frozen=True)
class Accepted:
    """Where a message was stored; `is_new` is False for a repeated delivery."""

    inbox_id: int
    conversation_id: str
    text: str
    is_new: bool


class Inbox:
    """The one way in for every channel."""

    def __init__(self, database: Database, signals: Signals, clock: Callable[[], datetime] = utc_now) -> None:
        self._database = database
        self._signals = signals
        self._clock = clock

    async def accept(self, incoming: Incoming) -> Accepted:
        """Store a message; when this returns, the message survives any crash and may be acknowledged."""
        now = self._clock()
        wrote_at = min(incoming.platform_time or now, now)
        text = incoming.text
        kind = incoming.kind
        async with self._database.sessions.begin() as session:
            if incoming.token is not None:
                sentence = await repository.sentence_of_account(
                    session, incoming.channel, incoming.account, incoming.token
                )
                text, kind = (text, kind) if sentence is None else (sentence, "button")
            text = normalise(text, MAX_TEXT)
            conversation = await repository.ensure_conversation(
                session,
                channel=incoming.channel,
                account=incoming.account,
                citizen_id=incoming.citizen_id,
                citizen_name=incoming.citizen_name,
                wrote_at=wrote_at,
                now=now,
            )
            inbox_id = await repository.insert_inbox(
                session,
                conversation,
                message_id=incoming.message_id,
                kind=kind,
                text=text,
                now=now,
                platform_time=incoming.platform_time,
                as_of=incoming.as_of,
            )
            if inbox_id is None:
                known = await repository.inbox_by_message_id(
                    session, incoming.channel, incoming.account, incoming.message_id
                )
                return Accepted(known.id, known.conversation_id, known.text, is_new=False)
            conversation.last_citizen_at = max(conversation.last_citizen_at, wrote_at)
            conversation.citizen_name = incoming.citizen_name or conversation.citizen_name
        self._signals.wake(INBOX, conversation.id)
        return Accepted(inbox_id, conversation.id, text, is_new=True)

    async def touch(self, channel: str, account: str, citizen_id: str, at: datetime) -> None:
        """A citizen did something without words (a reaction, a link): their reply window opens anew."""
        async with self._database.sessions.begin() as session:
            conversation = await repository.find_conversation(session, channel, account, citizen_id)
            if conversation is not None:
                at = min(at, self._clock())
                conversation.last_citizen_at = max(conversation.last_citizen_at, at)
