"""Does together what was asked for at the same time: while one lot is under way, the next gathers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

Item = TypeVar("Item")
Result = TypeVar("Result")

# The database is away or busy: trying the items one by one would not help them.
AWAY = (OperationalError, PoolTimeout, OSError)


class Gathering(Generic[Item, Result]):
    """One lot at a time, in the order of asking; everybody waits for their own result.

    `work` gives a result for each item. A lot that fails is done again item by item, so that nothing
    fails for what stood beside it.
    """

    def __init__(
        self, work: Callable[[Sequence[Item]], Awaitable[Sequence[Result]]], most: int = 100
    ) -> None:
        self._work = work
        self._most = most
        self._waiting: deque[tuple[Item, asyncio.Future[Result]]] = deque()
        self._working: asyncio.Task[None] | None = None

    async def do(self, item: Item) -> Result:
        """The item's result, or what `work` raised for it. Cancelling the caller leaves the work as it is."""
        asked: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, asked))
        if self._working is None:
            self._working = asyncio.create_task(self._run(), name="gathering")
        return await asked

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._do([self._waiting.popleft() for _ in range(min(len(self._waiting), self._most))])
        finally:
            self._working = None

    async def _do(self, lot: Sequence[tuple[Item, asyncio.Future[Result]]]) -> None:
        try:
            results = await self._work([item for item, _ in lot])
        except Exception as error:
            if len(lot) > 1 and not isinstance(error, AWAY):
                for one in lot:
                    await self._do([one])
                return
            for _, asked in lot:
                if not asked.done():
                    asked.set_exception(error)
        else:
            for (_, asked), result in zip(lot, results, strict=True):
                if not asked.done():  # whoever asked may have gone
                    asked.set_result(result)
