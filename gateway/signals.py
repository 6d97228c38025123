"""Wakes whoever waits for news inside this process; other processes notice by polling."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

INBOX = "inbox"
OUTBOX = "outbox"
CALM = "calm"


class Signals:
    """Events by key: `inbox`, `outbox`, `calm` or a conversation's id."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}
        self._arriving = 0
        self.closing = False

    def wake(self, *keys: str) -> None:
        """Set the events of everybody who waits for one of the keys."""
        for key in keys:
            for waiting in self._events.get(key, ()):
                waiting.set()

    def wake_after_commit(self, session: AsyncSession, *keys: str) -> None:
        """Wake them once the session's transaction is committed."""
        event.listen(session.sync_session, "after_commit", lambda _session: self.wake(*keys), once=True)

    @contextmanager
    def subscribe(self, key: str) -> Iterator[asyncio.Event]:
        """An event that is set at every wake-up for `key`; whoever waits clears it."""
        waiting = asyncio.Event()
        waiters = self._events.setdefault(key, set())
        waiters.add(waiting)
        try:
            yield waiting
        finally:
            waiters.discard(waiting)
            if not waiters and self._events.get(key) is waiters:
                del self._events[key]

    @contextmanager
    def arriving(self) -> Iterator[None]:
        """While something is being accepted that its sender waits to have acknowledged."""
        self._arriving += 1
        try:
            yield
        finally:
            self._arriving -= 1
            if not self._arriving:
                self.wake(CALM)

    async def calm(self, seconds: float) -> None:
        """Wait until nothing is being accepted, at most `seconds`: work that can wait lets it through."""
        with self.subscribe(CALM) as woken:
            if self._arriving:
                await wait_for(woken, seconds)

    def close(self) -> None:
        """Wake everybody, to go home."""
        self.closing = True
        self.wake(*self._events)


async def wait_for(waiting: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most `seconds`; clear it."""
    try:
        async with asyncio.timeout(seconds):
            await waiting.wait()
    except TimeoutError:
        pass  # polling is the other way news arrives
    waiting.clear()
