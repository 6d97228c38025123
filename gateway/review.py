"""Shows people what did not reach a citizen, or may not have: a message in doubt becomes a case."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from call_centre.model import Escalation
from call_centre.protocols import Ownership
from gateway import repository
from gateway.database import Database, utc_now
from gateway.pump import Pump
from gateway.signals import Signals
from gateway.tables import OutboxMessage
from gateway.texts import Texts
from gateway.worker import Cases
from vietnamese.masking import mask

REVIEW = "review"
LEASE = timedelta(minutes=1)

log = structlog.get_logger(__name__)


class Reviewer:
    """Opens a case for each message that failed, or that no echo confirmed in time."""

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
        self._cases = cases
        self._ownership = ownership
        self._texts = texts
        self._clock = clock
        self.pump = Pump(REVIEW, signals, self._claim, self._show, concurrency=1)

    async def _claim(self, limit: int) -> Sequence[OutboxMessage]:
        now = self._clock()
        async with self._database.sessions.begin() as session:
            return await repository.claim_review(session, now, now + LEASE, limit)

    async def _show(self, claimed: OutboxMessage) -> None:
        async with self._database.sessions.begin() as session:
            conversation = await repository.lock_conversation(session, claimed.conversation_id)
            row = await repository.outbox_row(session, claimed.id)
            if row is None or row.review_at is None:
                return  # settled by an echo, or shown by another process
            row.review_at = None
            # The office's own notes (a promise, a thank-you) are not worth anybody's time.
            if row.author == "system" or row.status not in ("failed", "ambiguous"):
                return
            escalation = Escalation(
                reason="technical_failure",
                summary=self._texts["not_arrived_summary"],
                question=mask(await repository.question_of(session, row)),
                intent=None,
                confidence=None,
                topics=(),
                as_of=None,
            )
            await self._cases.open_case(session, conversation.id, conversation.channel, escalation)
            if conversation.owner == "bot":
                await self._ownership.wait(session, conversation.id)
        log.warning("shown_to_agents", outbox_id=claimed.id, status=claimed.status)
