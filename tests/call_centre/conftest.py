"""Fixtures of the queue: both databases, the fake gateway, agents, and the console over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from aiohttp.test_utils import TestClient
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from call_centre.accounts import hash_password, new_agent
from call_centre.model import Escalation, OpenedCase, Reason, Role
from call_centre.services import CaseService
from call_centre.tables import Agent, Base
from call_centre.web.app import create_console
from knowledge_base.office import Office, load_office
from tests import postgresql

from .fakes import Clock, FakeGateway

PASSWORD = "mật khẩu dài và dễ nhớ"
Sessions = async_sessionmaker[AsyncSession]


async def postgresql_database() -> AsyncIterator[str]:
    name = f"call_centre_{secrets.token_hex(6)}"
    try:
        server = await asyncpg.connect(postgresql.URL, timeout=5)
    except (OSError, asyncpg.PostgresError) as error:
        postgresql.unreachable(error)
    try:
        await server.execute(f'CREATE DATABASE "{name}"')
        yield postgresql.URL.replace("postgresql://", "postgresql+asyncpg://").rpartition("/")[0] + f"/{name}"
        await server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await server.close()


async def sqlite_database(folder: Path) -> AsyncIterator[str]:
    yield f"sqlite+aiosqlite:///{folder / 'queue.db'}"


def make_engine(url: str) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": 30})
    if url.startswith("sqlite"):

        @event.listens_for(engine.sync_engine, "connect")
        def prepare(connection: object, _: object) -> None:
            cursor = connection.cursor()  # type: ignore[attr-defined]
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA foreign_keys=ON")
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.close()

    return engine


@pytest.fixture(params=["sqlite", "postgresql"])
async def sessions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Sessions]:
    database = postgresql_database() if request.param == "postgresql" else sqlite_database(tmp_path)
    async for url in database:
        engine = make_engine(url)
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield async_sessionmaker(engine, expire_on_commit=False)
        await engine.dispose()


@pytest.fixture
async def sqlite(tmp_path: Path) -> AsyncIterator[Sessions]:
    engine = make_engine(f"sqlite+aiosqlite:///{tmp_path / 'console.db'}")
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


@pytest.fixture
def office() -> Office:
    return load_office()


@pytest.fixture
def gateway(clock: Clock) -> FakeGateway:
    return FakeGateway(clock)


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 23, 1, 15, tzinfo=UTC))  # Monday 08:15 in Vietnam


@pytest.fixture
def service(gateway: FakeGateway, office: Office, clock: Clock) -> CaseService:
    return CaseService(gateway, gateway, gateway, office, clock)


async def add_agent(
    sessions: Sessions, username: str, role: Role = Role.AGENT, name: str | None = None
) -> Agent:
    agent = new_agent(username, name or username.title(), role, await password_hash(), datetime.now(UTC))
    agent.must_change_password = False
    async with sessions.begin() as session:
        session.add(agent)
    return agent


_hash = ""


async def password_hash() -> str:
    """Hashed once for all tests: argon2 is slow on purpose."""
    global _hash  # noqa: PLW0603
    _hash = _hash or await hash_password(PASSWORD)
    return _hash


def escalation(
    reason: Reason = Reason.ASKED_FOR_PERSON, question: str = "cho tôi gặp nhân viên"
) -> Escalation:
    return Escalation(
        reason=reason,
        summary="Người dân xin gặp nhân viên",
        question=question,
        intent="ask_for_person",
        confidence=0.93,
        topics=("voluntary.contribution_rate",),
        as_of=datetime(2026, 11, 23).date(),
    )


async def open_case(
    sessions: Sessions,
    service: CaseService,
    conversation_id: str = "talk",
    question: str = "cho tôi gặp nhân viên",
) -> OpenedCase:
    async with sessions.begin() as session:
        return await service.open_case(session, conversation_id, "web_chat", escalation(question=question))


class Browser:
    """One agent's browser: keeps cookies and sends the page's form token along."""

    def __init__(self, client: TestClient) -> None:  # type: ignore[type-arg]
        self.client = client
        self.status = 0
        self.text = ""

    async def get(self, path: str) -> str:
        async with self.client.get(path) as response:
            self.status, self.text, self.url = response.status, await response.text(), response.url
        return self.text

    def token(self) -> str:
        return self.text.split('name="csrf" value="', 1)[1].split('"', 1)[0]

    async def post(self, path: str, csrf: str | None = None, **fields: str) -> str:
        form = {"csrf": self.token() if csrf is None else csrf, **fields}
        async with self.client.post(path, data=form) as response:
            self.status, self.text, self.url = response.status, await response.text(), response.url
        return self.text

    async def log_in(self, username: str, password: str = PASSWORD) -> str:
        await self.get("/login")
        return await self.post("/login", username=username, password=password)


OpenBrowser = Callable[[], Awaitable[Browser]]


@pytest.fixture
def browser_for(
    aiohttp_client: Callable[..., Awaitable[TestClient]],  # type: ignore[type-arg]
    sqlite: Sessions,
    service: CaseService,
    office: Office,
) -> OpenBrowser:
    async def start() -> Browser:
        return Browser(await aiohttp_client(create_console(service, sqlite, office, "test key")))

    return start
