"""Stand-ins for the gateway: an outbox, ownership and transcripts kept in memory."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.protocols import Author, ConversationView, TopicTurns, TranscriptLine


class Clock:
    """A clock that moves only when told."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **by: float) -> None:
        self.moment += timedelta(**by)


class FakeGateway:
    """Implements the three protocols the queue needs; `owners` and `lines` are what tests look at."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock(datetime(2026, 11, 23, 1, 15, tzinfo=UTC))
        self.owners: dict[str, str] = {}
        self.lines: dict[str, list[TranscriptLine]] = {}
        self.windows: dict[str, datetime] = {}
        self.channels: dict[str, str] = {}
        self.citizens: dict[str, str] = {}
        self.retried: list[str] = []
        self.topics: dict[str, TopicTurns] = {}

    def say(self, conversation_id: str, author: Author, text: str, **more: Any) -> str:
        lines = self.lines.setdefault(conversation_id, [])
        line_id = f"{conversation_id}-{len(lines) + 1}"
        lines.append(TranscriptLine(id=line_id, at=self.clock(), author=author, text=text, **more))
        return line_id

    def deliver(self, conversation_id: str, line_id: str, status: Any, failure: str | None = None) -> None:
        self.lines[conversation_id] = [
            replace(line, status=status, failure=failure) if line.id == line_id else line
            for line in self.lines[conversation_id]
        ]

    def sent(self, conversation_id: str, author: Author = "agent") -> list[str]:
        return [line.text for line in self.lines.get(conversation_id, []) if line.author == author]

    async def enqueue_agent_reply(
        self, session: AsyncSession, conversation_id: str, text: str, agent_id: str
    ) -> str:
        return self.say(conversation_id, "agent", text, agent_id=agent_id, status="queued")

    async def enqueue_system_note(self, session: AsyncSession, conversation_id: str, text: str) -> str:
        return self.say(conversation_id, "system", text, status="queued")

    async def retry(self, session: AsyncSession, outbox_id: str) -> None:
        self.retried.append(outbox_id)

    async def lock(self, session: AsyncSession, conversation_id: str) -> None:
        """The fake keeps everything in memory: there is nothing to lock."""

    async def wait(self, session: AsyncSession, conversation_id: str) -> None:
        self.owners[conversation_id] = "waiting"

    async def give_to_agent(self, session: AsyncSession, conversation_id: str, agent_id: str) -> None:
        self.owners[conversation_id] = agent_id

    async def give_to_bot(self, session: AsyncSession, conversation_id: str) -> None:
        self.owners[conversation_id] = "bot"

    async def view(self, session: AsyncSession, conversation_id: str) -> ConversationView:
        owner = self.owners.get(conversation_id, "bot")
        held = owner not in ("bot", "waiting")
        return ConversationView(
            id=conversation_id,
            channel=self.channels.get(conversation_id, "web_chat"),
            citizen_name=None,
            owner="agent" if held else owner,  # type: ignore[arg-type]
            agent_id=owner if held else None,
            window_closes_at=self.windows.get(conversation_id),
            citizen_key=self.citizens.get(conversation_id),
        )

    async def transcript(
        self, session: AsyncSession, conversation_id: str, limit: int = 200
    ) -> list[TranscriptLine]:
        return self.lines.get(conversation_id, [])[-limit:]

    async def of_citizen(self, session: AsyncSession, channel: str, citizen_key: str) -> list[str]:
        return [
            talk
            for talk, key in self.citizens.items()
            if (self.channels.get(talk, "web_chat"), key) == (channel, citizen_key)
        ]

    async def turns_by_topic(
        self, session: AsyncSession, start: datetime, end: datetime
    ) -> dict[str, TopicTurns]:
        return self.topics
