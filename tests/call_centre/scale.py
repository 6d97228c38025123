"""Compares the list and a case with 100 and with 20,000 cases: `uv run python -m tests.call_centre.scale`."""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import insert, text
from sqlalchemy.ext.asyncio import async_sessionmaker

from call_centre.services import CaseService
from call_centre.tables import Base, Case, CaseEvent, CaseText
from call_centre.web.app import create_console
from knowledge_base.office import load_office

from .conftest import Browser, Sessions, add_agent, make_engine, postgresql_database, sqlite_database
from .fakes import Clock, FakeGateway

NOW = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
WORDS = (
    "thẻ",
    "bảo hiểm",
    "y tế",
    "hộ",
    "gia đình",
    "thai sản",
    "tự nguyện",
    "mức đóng",
    "hồ sơ",
    "nhận tiền",
)
MESSAGES_PER_CASE = 15
PATHS = {
    "waiting": "/",
    "closed": "/?view=closed",
    "all": "/?view=all",
    "search": "/?q=thẻ+bảo+hiểm",
    "case": "/cases/7",
}


async def fill(sessions: Sessions, gateway: FakeGateway, cases: int) -> None:
    """Cases with messages, words to search and events; every second is closed, so that lists are full."""
    rng = random.Random(7)
    for start in range(1, cases + 1, 1000):
        rows, texts, events = [], [], []
        for number in range(start, min(start + 1000, cases + 1)):
            opened = NOW - timedelta(minutes=7 * (cases - number))
            closed = number % 2 == 0
            lines = [" ".join(rng.choices(WORDS, k=12)) for _ in range(MESSAGES_PER_CASE)]
            for at, line in enumerate(lines):
                gateway.say(f"talk-{number}", "citizen" if at % 2 else "bot", line)
            rows.append(
                {
                    "id": number,
                    "conversation_id": f"talk-{number}",
                    "channel": rng.choice(("web_chat", "messenger", "zalo")),
                    "citizen_key": f"citizen-{number // 3}",
                    "state": "closed" if closed else "waiting",
                    "reason": "asked_for_person",
                    "summary": "",
                    "question": lines[0],
                    "topics": [],
                    "opened_at": opened,
                    "due_at": opened + timedelta(hours=2),
                    "last_citizen_at": opened,
                    "unread": 0,
                    "closed_at": opened + timedelta(hours=1) if closed else None,
                    "outcome": "answered" if closed else None,
                }
            )
            words = "\n".join(lines)
            texts.append({"case_id": number, "exact": words, "folded": words})
            events += [
                {"case_id": number, "at": opened, "kind": kind, "detail": {}}
                for kind in ("opened", "citizen_wrote")
            ]
        async with sessions.begin() as session:
            await session.execute(insert(Case), rows)
            await session.execute(insert(CaseText), texts)
            await session.execute(insert(CaseEvent), events)


@asynccontextmanager
async def console_of(cases: int, postgresql: bool) -> AsyncIterator[Browser]:
    """A logged-in agent's browser at a console with so many cases."""
    with tempfile.TemporaryDirectory() as data:
        database = postgresql_database() if postgresql else sqlite_database(Path(data))
        async for url in database:
            engine = make_engine(url)
            async with engine.begin() as connection:
                await connection.run_sync(Base.metadata.create_all)
            sessions = async_sessionmaker(engine, expire_on_commit=False)
            gateway, office = FakeGateway(), load_office()
            service = CaseService(gateway, gateway, gateway, office, Clock(NOW))
            await fill(sessions, gateway, cases)
            async with engine.begin() as connection:
                await connection.execute(text("ANALYZE"))  # as a database in use does by itself
            await add_agent(sessions, "lan")
            async with TestClient(TestServer(create_console(service, sessions, office, "scale"))) as client:
                browser = Browser(client)
                await browser.log_in("lan")
                yield browser
            await engine.dispose()


async def measure(browser: Browser, path: str) -> float:
    """Milliseconds until the page is there."""
    started = time.perf_counter()
    await browser.get(path)
    if browser.status != 200:
        raise SystemExit(f"{path} answered {browser.status}")
    return (time.perf_counter() - started) * 1000


async def compare(small: int, large: int, *, rounds: int, postgresql: bool) -> None:
    """Print both medians and their ratio, the two consoles asked in turn."""
    async with console_of(small, postgresql) as few, console_of(large, postgresql) as many:
        print(f"{'page':10}{small:>12} cases{large:>12} cases    ratio")
        for name, path in PATHS.items():
            times = [(await measure(few, path), await measure(many, path)) for _ in range(rounds)]
            first, second = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{name:10}{first:>15.1f} ms{second:>15.1f} ms {second / first:>8.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    args = parser.parse_args()
    asyncio.run(compare(args.small, args.large, rounds=args.rounds, postgresql=args.postgresql))
