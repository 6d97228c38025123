"""What happens without anybody asking: answers past their undo time leave, closing windows are told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre import repository
from call_centre.services import CaseService

log = structlog.get_logger(__name__)
WARN_EVERY = 30  # rounds


class Chores:
    """Runs beside the pages; several processes may do so at once, each piece of work is taken by one."""

    def __init__(
        self,
        cases: CaseService,
        session_factory: async_sessionmaker[AsyncSession],
        readers: async_sessionmaker[AsyncSession],
        interval: float = 1.0,
    ) -> None:
        self.cases = cases
        self.session_factory = session_factory
        self.readers = readers
        self.interval = interval  # seconds

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Work until the block ends."""
        task = asyncio.create_task(self._work())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def send_due_replies(self) -> None:
        """Hand over the answers that can no longer be undone, each in a transaction of its own."""
        async with self.readers() as session:
            due = await repository.due_reply_ids(session, self.cases.clock())
        for reply_id in due:
            try:
                async with self.session_factory.begin() as session:
                    await self.cases.send_scheduled(session, reply_id)
            except Exception:  # one answer that cannot leave must not hold up the others
                log.exception("scheduled_reply_failed", reply_id=reply_id)

    async def warn(self) -> None:
        """Tell of windows that close soon."""
        async with self.session_factory.begin() as session:
            await self.cases.warn_of_closing_windows(session)

    async def _work(self) -> None:
        rounds = 0
        while True:
            try:
                await self.send_due_replies()
                if rounds % WARN_EVERY == 0:
                    await self.warn()
            except (SQLAlchemyError, OSError) as error:
                log.warning("console_chore_failed", error=type(error).__name__)
            rounds += 1
            await asyncio.sleep(self.interval)
