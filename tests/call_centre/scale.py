"""Compares pages with 100 and with 20,000 cases, over the gateway's own tables.

`uv run python -m tests.call_centre.scale` on SQLite, with `--postgresql` on PostgreSQL.
"""

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

from call_centre import repository
from call_centre.services import CaseService, searchable
from call_centre.tables import Case, CaseEvent
from call_centre.web.app import create_console
from gateway.conversations import StoredConversations
from gateway.database import Database, Sessions
from gateway.outbox import StoredOutbox
from gateway.ownership import ConversationOwnership
from gateway.schema import upgrade
from gateway.signals import Signals
from gateway.tables import Conversation, InboxMessage, OutboxMessage, Turn
from knowledge_base.office import load_office
from vietnamese.text import fold

from .conftest import Browser, add_agent, postgresql_database, sqlite_database
from .fakes import Clock

NOW = datetime(2026, 11, 23, 1, 15, tzinfo=UTC)
# The commonest first.
SENTENCE = (
    "thẻ bảo hiểm y tế hộ gia đình thai sản tự nguyện mức đóng hồ sơ nhận tiền tháng năm người con "
    "được bao nhiêu khi nào ở đâu làm sao giấy tờ mất đổi gia hạn nghỉ sinh lương hưu một lần thất nghiệp"
)
WORDS = SENTENCE.split()
RARE = "tử tuất hàng tháng"
RARE_EVERY = 2_000  # cases
MESSAGES_PER_CASE = 15
CASE = 7  # which has the rare words
PATHS = {
    "waiting": "/",
    "next page": "/?view=waiting&after={cursor}",
    "closed": "/?view=closed",
    "all": "/?view=all",
    "one channel": "/?view=all&channel=zalo",
    "find common": "/?q=the+bao+hiem",
    "find exact": '/?q="thẻ+bảo"',
    "find rare": "/?q=tu+tuat",
    "case": f"/cases/{CASE}",
    "timeline": f"/cases/{CASE}/timeline",
}


async def fill(sessions: Sessions, cases: int) -> None:
    """Conversations with messages and turns, their cases, words and events; every second case is closed."""
    rng = random.Random(7)
    weights = [1 / rank for rank in range(1, len(WORDS) + 1)]
    for start in range(1, cases + 1, 1000):
        talks, received, written, turns, rows, events = [], [], [], [], [], []
        words: dict[int, str] = {}
        for number in range(start, min(start + 1000, cases + 1)):
            opened = NOW - timedelta(minutes=7 * (cases - number))
            closed = number % 2 == 0
            talk, channel = f"{number:032x}", rng.choice(("web_chat", "messenger", "zalo"))
            lines = [" ".join(rng.choices(WORDS, weights, k=12)) for _ in range(MESSAGES_PER_CASE)]
            if number % RARE_EVERY == CASE:
                lines[0] = f"cho em hỏi {RARE}"
            talks.append(
                {
                    "id": talk,
                    "channel": channel,
                    "account": "office",
                    "citizen_id": f"citizen-{number}",
                    "owner": "bot" if closed else "waiting",
                    "rasa_conversation_id": talk,
                    "last_citizen_at": opened,
                    "created_at": opened,
                }
            )
            for at, line in enumerate(lines):
                moment = opened + timedelta(seconds=20 * at)
                inbox_id = number * 100 + at // 2
                if at % 2 == 0:
                    received.append(
                        {
                            "id": inbox_id,
                            "channel": channel,
                            "account": "office",
                            "message_id": f"{talk}-{at}",
                            "conversation_id": talk,
                            "received_at": moment,
                            "kind": "text",
                            "text": line,
                            "status": "done",
                        }
                    )
                    turns.append(
                        {
                            "inbox_id": inbox_id,
                            "conversation_id": talk,
                            "outcome": "answered",
                            "topics": ["health.lost_card"],
                            "citations": [],
                            "latency_ms": 100,
                            "created_at": moment,
                        }
                    )
                else:
                    written.append(
                        {
                            "conversation_id": talk,
                            "in_reply_to": inbox_id,
                            "author": "bot",
                            "text": line,
                            "buttons": [],
                            "status": "sent",
                            "created_at": moment,
                            "sent_at": moment,
                        }
                    )
            rows.append(
                {
                    "id": number,
                    "conversation_id": talk,
                    "channel": channel,
                    "citizen_key": f"citizen-{number}",
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
            words[number] = "\n".join(lines)
            events += [
                {"case_id": number, "at": opened, "kind": kind, "detail": {}}
                for kind in ("opened", "citizen_wrote")
            ]
        async with sessions.begin() as session:
            for table, values in (
                (Conversation, talks),
                (InboxMessage, received),
                (OutboxMessage, written),
                (Turn, turns),
                (Case, rows),
                (CaseEvent, events),
            ):
                await session.execute(insert(table), values)
            for number, said in words.items():
                await repository.index_case(
                    session, number, " ".join(searchable(said)), " ".join(searchable(fold(said)))
                )


@asynccontextmanager
async def console_of(cases: int, postgresql: bool) -> AsyncIterator[Browser]:
    """A logged-in agent's browser at a console with so many cases."""
    with tempfile.TemporaryDirectory() as data:
        async for url in postgresql_database() if postgresql else sqlite_database(Path(data)):
            await asyncio.to_thread(upgrade, url)
            database = Database(url)
            await fill(database.sessions, cases)
            async with database.engines[0].begin() as connection:
                await connection.execute(text("ANALYZE"))  # as a database in use does by itself
            await add_agent(database.sessions, "lan")
            signals = Signals()
            service = CaseService(
                StoredOutbox(signals),
                ConversationOwnership(signals),
                StoredConversations(),
                load_office(),
                Clock(NOW),
            )
            app = create_console(
                service, database.sessions, service.office, "scale", readers=database.readers
            )
            async with TestClient(TestServer(app)) as client:
                browser = Browser(client)
                await browser.log_in("lan")
                yield browser
            await database.close()


async def measure(browser: Browser, path: str) -> float:
    """Milliseconds until the page is there."""
    started = time.perf_counter()
    await browser.get(path)
    if browser.status != 200:
        raise SystemExit(f"{path} answered {browser.status}")
    return (time.perf_counter() - started) * 1000


async def next_page(browser: Browser) -> str:
    """The cursor of the second page; empty where there is none: the first page is asked again."""
    return (await browser.get("/")).partition("after=")[2].partition('"')[0]


async def compare(small: int, large: int, *, rounds: int, postgresql: bool) -> None:
    """Print both medians and their ratio, the two consoles asked in turn."""
    async with console_of(small, postgresql) as few, console_of(large, postgresql) as many:
        cursors = [await next_page(browser) for browser in (few, many)]
        print(f"{'page':12}{small:>12} cases{large:>12} cases    ratio")
        for name, path in PATHS.items():
            first, second = (path.format(cursor=cursor) for cursor in cursors)
            times = [(await measure(few, first), await measure(many, second)) for _ in range(rounds)]
            before, after = (statistics.median(column) for column in zip(*times, strict=True))
            print(f"{name:12}{before:>15.1f} ms{after:>15.1f} ms {after / before:>8.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", type=int, default=100)
    parser.add_argument("--large", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--postgresql", action="store_true", help="on PostgreSQL instead of SQLite")
    args = parser.parse_args()
    asyncio.run(compare(args.small, args.large, rounds=args.rounds, postgresql=args.postgresql))
