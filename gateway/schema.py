"""Brings the database to the newest revision, and tells whether it is there."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.settings import ROOT


def alembic_config(database_url: str) -> Config:
    """Alembic's configuration for one database."""
    config = Config(ROOT / "alembic.ini")
    config.attributes["database_url"] = database_url
    return config


def upgrade(database_url: str) -> None:
    """Apply every revision that is missing."""
    command.upgrade(alembic_config(database_url), "head")


async def is_current(engine: AsyncEngine, database_url: str) -> bool:
    """Whether the database is at the newest revision."""
    newest = ScriptDirectory.from_config(alembic_config(database_url)).get_heads()

    def revisions(connection: Connection) -> tuple[str, ...]:
        return MigrationContext.configure(connection).get_current_heads()

    async with engine.connect() as connection:
        return set(await connection.run_sync(revisions)) == set(newest)
