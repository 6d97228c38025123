"""What the queue needs from whoever owns the channels: an outbox, ownership and the transcript.

The gateway implements these over the same database session, so that an answer, its outbox row and the
claim check are one transaction, and neither package imports the other's insides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

Author = Literal["citizen", "bot", "agent", "system"]
DeliveryStatus = Literal["received", "queued", "sending", "sent", "delivered", "seen", "ambiguous", "failed"]


@dataclass(frozen=True)
class TranscriptLine:
    """One message of a conversation, oldest first; `id` is unique within the conversation."""

    id: str
    at: datetime  # UTC, timezone-aware
    author: Author
    text: str  # as written: whoever shows it masks personal numbers
    agent_id: str | None = None
    status: DeliveryStatus = "received"
    failure: str | None = None  # the reason in Vietnamese, for the agent
    topics: Sequence[str] = ()
    confidence: float | None = None


@dataclass(frozen=True)
class ConversationView:
    """What the console shows of a conversation besides its lines."""

    id: str
    channel: str  # "web_chat", "messenger", "facebook_comment", "zalo", "evaluation"
    citizen_name: str | None
    owner: Literal["bot", "waiting", "agent"]
    agent_id: str | None
    window_closes_at: datetime | None  # when the channel stops accepting an agent's reply; None = never
    citizen_key: str | None = None  # the same for every conversation of one citizen within the channel


@dataclass(frozen=True)
class TopicTurns:
    """Citizens' questions on one topic."""

    answered: int  # by the bot alone
    escalated: int  # handed to a person


class Outbox(Protocol):
    """Queues messages to the citizen's own channel inside the caller's transaction."""

    async def enqueue_agent_reply(
        self, session: AsyncSession, conversation_id: str, text: str, agent_id: str
    ) -> str:
        """Queue an agent's answer; the id of its outbox row (also the transcript line's id)."""
        ...

    async def enqueue_system_note(self, session: AsyncSession, conversation_id: str, text: str) -> str:
        """Queue a message from the office itself (case number, promise, satisfaction question)."""
        ...

    async def retry(self, session: AsyncSession, outbox_id: str) -> None:
        """Queue a failed or ambiguous message again, because a person decided so."""
        ...


class Ownership(Protocol):
    """Says whose a conversation is; the bot is silent while an agent owns it."""

    async def lock(self, session: AsyncSession, conversation_id: str) -> None:
        """Keep everybody else from the conversation until the transaction ends.

        Taken before a case of the conversation is changed, by whoever changes it, so that nobody waits for
        the other's lock in turn.
        """
        ...

    async def wait(self, session: AsyncSession, conversation_id: str) -> None: ...

    async def give_to_agent(self, session: AsyncSession, conversation_id: str, agent_id: str) -> None: ...

    async def give_to_bot(self, session: AsyncSession, conversation_id: str) -> None: ...


class Conversations(Protocol):
    """Reads conversations for the console."""

    async def view(self, session: AsyncSession, conversation_id: str) -> ConversationView: ...

    async def transcript(
        self, session: AsyncSession, conversation_id: str, limit: int = 200
    ) -> list[TranscriptLine]: ...

    async def of_citizen(self, session: AsyncSession, channel: str, citizen_key: str) -> list[str]:
        """Every conversation of one citizen within a channel, newest first; those without a case too."""
        ...

    async def turns_by_topic(
        self, session: AsyncSession, start: datetime, end: datetime
    ) -> Mapping[str, TopicTurns]:
        """How often the bot answered each topic, and handed it over, from `start` up to `end`.

        A question on two topics counts for both, one on none for the empty topic; what was declined or
        asked back does not count, nor does evaluation.
        """
        ...
