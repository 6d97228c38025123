"""Takes jobs from a table and handles several at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import structlog

from gateway.signals import Signals, wait_for

Job = TypeVar("Job")
GIVE_WAY_SECONDS = 0.5  # at most, to what is being accepted; then answering goes on all the same
log = structlog.get_logger(__name__)


class Pump(Generic[Job]):
    """Claims jobs while there are any, then waits for a signal or the next poll.

    `claim` is asked for as many as can be handled now. Whatever it hands out must be safe to handle at the
    same time as the rest, and as what it handed out before.
    """

    def __init__(
        self,
        name: str,
        signals: Signals,
        claim: Callable[[int], Awaitable[Sequence[Job]]],
        handle: Callable[[Job], Awaitable[None]],
        *,
        concurrency: int = 8,
        poll_seconds: float = 1.0,
    ) -> None:
        self._name = name
        self._signals = signals
        self._claim = claim
        self._handle = handle
        self._concurrency = concurrency
        self._poll_seconds = poll_seconds
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None
        self._stopping = False

    def start(self) -> None:
        """Begin in the background."""
        self._loop = asyncio.create_task(self._run(), name=self._name)

    async def stop(self, grace_seconds: float) -> None:
        """Claim nothing more, let running jobs finish for a while, then cancel them."""
        self._stopping = True
        self._signals.wake(self._name)
        if self._loop is not None:
            await self._loop
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=grace_seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _run(self) -> None:
        with self._signals.subscribe(self._name) as woken:
            while not self._stopping:
                free = self._concurrency - len(self._running)
                jobs = await self._next(free) if free else ()
                for job in jobs:
                    task = asyncio.create_task(self._guarded(job))
                    self._running.add(task)
                    task.add_done_callback(self._finished)
                if len(jobs) < free or not free:
                    await wait_for(woken, self._poll_seconds)

    async def _next(self, free: int) -> Sequence[Job]:
        await self._signals.calm(GIVE_WAY_SECONDS)
        try:
            return await self._claim(free)
        except Exception:
            # The database is away; the table keeps the work until it is back.
            log.exception("claim_failed", pump=self._name)
            return ()

    async def _guarded(self, job: Job) -> None:
        try:
            await self._handle(job)
        except Exception:
            # The job's lease runs out and it is claimed again.
            log.exception("job_failed", pump=self._name)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._signals.wake(self._name)
