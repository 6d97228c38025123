"""Accepts what citizens write: made safe once, stored once, then worked on from the table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import repository
from gateway.database import Database, insist, utc_now
from gateway.gathering import Gathering
from gateway.signals import INBOX, Signals
from gateway.tables import Kind
from vietnamese.text import normalise

STORE_AGAIN_FOR = timedelta(seconds=1)  # then whoever waits is told that it failed
STORE_PAUSE_SECONDS = 0.1
MAX_TEXT, MAX_NAME = 2_000, 200  # characters; what is longer is cut


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

    @property
    def citizen(self) -> repository.Citizen:
        return self.channel, self.account, self.citizen_id


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
        self._gathering = Gathering(self._store)

    async def accept(self, incoming: Incoming) -> Accepted:
        """Store a message; when this returns, the message survives any crash and may be acknowledged."""
        with self._signals.arriving():
            return await self._gathering.do(incoming)

    async def _store(self, lot: Sequence[Incoming]) -> list[Accepted]:
        """What came at the same time, in one transaction.

        A connection lost is made good at once: what the platform has to repeat may come in another order.
        """
        until = self._clock() + STORE_AGAIN_FOR
        return await insist(partial(self._store_once, lot), until, self._clock, STORE_PAUSE_SECONDS)

    async def _store_once(self, lot: Sequence[Incoming]) -> list[Accepted]:
        now = self._clock()
        wrote_at = [min(one.platform_time or now, now) for one in lot]
        async with self._database.sessions.begin() as session:
            read = [await self._read(session, one) for one in lot]
            began_at = {one.citizen: at for one, at in zip(lot, wrote_at)}
            conversations = await repository.ensure_conversations(session, began_at, now)
            stored = await repository.insert_inbox(
                session,
                [
                    {
                        "channel": one.channel,
                        "account": one.account,
                        "message_id": one.message_id,
                        "conversation_id": conversations[one.citizen].id,
                        "received_at": now,
                        "platform_time": one.platform_time,
                        "kind": kind,
                        "text": text,
                        "as_of": one.as_of,
                    }
                    for one, (kind, text) in zip(lot, read)
                ],
            )
            accepted = []
            for one, (_, text), at in zip(lot, read, wrote_at):
                conversation = conversations[one.citizen]
                # Out of the new ones once it was met: a second time in the same lot is a repeated delivery.
                inbox_id = stored.pop((one.channel, one.account, one.message_id), None)
                if inbox_id is None:
                    known = await repository.inbox_by_message_id(
                        session, one.channel, one.account, one.message_id
                    )
                    accepted.append(Accepted(known.id, known.conversation_id, known.text, is_new=False))
                    continue
                conversation.last_citizen_at = max(conversation.last_citizen_at, at)
                name = normalise(one.citizen_name or "", MAX_NAME)
                conversation.citizen_name = name or conversation.citizen_name
                accepted.append(Accepted(inbox_id, conversation.id, text, is_new=True))
        self._signals.wake(INBOX, *{one.conversation_id for one in accepted if one.is_new})
        return accepted

    async def _read(self, session: AsyncSession, incoming: Incoming) -> tuple[Kind, str]:
        """What a message is and says; the tap on a button says the button's sentence."""
        kind, text = incoming.kind, incoming.text
        if incoming.token is not None:
            sentence = await repository.sentence_of_account(
                session, incoming.channel, incoming.account, incoming.token
            )
            kind, text = (kind, text) if sentence is None else ("button", sentence)
        return kind, normalise(text, MAX_TEXT)

    async def touch(self, channel: str, account: str, citizen_id: str, at: datetime) -> None:
        """A citizen did something without words (a reaction, a link): their reply window opens anew."""
        async with self._database.sessions.begin() as session:
            conversation = await repository.find_conversation(session, channel, account, citizen_id)
            if conversation is not None:
                at = min(at, self._clock())
                conversation.last_citizen_at = max(conversation.last_citizen_at, at)
