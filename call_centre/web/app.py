"""Assembles the console."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from call_centre.accounts import AccountService
from call_centre.chores import Chores
from call_centre.live import LiveFeed
from call_centre.services import CaseService
from call_centre.web import middleware, pages
from call_centre.web.context import ACCOUNTS, CASES, FEED, OFFICE, READERS, SESSIONS
from call_centre.web.routes import add_routes
from knowledge_base.office import Office

CHORES = web.AppKey("CHORES", Chores)


def create_console(
    case_service: CaseService,
    session_factory: async_sessionmaker[AsyncSession],
    office: Office,
    secret_key: str,
    first_password_file: Path | None = None,
    *,
    readers: async_sessionmaker[AsyncSession] | None = None,
) -> web.Application:
    """The console as an application, to be mounted anywhere.

    `readers` serve what only reads, where the database has one writer. `first_password_file` (what
    `ensure_first_agent` returned) is removed once that password is changed.
    """
    app = web.Application(
        middlewares=[middleware.errors_in_words, middleware.signed_in_only, middleware.form_tokens]
    )
    app[CASES] = case_service
    app[ACCOUNTS] = AccountService(
        session_factory,
        secret_key,
        readers=readers,
        first_password_file=first_password_file,
        clock=case_service.clock,
    )
    app[SESSIONS] = session_factory
    app[READERS] = readers or session_factory
    app[OFFICE] = office
    app[FEED] = LiveFeed(app[READERS])
    app[CHORES] = Chores(case_service, session_factory, app[READERS])
    pages.set_up(app)
    add_routes(app)
    app.on_response_prepare.append(middleware.add_security_headers)
    app.cleanup_ctx.append(_live)
    app.on_shutdown.append(_end_streams)
    return app


async def _live(app: web.Application) -> AsyncIterator[None]:
    async with app[FEED].running(), app[CHORES].running():
        yield


async def _end_streams(app: web.Application) -> None:
    app[FEED].stop()
