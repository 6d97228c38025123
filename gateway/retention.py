"""Deletes what is older than the periods of `office.yml`: every night while serving, or on command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from functools import partial
from typing import TypeVar

import structlog
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from call_centre.retention import QueueRetention
from call_centre.services import CaseService
from call_centre.working_hours import OFFICE_TIME
from gateway import repository
from gateway.conversations import StoredConversations
from gateway.database import Database, utc_now
from gateway.outbox import StoredOutbox
from gateway.ownership import ConversationOwnership
from gateway.schema import is_current
from gateway.settings import Settings, SettingsError
from gateway.signals import Signals
from knowledge_base.office import Retention, load_office

BATCH = 100  # cases, conversations, messages or lines of the audit trail in one transaction
STOP_SECONDS = 10.0
GIVE_WAY_SECONDS = 0.5  # at most, before each transaction, to what is being accepted
NIGHT = time(2, 30)  # in the office's time
AGAIN_AFTER = timedelta(hours=1)  # when the database was away

Result = TypeVar("Result")

log = structlog.get_logger(__name__)


@dataclass
class Counts:
    """What was deleted, or would be."""

    conversations: int = 0  # those of which nothing is left
    messages: int = 0  # in either direction
    cases: int = 0
    audit_records: int = 0
    log_ins: int = 0  # sessions of the console, and names with failed log-ins


class Purge:
    """Deletes in short transactions; several processes may do so at once, each row is deleted by one.

    A closed case goes `conversations_days` after the last thing that happened to it, a message
    `conversations_days` after it was written, unless its conversation has an open case or it is still to be
    answered or sent; a conversation goes with the last of its messages and cases. The audit trail outlives
    them: its lines go after `audit_days`.
    """

    def __init__(
        self,
        database: Database,
        cases: CaseService,
        signals: Signals,
        retention: Retention,
        *,
        clock: Callable[[], datetime] = utc_now,
        batch: int = BATCH,
    ) -> None:
        self._database = database
        self._queue = QueueRetention(cases)
        self._signals = signals
        self._retention = retention
        self._clock = clock
        self._batch = batch
        self._stop = asyncio.Event()
        self.failed = 0  # transactions that were given up

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Purge at once and then every night until the block ends."""
        task = asyncio.create_task(self._nightly(), name="retention")
        try:
            yield
        finally:
            self._stop.set()
            # What is under way is one short transaction, unless the database hangs.
            _, late = await asyncio.wait({task}, timeout=STOP_SECONDS)
            for one in late:
                one.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def run(self) -> Counts:
        """Delete everything that is over; how much that was."""
        now = self._clock()
        before = self._conversations_before(now)
        counts = Counts()
        self.failed = 0
        async for cases in self._cases(before):
            counts.cases += await self._attempt(partial(self._forget_cases, cases, before)) or 0
        async for conversations in self._conversations(before):
            await self._attempt(partial(self._forget_messages, conversations, before, counts))
        while deleted := await self._attempt(partial(self._forget_events, now)) or 0:
            counts.audit_records += deleted
        counts.log_ins += await self._attempt(partial(self._forget_log_ins, now)) or 0
        if counts.cases or counts.messages:
            await self._attempt(self._compact_search)
        if counts != Counts():
            await self._attempt(partial(self._record, now, counts))
        log.info("purged", **asdict(counts), failed=self.failed, stopped=self._stop.is_set())
        return counts

    async def preview(self) -> Counts:
        """How much `run` would delete now; nothing is locked or written."""
        now = self._clock()
        before = self._conversations_before(now)
        counts = Counts()
        async for cases in self._cases(before):
            counts.cases += len(cases)
        async for conversations in self._conversations(before):
            async with self._database.readers() as session:
                holding = await self._queue.holding(session, conversations, before)
                free = [one for one in conversations if one not in holding.open]
                counts.messages += await repository.count_old_messages(session, free, before)
                left = [one for one in free if one not in holding.closed]
                counts.conversations += await repository.count_abandoned(session, left, before)
        async with self._database.readers() as session:
            counts.audit_records = await self._queue.count_events(session, self._audit_before(now))
            counts.log_ins = await self._queue.count_log_ins(session, now)
        log.info("purge_previewed", **asdict(counts))
        return counts

    def _conversations_before(self, now: datetime) -> datetime:
        return now - timedelta(days=self._retention.conversations_days)

    def _audit_before(self, now: datetime) -> datetime:
        return now - timedelta(days=self._retention.audit_days)

    # --- what is to be looked at, page by page ---

    async def _cases(self, before: datetime) -> AsyncIterator[list[tuple[int, str]]]:
        after = 0
        while not self._stop.is_set():
            async with self._database.readers() as session:
                page = await self._queue.cases_over(session, before, after=after, limit=self._batch)
            if not page:
                return
            yield page
            after = page[-1][0]

    async def _conversations(self, before: datetime) -> AsyncIterator[Sequence[str]]:
        after = ""
        while not self._stop.is_set():
            async with self._database.readers() as session:
                page = await repository.conversations_begun(session, before, after=after, limit=self._batch)
                found = await repository.conversations_to_purge(session, page, before)
            if not page:
                return
            if found:
                yield found
            after = page[-1]

    # --- one transaction each ---

    async def _attempt(self, work: Callable[[], Awaitable[Result]]) -> Result | None:
        """The result of some work, None when it failed: what it would have deleted is left for next time."""
        if self._stop.is_set():
            return None
        await self._signals.calm(GIVE_WAY_SECONDS)
        try:
            return await work()
        except DBAPIError:
            self.failed += 1
            log.exception("purge_batch_failed")
            return None

    async def _forget_cases(self, cases: Sequence[tuple[int, str]], before: datetime) -> int:
        async with self._database.sessions.begin() as session:
            await repository.overwrite_deleted(session)
            free = set(await repository.lock_free_conversations(session, {talk for _, talk in cases}))
            return await self._queue.delete_cases(
                session, [case_id for case_id, talk in cases if talk in free], before
            )

    async def _forget_messages(self, conversations: Sequence[str], before: datetime, counts: Counts) -> None:
        """Delete what is old of some conversations, and those of which nothing is left."""
        deleted = self._batch
        while deleted == self._batch and not self._stop.is_set():
            async with self._database.sessions.begin() as session:
                await repository.overwrite_deleted(session)
                locked = await repository.lock_free_conversations(session, conversations)
                holding = await self._queue.holding(session, locked, before)
                free = [one for one in locked if one not in holding.open]
                deleted = await repository.delete_old_messages(session, free, before, self._batch)
                await repository.delete_old_buttons(session, free, before)
                if deleted:
                    await self._queue.index_again(session, holding.closed, before)
                left = [one for one in free if one not in holding.closed]
                rest = deleted < self._batch
                gone = await repository.delete_abandoned(session, left, before) if rest else 0
            counts.messages += deleted
            counts.conversations += gone

    async def _forget_events(self, now: datetime) -> int:
        async with self._database.sessions.begin() as session:
            return await self._queue.delete_events(session, self._audit_before(now), self._batch)

    async def _forget_log_ins(self, now: datetime) -> int:
        async with self._database.sessions.begin() as session:
            return await self._queue.delete_log_ins(session, now)

    async def _compact_search(self) -> None:
        more = begin = True
        while more and not self._stop.is_set():
            async with self._database.sessions.begin() as session:
                await repository.overwrite_deleted(session)
                more = await self._queue.compact_search(session, begin=begin)
            begin = False

    async def _record(self, now: datetime, counts: Counts) -> None:
        async with self._database.sessions.begin() as session:
            self._queue.record(session, now, asdict(counts))

    async def _nightly(self) -> None:
        while not self._stop.is_set():
            try:
                await self.run()
                pause = until_night(self._clock())
            except Exception:  # whatever it is, serving goes on, and tomorrow it is tried again
                log.exception("purge_failed")
                pause = AGAIN_AFTER
            with suppress(TimeoutError):
                async with asyncio.timeout(pause.total_seconds()):
                    await self._stop.wait()


def until_night(now: datetime) -> timedelta:
    """How long it is until the office is next asleep."""
    local = now.astimezone(OFFICE_TIME)
    night = datetime.combine(local.date(), NIGHT, OFFICE_TIME)
    return (night if night > local else night + timedelta(days=1)) - local


# --- the command ---------------------------------------------------------------------------------


def purge(settings: Settings, *, dry_run: bool) -> int:
    """Delete, or only count; print the counts. Raises SettingsError, PurgeError."""
    try:
        return asyncio.run(_purge(settings, dry_run))
    except (SQLAlchemyError, OSError) as error:
        raise PurgeError(
            f"the database of DATABASE_URL cannot be used ({type(error).__name__}); "
            "uv run python -m gateway doctor says more"
        ) from error


class PurgeError(Exception):
    """Why not everything was deleted, in one sentence."""


async def _purge(settings: Settings, dry_run: bool) -> int:
    office = load_office()
    database = Database(settings.database_url)
    try:
        if not await is_current(database.engines[0], settings.database_url):
            raise SettingsError("the database is not up to date; run: uv run python -m gateway migrate")
        signals = Signals()
        cases = CaseService(
            StoredOutbox(signals), ConversationOwnership(signals), StoredConversations(), office
        )
        work = Purge(database, cases, signals, office.retention)
        counts = await (work.preview() if dry_run else work.run())
    finally:
        await database.close()
    print("Would delete:" if dry_run else "Deleted:")
    for name, count in asdict(counts).items():
        print(f"  {name.replace('_', ' '):<14} {count:>8}")
    if work.failed:
        raise PurgeError(
            f"{work.failed} transactions failed; the log says why, and the next purge tries again"
        )
    return 0
