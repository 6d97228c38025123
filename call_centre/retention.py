"""What the queue keeps no longer: closed cases, old lines of the audit trail, ended sessions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from call_centre import repository
from call_centre.model import State
from call_centre.services import CaseService

SESSIONS_FOR = timedelta(days=30)  # after they expired; the audit trail tells of log-ins for longer
THROTTLES_FOR = timedelta(days=1)  # a password typed as a name is not kept


@dataclass(frozen=True)
class Holding:
    """Conversations that cases still refer to."""

    open: frozenset[str]  # kept whole
    closed: frozenset[str]  # their old messages go, they stay


class QueueRetention:
    """Deletes inside the caller's transaction; the conversations concerned are locked before."""

    def __init__(self, cases: CaseService) -> None:
        self.cases = cases

    async def cases_over(
        self, session: AsyncSession, before: datetime, *, after: int, limit: int
    ) -> list[tuple[int, str]]:
        """Ids above one, and conversations, of closed cases to which nothing happened since."""
        return await repository.cases_over(session, before, after=after, limit=limit)

    async def delete_cases(self, session: AsyncSession, case_ids: Collection[int], before: datetime) -> int:
        """Delete those of the cases that are still over; how many. The audit trail stays."""
        return await repository.delete_cases(session, case_ids, before)

    async def holding(
        self, session: AsyncSession, conversation_ids: Collection[str], before: datetime
    ) -> Holding:
        """Which of the conversations cases refer to that are not over."""
        kept = await repository.cases_kept(session, conversation_ids, before)
        still_open = {case.conversation_id for case in kept if case.state != State.CLOSED}
        closed = {case.conversation_id for case in kept} - still_open
        return Holding(frozenset(still_open), frozenset(closed))

    async def index_again(
        self, session: AsyncSession, conversation_ids: Collection[str], before: datetime
    ) -> None:
        """Let search find nothing of these conversations that was deleted."""
        await self.cases.index_again(session, await repository.cases_kept(session, conversation_ids, before))

    async def delete_events(self, session: AsyncSession, before: datetime, limit: int) -> int:
        """Delete the oldest lines of the audit trail before a moment, at most `limit`; how many."""
        return await repository.delete_events(session, before, limit)

    async def delete_log_ins(self, session: AsyncSession, now: datetime) -> int:
        """Delete sessions that ended long ago and names locked out long ago; how many."""
        return await repository.delete_sessions(
            session, now - SESSIONS_FOR
        ) + await repository.delete_throttles(session, now - THROTTLES_FOR, now)

    async def count_events(self, session: AsyncSession, before: datetime) -> int:
        """How many lines of the audit trail are older."""
        return await repository.count_events(session, before)

    async def count_log_ins(self, session: AsyncSession, now: datetime) -> int:
        """How many sessions and names `delete_log_ins` would delete."""
        return await repository.count_sessions(
            session, now - SESSIONS_FOR
        ) + await repository.count_throttles(session, now - THROTTLES_FOR, now)

    async def compact_search(self, session: AsyncSession, *, begin: bool) -> bool:
        """Rewrite a part of the search index without what was deleted; whether more is left to do."""
        return await repository.compact_search(session, begin=begin)

    def record(self, session: AsyncSession, at: datetime, counts: dict[str, int]) -> None:
        """Add to the audit trail how much was deleted."""
        repository.append_event(session, None, at, "purged", None, **counts)
