"""Connections to the database: SQLite in WAL mode with one writer, or PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from gateway import sqlite

Sessions = async_sessionmaker[AsyncSession]
Result = TypeVar("Result")

PAUSE_SECONDS = 1.0  # before work is tried again that the database did not do

log = structlog.get_logger(__name__)


def utc_now() -> datetime:
    """The present moment, time zone aware."""
    return datetime.now(UTC)


async def insist(
    work: Callable[[], Awaitable[Result]],
    until: datetime,
    clock: Callable[[], datetime] = utc_now,
    pause_seconds: float | None = None,
) -> Result:
    """The result of one transaction, begun again while the database is away or ended it for a deadlock.

    Raises what the last try raised, once the moment `until` has passed.
    """
    while True:
        try:
            return await work()
        except (DataError, IntegrityError, ProgrammingError):
            raise  # it would fail again
        except (DBAPIError, PoolTimeout, OSError):
            if clock() >= until:
                raise
            log.warning("transaction_failed", exc_info=True)
            await asyncio.sleep(PAUSE_SECONDS if pause_seconds is None else pause_seconds)


class Database:
    """`sessions` write, `readers` only read.

    SQLite has one writer at a time: its transactions begin IMMEDIATE (a deferred one that turns into a
    write fails at once when somebody else wrote meanwhile) over a single connection, so that writers queue
    fairly in the pool instead of polling for the file's lock.
    """

    sessions: Sessions
    readers: Sessions

    def __init__(self, url: str) -> None:
        self.is_sqlite = url.startswith("sqlite")
        # Statement parameters are citizens' words; they stay out of error messages and so of logs.
        options: dict[str, Any] = {"hide_parameters": True}
        if self.is_sqlite:
            options["async_creator"] = partial(sqlite.connect, make_url(url).database or "")
            writer = create_async_engine(url, pool_size=1, max_overflow=0, **options)
            reader = create_async_engine(url, **options)
            _prepare_sqlite(writer, "BEGIN IMMEDIATE")
            _prepare_sqlite(reader, "BEGIN")
            self.engines = [writer, reader]
        else:
            self.engines = [create_async_engine(url, pool_pre_ping=True, pool_size=20, **options)]
        self.sessions = async_sessionmaker(self.engines[0], expire_on_commit=False)
        self.readers = async_sessionmaker(self.engines[-1], expire_on_commit=False)

    async def close(self) -> None:
        for engine in self.engines:
            await engine.dispose()


def use_write_ahead_log(connection: Connection) -> None:
    """Make SQLite's readers and its writer wait for each other no longer; the file remembers it.

    Done once, where the tables are made: while one connection changes the mode, another one that opens the
    file is told at once that it is locked, however long it would wait. PostgreSQL is left as it is.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")


def _prepare_sqlite(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        cursor = connection.cursor()
        for pragma in ("busy_timeout = 10000", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
