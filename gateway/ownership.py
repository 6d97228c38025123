"""Whose turn it is to answer a conversation: the bot's, nobody's yet, or one agent's."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from gateway import repository
from gateway.signals import Signals
from gateway.tables import Owner


class ConversationOwnership:
    """Implements `call_centre.protocols.Ownership`; every change locks the conversation."""

    def __init__(self, signals: Signals) -> None:
        self._signals = signals

    async def lock(self, session: AsyncSession, conversation_id: str) -> None:
        """Keep everybody else from the conversation until the transaction ends."""
        await repository.lock_conversation(session, conversation_id)

    async def wait(self, session: AsyncSession, conversation_id: str) -> None:
        """Nobody answers yet: the bot goes on with what it can."""
        await self._give(session, conversation_id, "waiting", None)

    async def give_to_agent(self, session: AsyncSession, conversation_id: str, agent_id: str) -> None:
        """The bot is silent from here on."""
        await self._give(session, conversation_id, "agent", agent_id)

    async def give_to_bot(self, session: AsyncSession, conversation_id: str) -> None:
        """The bot answers again, knowing nothing of what was half said before the agent came."""
        await self._give(session, conversation_id, "bot", None)
        conversation = await repository.conversation(session, conversation_id)
        conversation.rasa_conversation_id = repository.new_id()

    async def _give(
        self, session: AsyncSession, conversation_id: str, owner: Owner, agent_id: str | None
    ) -> None:
        conversation = await repository.lock_conversation(session, conversation_id)
        conversation.owner = owner
        conversation.agent_id = agent_id
        self._signals.wake_after_commit(session, conversation_id)
