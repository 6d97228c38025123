"""Runs revisions against the database of the environment, or the one a caller names."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, DateTime, TypeDecorator, pool
from sqlalchemy.ext.asyncio import create_async_engine

from call_centre.tables import Base as CallCentre
from gateway.database import use_write_ahead_log
from gateway.settings import read_settings
from gateway.tables import Base as Gateway


def plain_types(kind: str, value: Any, _context: AutogenContext) -> str | Literal[False]:
    """Write moments as the column type they are, so that old revisions need none of our classes."""
    if kind == "type" and isinstance(value, TypeDecorator) and isinstance(value.impl_instance, DateTime):
        return "sa.DateTime(timezone=True)"
    return False


def compared(name: str | None, kind: str, _parents: object) -> bool:
    """Leave out the search index: each database has one of its own kind, so the metadata have none."""
    return kind != "table" or not (name or "").startswith("case_search")


def run_revisions(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=[Gateway.metadata, CallCentre.metadata],
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=plain_types,
        include_name=compared,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


async def connect_and_run() -> None:
    url = context.config.attributes.get("database_url") or read_settings().database_url
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(use_write_ahead_log)
        await connection.commit()  # so that each revision begins and ends its own transaction
        await connection.run_sync(run_revisions)
    await engine.dispose()


asyncio.run(connect_and_run())
