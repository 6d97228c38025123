"""A gateway over a fresh database, beside a Rasa that does what a test tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from call_centre.tables import Base as CallCentreBase
from gateway.database import Database, use_write_ahead_log
from gateway.rasa_client import RasaClient
from gateway.tables import Base
from tests import postgresql
from tests.gateway.fakes import PATIENCE_SECONDS, FakeRasa, Gateway

METADATA = (Base.metadata, CallCentreBase.metadata)


async def _on_server(statement: str) -> None:
    connection = await asyncpg.connect(postgresql.URL, timeout=5)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def empty_postgres() -> Iterator[str]:
    """The URL of an empty database on the PostgreSQL server, dropped afterwards."""
    name = f"gateway_tests_{uuid4().hex}"
    try:
        asyncio.run(_on_server(f"CREATE DATABASE {name}"))
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        postgresql.unreachable(error)
    yield postgresql.URL.rpartition("/")[0].replace("postgresql://", "postgresql+asyncpg://") + f"/{name}"
    asyncio.run(_on_server(f"DROP DATABASE {name} WITH (FORCE)"))


async def _create_tables(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        await connection.run_sync(use_write_ahead_log)
    async with engine.begin() as connection:
        for metadata in METADATA:
            await connection.run_sync(metadata.create_all)
    await engine.dispose()


@pytest.fixture(scope="session")
def postgres_with_tables() -> Iterator[str]:
    with empty_postgres() as url:
        asyncio.run(_create_tables(url))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def used_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each test of the database runs on SQLite and on PostgreSQL."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres_with_tables"))
    return f"sqlite+aiosqlite:///{tmp_path / 'assistant.db'}"


@pytest.fixture
async def database_url(used_url: str) -> str:
    """A database with empty tables."""
    if used_url.startswith("sqlite"):
        await _create_tables(used_url)
        return used_url
    engine = create_async_engine(used_url)
    names = ", ".join(table.name for metadata in METADATA for table in metadata.sorted_tables)
    async with engine.begin() as connection:
        await connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    await engine.dispose()
    return used_url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


@pytest.fixture
async def rasa() -> AsyncIterator[FakeRasa]:
    server = FakeRasa()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def idle_gateway(database: Database, rasa: FakeRasa) -> AsyncIterator[Gateway]:
    """A gateway whose worker was not started."""
    client = RasaClient(rasa.url, actions_url=rasa.url, retry_seconds=0, timeout_seconds=PATIENCE_SECONDS)
    yield Gateway(database, client)
    await client.close()


@pytest.fixture
async def gateway(idle_gateway: Gateway) -> AsyncIterator[Gateway]:
    """A gateway at work."""
    idle_gateway.worker.pump.start()
    yield idle_gateway
    await idle_gateway.worker.pump.stop(0)
