"""Revisions go up, come down, and leave what the tables say, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect
from sqlalchemy.ext.asyncio import create_async_engine

from call_centre.tables import Base as CallCentreBase
from gateway.schema import alembic_config, is_current, upgrade
from gateway.tables import Base
from tests.gateway.conftest import empty_postgres


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'assistant.db'}"
        return
    with empty_postgres() as url:
        yield url


def tables_in(url: str) -> set[str]:
    async def names() -> set[str]:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            found = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
        await engine.dispose()
        return {name for name in found if not name.startswith("case_search_")}  # parts of SQLite's index

    return asyncio.run(names())


def current(url: str) -> bool:
    async def ask() -> bool:
        engine = create_async_engine(url)
        try:
            return await is_current(engine, url)
        finally:
            await engine.dispose()

    return asyncio.run(ask())


def test_up_down_and_up_again(empty_url: str) -> None:
    expected = {*Base.metadata.tables, *CallCentreBase.metadata.tables}
    assert not current(empty_url)
    upgrade(empty_url)
    assert current(empty_url)
    assert tables_in(empty_url) == expected | {"alembic_version", "case_search"}
    command.check(alembic_config(empty_url))
    command.downgrade(alembic_config(empty_url), "base")
    assert tables_in(empty_url) == {"alembic_version"}
    upgrade(empty_url)
    upgrade(empty_url)
    assert current(empty_url)


def test_sqlite_writes_ahead_from_the_first_revision_on(tmp_path: Path) -> None:
    file = tmp_path / "assistant.db"
    upgrade(f"sqlite+aiosqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
