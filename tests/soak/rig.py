"""A gateway process between a simulated Meta and a fast fake Rasa, and what became of every message."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer, unused_port
from sqlalchemy import select, update

from call_centre.tables import Case
from gateway.__main__ import main
from gateway.channels.messenger import WEBHOOK
from gateway.database import Database, utc_now
from gateway.schema import upgrade
from gateway.settings import read_settings
from gateway.tables import Conversation, InboxMessage, OutboxMessage, Turn
from simulators.meta import MetaSimulator, environment
from tests.gateway.fakes import FakeRasa, said

PATIENCE_SECONDS = 600.0
UNTIL_ACCEPTED = (0.3,) * 1_000  # Meta repeats for hours; here it repeats fast


# Each gateway is a process of its own, forked from one that has done the imports: those take longer
# than everything else between two kills.
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["gateway.app", "gateway.__main__"])


def serve_gateway(variables: dict[str, str], log: Path) -> None:
    """What `python -m gateway serve` does, in the process it is called in."""
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(variables)
    sys.exit(main(["serve"]))


@dataclass
class Rig:
    """Everything around the gateway process."""

    environment: dict[str, str]
    url: str
    log: Path
    meta: MetaSimulator
    rasa: FakeRasa
    process: ForkServerProcess | None = None

    async def start(self) -> None:
        """Start the gateway, without waiting until it listens."""
        self.process = PROCESSES.Process(target=serve_gateway, args=(self.environment, self.log))
        await asyncio.to_thread(self.process.start)

    async def end(self, how: signal.Signals) -> None:
        """Stop the gateway."""
        assert self.process is not None
        assert self.process.pid is not None
        if self.process.is_alive():
            os.kill(self.process.pid, how)
        await asyncio.to_thread(self.process.join)

    async def listening(self) -> None:
        """Wait until the gateway takes requests."""
        async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{self.url}/healthz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientConnectionError:
                    await asyncio.sleep(0.1)  # not listening yet

    async def drained(self) -> None:
        """Wait until every webhook is accepted, every message answered, every answer sent or given up."""
        database = Database(self.environment["DATABASE_URL"])
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                # Another process owns the database: there is nothing to be woken by.
                while not (self.meta.deliverer.idle and await _drained(database)):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)
        finally:
            await database.close()


@asynccontextmanager
async def rig(data_dir: Path, delay_seconds: float = 0.0) -> AsyncIterator[Rig]:
    """Simulators on ports of their own and a migrated database; the gateway is left to the caller.

    `delay_seconds` is how long the fake Rasa takes for an answer.
    """

    async def slowly(body: dict[str, Any]) -> list[dict[str, Any]]:
        await asyncio.sleep(delay_seconds)
        return said(body)

    rasa = FakeRasa()
    rasa.behave = slowly
    await rasa.start()
    port = unused_port()
    url = f"http://127.0.0.1:{port}"
    meta = MetaSimulator(f"{url}{WEBHOOK}", per_second=100_000, pauses=UNTIL_ACCEPTED)
    api = TestServer(meta.app())
    await api.start_server()
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ZALO_", "MESSENGER_"))},
        **environment(meta.account, str(api.make_url("")).rstrip("/")),
        "GATEWAY_PORT": str(port),
        "RASA_PORT": str(rasa.port),
        "DATA_DIR": str(data_dir),
        "DATABASE_URL": f"sqlite+aiosqlite:///{data_dir / 'assistant.db'}",
    }
    await asyncio.to_thread(upgrade, read_settings(variables).database_url)
    made = Rig(variables, url, data_dir / "gateway.log", meta, rasa)
    try:
        yield made
    finally:
        if made.process is not None:
            await made.end(signal.SIGKILL)
        await api.close()
        await rasa.stop()


async def _drained(database: Database) -> bool:
    async with database.sessions.begin() as session:
        # No echo can come any more once every webhook was accepted: the time to wait for one is over.
        waiting = update(OutboxMessage).where(OutboxMessage.review_at.is_not(None))
        await session.execute(waiting.values(review_at=utc_now()))
        open_inbox = await session.scalar(select(InboxMessage.id).where(InboxMessage.status != "done"))
        unsettled = OutboxMessage.status.in_(("queued", "sending")) | OutboxMessage.review_at.is_not(None)
        return open_inbox is None and await session.scalar(select(OutboxMessage.id).where(unsettled)) is None


@dataclass(frozen=True)
class Outcome:
    """What became of the acknowledged messages; the last three must be 0."""

    acknowledged: int
    answered: int
    in_queue: int
    lost: int
    duplicated: int
    out_of_order: int

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged: {self.answered} answered once, {self.in_queue} in the queue, "
            f"{self.lost} lost, {self.duplicated} duplicated, {self.out_of_order} out of order"
        )

    @property
    def good(self) -> bool:
        return not (self.lost or self.duplicated or self.out_of_order)


async def outcome(made: Rig, acknowledged: set[str]) -> Outcome:
    """Compare what was acknowledged with what citizens were sent and what agents have in the queue."""
    database = Database(made.environment["DATABASE_URL"])
    try:
        async with database.readers() as session:
            rows = await session.execute(
                select(InboxMessage, Conversation.citizen_id)
                .join(Conversation, Conversation.id == InboxMessage.conversation_id)
                .order_by(InboxMessage.id)
            )
            received = [(message, citizen) for message, citizen in rows]
            cases = set((await session.execute(select(Case.conversation_id))).scalars())
            # Only a message of its own doubt or failure counts: another one's case does not excuse it.
            doubtful = select(OutboxMessage.in_reply_to).where(
                OutboxMessage.status.in_(("ambiguous", "failed")), OutboxMessage.author == "bot"
            )
            failed = select(Turn.inbox_id).where(Turn.failure.is_not(None))
            excused = {
                *(await session.execute(doubtful)).scalars(),
                *(await session.execute(failed)).scalars(),
            }
    finally:
        await database.close()
    told: dict[str, list[str]] = {}
    for one in made.meta.sent:
        told.setdefault(one["citizen"], []).append(one["text"])
    counts = {citizen: Counter(texts) for citizen, texts in told.items()}
    answered = in_queue = lost = duplicated = out_of_order = 0
    expected: dict[str, list[str]] = {}
    for message, citizen in received:
        acknowledged.discard(message.message_id)
        answer = f"Đáp: {message.text}"
        times = counts.get(citizen, Counter())[answer]
        if times:
            expected.setdefault(citizen, []).append(answer)
        answered += times == 1
        duplicated += times > 1
        shown = message.id in excused and message.conversation_id in cases
        in_queue += times == 0 and shown
        lost += times == 0 and not shown
    for citizen, answers in expected.items():
        given = [text for text in told[citizen] if text in set(answers)]
        out_of_order += given != answers and not duplicated
    # Whatever was acknowledged and is not even in the inbox is lost too.
    missing = len(acknowledged)
    return Outcome(len(received) + missing, answered, in_queue, lost + missing, duplicated, out_of_order)


def acknowledged(made: Rig) -> set[str]:
    """Ids of the citizens' messages whose webhook was answered 200."""
    found = set()
    for delivery in made.meta.deliverer.delivered:
        if delivery.status == 200:
            for entry in json.loads(delivery.body)["entry"]:
                for item in entry.get("messaging", ()):
                    message = item.get("message", {})
                    if message and not message.get("is_echo"):
                        found.add(message["mid"])
    return found
