"""Reads conversations for the console: who they are with, and what was said."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.protocols import ConversationView, TopicTurns, TranscriptLine
from gateway import repository
from gateway.channels.rules import window_closes_at


def received_id(inbox_id: int) -> str:
    """The transcript id of a citizen's message."""
    return f"in-{inbox_id}"


def written_id(outbox_id: int) -> str:
    """The transcript id of a message to a citizen."""
    return f"out-{outbox_id}"


def outbox_number(line_id: str) -> int:
    """The outbox row behind a transcript id. Raises ValueError for any other id."""
    kind, _, number = line_id.partition("-")
    if kind != "out":
        raise ValueError(f"{line_id!r} is not a message to a citizen")
    return int(number)


class StoredConversations:
    """Implements `call_centre.protocols.Conversations`."""

    async def view(self, session: AsyncSession, conversation_id: str) -> ConversationView:
        """Raises NoResultFound."""
        conversation = await repository.conversation(session, conversation_id)
        return ConversationView(
            id=conversation.id,
            channel=conversation.channel,
            citizen_name=conversation.citizen_name,
            owner=conversation.owner,
            agent_id=conversation.agent_id,
            window_closes_at=window_closes_at(conversation),
            # A comment's conversation is the commenter's id and the comment's.
            citizen_key=conversation.citizen_id.partition("/")[0],
        )

    async def transcript(
        self, session: AsyncSession, conversation_id: str, limit: int = 200
    ) -> list[TranscriptLine]:
        """The newest `limit` lines, oldest first."""
        lines = [
            TranscriptLine(
                received_id(message.id),
                message.received_at,
                "citizen",
                message.text,
            )
            for message in await repository.received(session, conversation_id, limit)
        ]
        for message, turn in await repository.written(session, conversation_id, limit):
            by_bot = turn if message.author == "bot" else None
            lines.append(
                TranscriptLine(
                    written_id(message.id),
                    message.created_at,
                    message.author,
                    message.text,
                    agent_id=message.agent_id,
                    status=message.status,
                    failure=message.error,
                    topics=by_bot.topics if by_bot else (),
                    confidence=by_bot.confidence if by_bot else None,
                )
            )
        # Stable: at the same moment a citizen's message comes before what answers it.
        return sorted(lines, key=lambda line: line.at)[-limit:]

    async def of_citizen(self, session: AsyncSession, channel: str, citizen_key: str) -> list[str]:
        """The citizen's conversations within a channel, newest first."""
        return list(await repository.conversations_of_citizen(session, channel, citizen_key))

    async def turns_by_topic(
        self, session: AsyncSession, start: datetime, end: datetime
    ) -> dict[str, TopicTurns]:
        """A question on two topics counts for both, one on none for the empty topic."""
        counts: Counter[tuple[str, str]] = Counter()
        for topics, outcome, count in await repository.outcomes_by_topics(session, start, end):
            counts.update({(topic, outcome): count for topic in topics or [""]})
        return {
            topic: TopicTurns(counts[topic, "answered"], counts[topic, "escalated"])
            for topic in {topic for topic, outcome in counts if outcome in ("answered", "escalated")}
        }
