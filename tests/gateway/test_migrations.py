"""Revisions go up, come down, and leave what the tables say, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from call_centre.tables import Base as CallCentreBase
from gateway.schema import alembic_config, is_current, upgrade
from gateway.tables import Base
from tests.gateway.conftest import empty_postgres

NOON = "'2026-11-21 12:00:00'"


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


def run(url: str, *statements: str) -> list[tuple[object, ...]]:
    """The rows of the last statement."""

    async def on_database() -> list[tuple[object, ...]]:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            for statement in statements:
                found = await connection.execute(text(statement))
            rows = [tuple(row) for row in found] if found.returns_rows else []
        await engine.dispose()
        return rows

    return asyncio.run(on_database())


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


def test_the_trail_learns_to_outlive_its_cases(empty_url: str) -> None:
    """What stood in the tables before the revision stands there after it, and after it is taken back."""
    config = alembic_config(empty_url)
    command.upgrade(config, "0003")
    run(
        empty_url,
        *(
            "INSERT INTO support_case (id, conversation_id, channel, state, reason, summary, question,"
            " topics, opened_at, due_at, last_citizen_at, unread, merged_into)"
            f" VALUES ({id}, 'c{id}', 'zalo', 'closed', 'r', 's', 'q',"
            f" '[]', {NOON}, {NOON}, {NOON}, 0, {into})"
            for id, into in ((7, "NULL"), (8, "7"))
        ),
        f"INSERT INTO case_event (id, case_id, at, kind, detail) VALUES (1, 7, {NOON}, 'opened', '{{}}')",
        f"INSERT INTO case_event (id, case_id, at, kind, detail) VALUES (2, 8, {NOON}, 'opened', '{{}}')",
    )
    upgrade(empty_url)
    assert run(empty_url, "SELECT id, merged_into FROM support_case ORDER BY id") == [(7, None), (8, 7)]
    run(empty_url, "DELETE FROM support_case WHERE id = 8")
    assert run(empty_url, "SELECT case_id FROM case_event ORDER BY id") == [(7,), (8,)]
    command.downgrade(config, "0003")
    assert run(empty_url, "SELECT case_id FROM case_event ORDER BY id") == [(7,), (None,)]
    assert run(empty_url, "SELECT id, question FROM support_case") == [(7, "q")]
    upgrade(empty_url)


def test_sqlite_writes_ahead_from_the_first_revision_on(tmp_path: Path) -> None:
    file = tmp_path / "assistant.db"
    upgrade(f"sqlite+aiosqlite:///{file}")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
