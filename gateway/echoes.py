"""Reads what platforms say about messages to citizens: ours are settled, others mean that staff answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from call_centre.model import Escalation
from call_centre.protocols import Ownership
from gateway import repository
from gateway.database import Database, utc_now
from gateway.inbox import MAX_TEXT
from gateway.outbox import ECHO_WITHIN
from gateway.signals import OUTBOX, Signals
from gateway.tables import OutboxMessage
from gateway.texts import Texts
from gateway.worker import Cases
from vietnamese.text import normalise

OUTSIDE = "outside"  # owner of a conversation that staff answered in the platform's own application

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Echo:
    """A message to a citizen as the platform repeats it."""

    channel: str
    account: str
    citizen_id: str
    message_id: str
    text: str
    at: datetime
    outbox_id: int | None = None  # what our own metadata named; None where the platform carries none
    match_text: bool = False  # whether equal text tells our own messages, for want of metadata


class Echoes:
    """Applies echoes; the same one twice changes nothing the second time."""

    def __init__(
        self,
        *,
        database: Database,
        signals: Signals,
        cases: Cases,
        ownership: Ownership,
        texts: Texts,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._signals = signals
        self._cases = cases
        self._ownership = ownership
        self._texts = texts
        self._clock = clock

    async def apply(self, echo: Echo) -> None:
        """Settle our own message, or record that staff answered and let the bot be silent."""
        if await self._is_known(echo):
            return
        async with self._database.sessions.begin() as session:
            if echo.outbox_id is not None:
                row = await repository.outbox_of_account(session, echo.account, echo.outbox_id)
                if row is not None:
                    await self._confirm(session, row, echo)
                    return
            citizen = (echo.channel, echo.account, echo.citizen_id)
            conversation = await repository.ensure_conversation(session, citizen, echo.at, self._clock())
            if await repository.find_written(session, echo.account, echo.message_id) is not None:
                return
            row = None
            if echo.match_text:
                since = self._clock() - ECHO_WITHIN
                row = await repository.unconfirmed(session, conversation.id, echo.text, since)
                # The platform's answer to our own request may have come between the two looks.
                if row is None:
                    row = await repository.find_written(session, echo.account, echo.message_id)
            if row is not None:
                await self._confirm(session, row, echo)
            else:
                await repository.insert_outbox(
                    session,
                    conversation,
                    "agent",
                    normalise(echo.text, MAX_TEXT),
                    self._clock(),
                    sent=True,
                    platform_message_id=echo.message_id,
                )
                await self._cases.open_case(session, conversation.id, echo.channel, self._escalation())
                if conversation.owner != "agent":
                    await self._ownership.give_to_agent(session, conversation.id, OUTSIDE)
                log.info("answered_outside", channel=echo.channel, conversation=conversation.id)
                self._signals.wake_after_commit(session, conversation.id)

    async def _is_known(self, echo: Echo) -> bool:
        """Whether it tells nothing new: most echoes come when their message is written down as sent."""
        async with self._database.readers() as session:
            return await repository.find_written(session, echo.account, echo.message_id) is not None

    async def _confirm(self, session: AsyncSession, row: OutboxMessage, echo: Echo) -> None:
        settled = await repository.confirm(session, row.id, echo.message_id, self._clock())
        log.info("echo_of_ours", outbox_id=row.id, settled=settled)
        if settled:
            # What stands behind it in the conversation need not wait for our own request to end.
            self._signals.wake_after_commit(session, OUTBOX, row.conversation_id)

    async def delivered(
        self, channel: str, account: str, citizen_id: str, message_ids: Sequence[str]
    ) -> None:
        """These messages reached the citizen's device."""
        async with self._database.sessions.begin() as session:
            conversation = await repository.find_conversation(session, channel, account, citizen_id)
            if conversation is not None and message_ids:
                await repository.mark_delivered(session, conversation.id, message_ids)

    async def seen(self, channel: str, account: str, citizen_id: str, until: datetime) -> None:
        """The citizen has read everything up to a moment."""
        async with self._database.sessions.begin() as session:
            conversation = await repository.find_conversation(session, channel, account, citizen_id)
            if conversation is not None:
                await repository.mark_seen(session, conversation.id, until)

    def _escalation(self) -> Escalation:
        return Escalation(
            reason="answered_outside_console",
            summary=self._texts["outside_summary"],
            question="",
            intent=None,
            confidence=None,
            topics=(),
            as_of=None,
        )
