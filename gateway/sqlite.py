"""Connections to SQLite that carry each statement to their thread in one go.

aiosqlite takes four (cursor, statement, rows, close), and the way there and back costs more than the
statement: measured in docs/decisions/0007-acknowledge-together-answer-later.md.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import Any

import aiosqlite


async def connect(path: str) -> aiosqlite.Connection:
    """A connection for SQLAlchemy's `async_creator`."""
    connection = _Connection(lambda: sqlite3.connect(path, check_same_thread=False), iter_chunk_size=64)
    connection._thread.daemon = True  # a process that ends does not wait for it
    try:
        return await connection
    except sqlite3.Error:
        await asyncio.to_thread(connection._thread.join)  # its last word goes to this event loop
        raise


class _Connection(aiosqlite.Connection):
    def cursor(self) -> _Cursor:  # type: ignore[override]
        return _Cursor(self)

    async def carry_out(self, cursor: _Cursor, method: str, statement: str, parameters: Any) -> None:
        await self._execute(cursor.carry_out, self._conn, method, statement, parameters)  # type: ignore[no-untyped-call]


class _Cursor:
    """What SQLAlchemy uses of a cursor; every row is read when the statement is carried out."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> _Cursor:
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        await self._connection.carry_out(self, "execute", statement, parameters)

    async def executemany(self, statement: str, parameters: Sequence[Any]) -> None:
        await self._connection.carry_out(self, "executemany", statement, parameters)

    async def fetchall(self) -> list[Any]:
        return self._rows

    async def close(self) -> None:
        """Nothing is left open."""

    def carry_out(self, connection: sqlite3.Connection, method: str, statement: str, parameters: Any) -> None:
        """In the connection's thread."""
        cursor = connection.cursor()
        getattr(cursor, method)(statement, parameters)
        self._rows = cursor.fetchall()
        self.description = cursor.description
        self.rowcount = cursor.rowcount
        self.lastrowid = cursor.lastrowid
        cursor.close()
