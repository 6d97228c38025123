"""How badly a simulated platform behaves; how it delivers webhooks: repeated, shuffled, until accepted."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields

import aiohttp

Headers = Mapping[str, str]
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)  # seconds before a webhook is repeated


@dataclass
class Controls:
    """Everything is well-behaved until changed; counts go down by one with each use."""

    delay_ms: int = 0  # before a request is answered
    refuse: int = 0  # requests answered with the error `refuse_code`
    refuse_code: int = 0
    fail: int = 0  # requests answered with HTTP 503
    cut: int = 0  # requests carried out, then the connection is cut without an answer
    deliveries: int = 1  # how often each webhook is delivered
    hold: int = 0  # 1: webhooks wait until this is 0 again
    shuffle: int = 0  # 1: webhooks that wait together leave in any order
    batch: int = 1  # events that leave together in one webhook, where the platform batches
    replay: int = 0  # so many of the webhooks accepted last are delivered once more
    echoes: int = 1  # 0: what was sent is not repeated by webhook

    def change(self, given: Mapping[str, object]) -> None:
        """Raises ValueError naming a control that does not exist or is no number."""
        known = {one.name for one in fields(self)}
        changes: dict[str, int] = {}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"there is no control {name!r}; there are {', '.join(sorted(known))}")
            if not isinstance(value, int) or (value < 0 and name != "refuse_code"):
                raise ValueError(f"{name} must be a number")
            changes[name] = int(value)
        for name, number in changes.items():
            setattr(self, name, number)

    def use(self, name: str) -> bool:
        """Whether a counted misbehaviour is due now."""
        left: int = getattr(self, name)
        if left:
            setattr(self, name, left - 1)
        return left > 0


@dataclass(frozen=True)
class Webhook:
    """One call to the gateway; `headers` are made at each attempt, for a repeated one may be signed anew."""

    body: bytes
    headers: Callable[[bytes], Headers]


@dataclass(frozen=True)
class Delivery:
    """One attempt: the gateway's status (0: no answer) and how long it took."""

    body: bytes
    status: int
    seconds: float


@dataclass
class Deliverer:
    """Delivers webhooks in order, again and again until each is accepted or its pauses are used up."""

    url: str
    controls: Controls
    pauses: tuple[float, ...] = PAUSES
    timeout_seconds: float = 2.0
    random: random.Random = field(default_factory=lambda: random.Random(1))
    delivered: list[Delivery] = field(default_factory=list)
    lost: list[bytes] = field(default_factory=list)
    _waiting: list[Webhook] = field(default_factory=list)
    _accepted: list[Webhook] = field(default_factory=list)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _repeating: set[asyncio.Task[None]] = field(default_factory=set)

    def put(self, webhook: Webhook) -> None:
        """Deliver this soon."""
        self._waiting += [webhook] * max(1, self.controls.deliveries)
        self._woken.set()

    def wake(self) -> None:
        """Look at the controls again."""
        self._woken.set()

    @property
    def idle(self) -> bool:
        """Whether nothing waits to be delivered or repeated."""
        return self.unaccepted == 0

    @property
    def unaccepted(self) -> int:
        """How many deliveries wait, or are repeated until the gateway takes them."""
        return len(self._waiting) + len(self._repeating)

    async def run(self) -> None:
        """Deliver until cancelled."""
        timeout = aiohttp.ClientTimeout(total=self.timeout_seconds)
        async with aiohttp.ClientSession(timeout=timeout) as http:
            try:
                while True:
                    await self._woken.wait()
                    self._woken.clear()
                    await self._empty(http)
            finally:
                for task in self._repeating:
                    task.cancel()

    async def _empty(self, http: aiohttp.ClientSession) -> None:
        if self.controls.replay:
            self._waiting += self._accepted[-self.controls.replay :]
            self.controls.replay = 0
        while self._waiting and not self.controls.hold:
            if self.controls.shuffle:
                self.random.shuffle(self._waiting)
            webhook = self._waiting[0]
            if not await self._deliver(http, webhook):
                task = asyncio.create_task(self._repeat(http, webhook))
                self._repeating.add(task)
                task.add_done_callback(self._repeating.discard)
            self._waiting.remove(webhook)

    async def _repeat(self, http: aiohttp.ClientSession, webhook: Webhook) -> None:
        for pause in self.pauses:
            await asyncio.sleep(pause)
            if await self._deliver(http, webhook):
                return
        self.lost.append(webhook.body)

    async def _deliver(self, http: aiohttp.ClientSession, webhook: Webhook) -> bool:
        started = time.monotonic()
        try:
            headers = {"Content-Type": "application/json", **webhook.headers(webhook.body)}
            async with http.post(self.url, data=webhook.body, headers=headers) as response:
                await response.read()
                status = response.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
        self.delivered.append(Delivery(webhook.body, status, time.monotonic() - started))
        if status == 200:
            self._accepted.append(webhook)
        return status == 200
