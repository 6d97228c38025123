"""Messages to citizens: written in the transaction that decides them, sent in order by one sender."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from gateway import repository
from gateway.channels.rules import RULES, window_closes_at
from gateway.channels.splitting import split_text
from gateway.conversations import outbox_number, written_id
from gateway.database import Database, insist, utc_now
from gateway.pump import Pump
from gateway.rasa_client import Reply
from gateway.signals import OUTBOX, Signals
from gateway.tables import Conversation, OutboxAuthor, OutboxKind, OutboxMessage, OutboxStatus
from gateway.texts import Texts

# Channels whose citizens come and read: a message stored is a message delivered.
READ_BY_CITIZENS = frozenset({"web_chat", "evaluation"})
SENDING_LEASE = timedelta(seconds=60)  # longer than any channel's time-out
DOUBT_EVERY = timedelta(seconds=5)  # how often it is looked for sendings that a process left behind
FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=1)
HOLD = timedelta(minutes=1)
ECHO_WITHIN = timedelta(seconds=120)  # after which a message of unknown fate is shown to a person

log = structlog.get_logger(__name__)


class NotSent(Exception):
    """The message certainly did not leave (connection refused, platform busy): it is tried again later."""

    def __init__(self, retry_after: timedelta | None = None) -> None:
        super().__init__("not sent")
        self.retry_after = retry_after


class Held(Exception):
    """The platform takes nothing from this account for now: all its messages wait, in order.

    `reason` is in Vietnamese, for the console; `needs_administrator` where waiting alone does not help.
    """

    def __init__(
        self, reason: str, retry_after: timedelta = HOLD, *, needs_administrator: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after
        self.needs_administrator = needs_administrator


class MaybeSent(Exception):
    """The request left and no answer came: never tried again unless an agent decides so."""


class Rejected(Exception):
    """The platform refused for good; the message is the reason in Vietnamese, for the agent."""


class Channel(Protocol):
    """Sends to one platform."""

    async def send(self, conversation: Conversation, message: OutboxMessage) -> str | None:
        """Send, and give the platform's message id. Raises NotSent, Held, MaybeSent, Rejected."""
        ...


class StoredOutbox:
    """Implements `call_centre.protocols.Outbox`, and takes what the bot says."""

    def __init__(self, signals: Signals, clock: Callable[[], datetime] = utc_now) -> None:
        self._signals = signals
        self._clock = clock

    async def enqueue_agent_reply(
        self, session: AsyncSession, conversation_id: str, text: str, agent_id: str
    ) -> str:
        """Queue an agent's answer; its transcript id."""
        conversation = await repository.lock_conversation(session, conversation_id)
        return await self._enqueue(session, conversation, "agent", text, agent_id=agent_id)

    async def enqueue_system_note(
        self, session: AsyncSession, conversation_id: str, text: str, in_reply_to: int | None = None
    ) -> str:
        """Queue a message from the office itself; its transcript id."""
        conversation = await repository.lock_conversation(session, conversation_id)
        return await self._enqueue(session, conversation, "system", text, in_reply_to=in_reply_to)

    async def enqueue_replies(
        self, session: AsyncSession, conversation: Conversation, in_reply_to: int, replies: Sequence[Reply]
    ) -> None:
        """Queue what the bot answers; the caller has locked the conversation."""
        for reply in replies:
            buttons = [
                {"title": button.title, "say": button.say, "token": secrets.token_urlsafe(9)}
                for button in reply.buttons
            ]
            await self._enqueue(
                session, conversation, "bot", reply.text, in_reply_to=in_reply_to, buttons=buttons
            )

    async def enqueue_public(
        self,
        session: AsyncSession,
        conversation: Conversation,
        kind: OutboxKind,
        text: str,
        in_reply_to: int,
    ) -> None:
        """Queue what is done in public under a comment; the caller has locked the conversation."""
        await self._enqueue(session, conversation, "system", text, kind=kind, in_reply_to=in_reply_to)

    async def retry(self, session: AsyncSession, outbox_id: str) -> None:
        """Queue a failed or ambiguous message again. Raises ValueError for any other."""
        conversation_id = await repository.requeue(session, outbox_number(outbox_id))
        if conversation_id is None:
            raise ValueError(f"{outbox_id} is neither failed nor ambiguous")
        self._signals.wake_after_commit(session, OUTBOX, conversation_id)

    async def _enqueue(
        self,
        session: AsyncSession,
        conversation: Conversation,
        author: OutboxAuthor,
        text: str,
        *,
        kind: OutboxKind = "message",
        agent_id: str | None = None,
        in_reply_to: int | None = None,
        buttons: Sequence[dict[str, str]] = (),
    ) -> str:
        """Each row is one message of the platform; the id of the last, which carries the buttons."""
        rules = RULES.get(conversation.channel)
        *parts, last = split_text(text, rules.longest_text) if rules else [text]
        for part, its_buttons in [*((part, ()) for part in parts), (last, buttons)]:
            row = await repository.insert_outbox(
                session,
                conversation,
                author,
                part,
                self._clock(),
                sent=conversation.channel in READ_BY_CITIZENS,
                kind=kind,
                agent_id=agent_id,
                in_reply_to=in_reply_to,
                buttons=its_buttons,
            )
        self._signals.wake_after_commit(session, OUTBOX, conversation.id)
        return written_id(row.id)


class Sender:
    """Sends what is queued: each conversation in order, several conversations at once."""

    def __init__(
        self,
        database: Database,
        signals: Signals,
        channels: Mapping[str, Channel],
        texts: Texts,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._signals = signals
        self._channels = channels
        self._texts = texts
        self._clock = clock
        self._doubted_at: datetime | None = None
        self.pump = Pump(OUTBOX, signals, self._claim, self._send)

    async def _claim(self, limit: int) -> list[tuple[OutboxMessage, Conversation]]:
        now = self._clock()
        async with self._database.sessions.begin() as session:
            if self._doubted_at is None or now - self._doubted_at >= DOUBT_EVERY:
                self._doubted_at = now
                doubtful = await repository.doubt_interrupted_sendings(
                    session, now, now + ECHO_WITHIN, self._texts["maybe_sent"]
                )
                if doubtful:
                    log.warning("sending_interrupted", messages=doubtful)
            return await repository.claim_outbox(
                session, list(self._channels), now, now + SENDING_LEASE, limit
            )

    async def _send(self, claimed: tuple[OutboxMessage, Conversation]) -> None:
        row, conversation = claimed
        try:
            self._check_window(conversation, row)
            platform_id = await self._channels[conversation.channel].send(conversation, row)
        except NotSent as error:
            delay = error.retry_after or min(FIRST_DELAY * 2 ** min(row.attempts - 1, 16), LONGEST_DELAY)
            await self._settle(claimed, "queued", not_before=self._clock() + delay)
        except Held as error:
            await self._hold(row, conversation, error)
        except MaybeSent:
            review_at = self._clock() + ECHO_WITHIN
            await self._settle(claimed, "ambiguous", error=self._texts["maybe_sent"], review_at=review_at)
        except Rejected as error:
            await self._settle(claimed, "failed", error=str(error), review_at=self._clock())
        else:
            await self._settle(
                claimed, "sent", platform_message_id=platform_id, sent_at=self._clock(), error=None
            )

    def _check_window(self, conversation: Conversation, row: OutboxMessage) -> None:
        closes_at = window_closes_at(conversation, row.author)
        if closes_at is None or row.kind != "message" or self._clock() < closes_at:
            return
        raise Rejected(self._texts["window_closed" if row.author == "agent" else "bot_window_closed"])

    async def _hold(self, row: OutboxMessage, conversation: Conversation, held: Held) -> None:
        """Put the message back and let its whole account wait."""
        until = self._clock() + held.retry_after
        async with self._database.sessions.begin() as session:
            await repository.settle_outbox(session, row, "queued", not_before=until, error=held.reason)
            await repository.hold_account(
                session,
                conversation.channel,
                conversation.account,
                now=self._clock(),
                until=until,
                problem=held.reason,
                needs_administrator=held.needs_administrator,
            )
        record = log.error if held.needs_administrator else log.warning
        record("account_held", channel=conversation.channel, outbox_id=row.id, reason=held.reason)
        self._signals.wake(row.conversation_id)

    async def _settle(
        self, claimed: tuple[OutboxMessage, Conversation], status: OutboxStatus, **values: object
    ) -> None:
        row, conversation = claimed

        async def settle() -> bool:
            async with self._database.sessions.begin() as session:
                settled = await repository.settle_outbox(session, row, status, **values)
                if settled and status == "sent":
                    await repository.release_account(session, conversation.channel, conversation.account)
            return settled

        settled = await insist(settle, row.lease_until or self._clock(), self._clock)
        log.info("message_settled", outbox_id=row.id, status=status, attempts=row.attempts, settled=settled)
        self._signals.wake(row.conversation_id)
