"""Tells open pages that a case changed, by following the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre import repository
from call_centre.tables import CaseEvent

log = structlog.get_logger(__name__)

# PostgreSQL hands out ids before commit, so an older id can appear after a newer one was read: the last
# ids are read again and those already told are left out.
OVERLAP = 200
BACKLOG = 500  # events a page that was away is told one by one


class LiveFeed:
    """One poll of the newest event serves every open page, in this process and in any other."""

    def __init__(self, session_factory: async_sessionmaker[AsyncSession], interval: float = 1.0) -> None:
        self.session_factory = session_factory
        self.interval = interval  # seconds
        self._listeners: set[asyncio.Queue[CaseEvent | None]] = set()
        self._told: set[int] = set()
        self._last = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the trail until the block ends."""
        async with self.session_factory() as session:
            self._last = await repository.last_event_id(session)
            recent = await repository.case_events_after(session, self._last - OVERLAP, OVERLAP)
        self._told = {event.id for event in recent}
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    def stop(self) -> None:
        """Ask every open page's stream to end, so that the server can stop."""
        for listener in self._listeners:
            listener.put_nowait(None)

    @asynccontextmanager
    async def listen(self) -> AsyncIterator[asyncio.Queue[CaseEvent | None]]:
        """Events from now on; None means that the server stops."""
        listener: asyncio.Queue[CaseEvent | None] = asyncio.Queue()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def missed(self, after: int) -> list[CaseEvent]:
        """What a page that was away has not been told."""
        async with self.session_factory() as session:
            return list(await repository.case_events_after(session, after, BACKLOG))

    async def _follow(self) -> None:
        while True:
            try:
                await self._tell()
            except (SQLAlchemyError, OSError) as error:
                log.warning("live_feed_poll_failed", error=str(error))
            await asyncio.sleep(self.interval)

    async def _tell(self) -> None:
        async with self.session_factory() as session:
            events = await repository.case_events_after(session, self._last - OVERLAP, OVERLAP + BACKLOG)
        for event in events:
            if event.id not in self._told:
                for listener in self._listeners:
                    listener.put_nowait(event)
        if events:
            self._last = max(self._last, events[-1].id)
            self._told = {event.id for event in events if event.id > self._last - OVERLAP}
