"""Assembles the gateway: channels, worker, sender and the console in one process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from call_centre.bootstrap import ensure_first_agent
from call_centre.services import CaseService
from call_centre.web.app import create_console
from gateway import repository
from gateway.channels.facebook_comments import CommentPolicy
from gateway.channels.messenger import Messenger
from gateway.channels.platform import Core, Platform
from gateway.channels.web_chat import WebChat
from gateway.channels.zalo import Zalo
from gateway.conversations import StoredConversations
from gateway.database import Database, utc_now
from gateway.echoes import Echoes
from gateway.evaluation import Evaluation
from gateway.inbox import Inbox
from gateway.outbox import Sender, StoredOutbox
from gateway.ownership import ConversationOwnership
from gateway.rasa_client import RasaClient
from gateway.requests import add_headers, believing, log_request
from gateway.retention import Purge
from gateway.review import Reviewer
from gateway.schema import is_current
from gateway.settings import Settings, SettingsError
from gateway.signals import Signals
from gateway.status import Status
from gateway.texts import Texts
from gateway.worker import Worker
from knowledge_base.office import load_office

MAX_BODY = 256 * 1024  # the longest form of the console; the chat has a limit of its own
DRAIN_SECONDS = 20.0  # a turn under way is finished before the process ends
CHECK_SECONDS = 3.0

DATABASE = web.AppKey("database", Database)
RASA = web.AppKey("rasa", RasaClient)
SIGNALS = web.AppKey("signals", Signals)
WORKER = web.AppKey("worker", Worker)
SENDER = web.AppKey("sender", Sender)
REVIEWER = web.AppKey("reviewer", Reviewer)
PURGE = web.AppKey("purge", Purge)

log = structlog.get_logger(__name__)


async def create_app(settings: Settings, secret_key: str) -> web.Application:
    """The whole gateway. Raises SettingsError when the database was not migrated."""
    office = load_office()
    texts = Texts(office)
    database = Database(settings.database_url)
    if not await is_current(database.engines[0], settings.database_url):
        await database.close()
        raise SettingsError("the database is not up to date; run: uv run python -m gateway migrate")
    signals = Signals()
    inbox = Inbox(database, signals)
    outbox = StoredOutbox(signals)
    ownership = ConversationOwnership(signals)
    cases = CaseService(outbox, ownership, StoredConversations(), office)
    rasa = RasaClient(
        settings.rasa_url,
        actions_url=settings.actions_url,
        retry_seconds=settings.rasa_retry_seconds,
        token=settings.rasa_token,
    )

    app = web.Application(
        middlewares=[log_request, believing(settings.trusted_proxies)], client_max_size=MAX_BODY
    )
    app[DATABASE] = database
    app[RASA] = rasa
    app[SIGNALS] = signals
    app[WORKER] = Worker(
        database=database,
        signals=signals,
        rasa=rasa,
        cases=cases,
        outbox=outbox,
        ownership=ownership,
        texts=texts,
        comments=comment_policy(settings),
    )
    echoes = Echoes(database=database, signals=signals, cases=cases, ownership=ownership, texts=texts)
    platforms = platform_channels(settings, Core(database, signals, inbox, echoes, texts, secret_key))
    senders = {channel: sender for platform in platforms for channel, sender in platform.senders.items()}
    app[SENDER] = Sender(database, signals, senders, texts)
    app[REVIEWER] = Reviewer(
        database=database, signals=signals, cases=cases, ownership=ownership, texts=texts
    )
    app[PURGE] = Purge(database, cases, signals, office.retention)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_streams)
    app.cleanup_ctx.extend(platform.run for platform in platforms)
    app.cleanup_ctx.append(_run)
    for platform in platforms:
        platform.add_routes(app)
    app.router.add_get("/healthz", _health)
    app.router.add_get("/readyz", _readiness)
    evaluation = Evaluation(database, signals, inbox, settings.development)
    app.router.add_post("/evaluation/ask", evaluation.ask)
    web_chat = WebChat(
        database=database,
        signals=signals,
        inbox=inbox,
        office=office,
        texts=texts,
        secret_key=secret_key,
    )
    web_chat.add_routes(app)
    password_file = await ensure_first_agent(database.sessions, settings.data_dir)
    console = create_console(
        cases, database.sessions, office, secret_key, password_file, readers=database.readers
    )
    Status(database, settings).add_routes(console)
    app.add_subapp("/console", console)
    return app


def comment_policy(settings: Settings) -> CommentPolicy:
    """What is done in public under the page's comments."""
    if settings.messenger is None:
        return CommentPolicy()
    return CommentPolicy(settings.messenger.hide_personal_comments, settings.messenger.point_to_private_reply)


def platform_channels(settings: Settings, core: Core) -> list[Platform]:
    """The platforms that are configured; one line for each that exists."""
    platforms: list[Platform] = []
    if settings.messenger is not None:
        platforms.append(Messenger(settings.messenger, core))
    if settings.zalo is not None:
        platforms.append(Zalo(core, settings.zalo))
    return platforms


async def _run(app: web.Application) -> AsyncIterator[None]:
    database = app[DATABASE]
    if database.is_sqlite:
        # One process owns the file: what is marked as in work was left behind by one that died.
        async with database.sessions.begin() as session:
            await repository.end_leases(session, utc_now())
    pumps = (app[WORKER].pump, app[SENDER].pump, app[REVIEWER].pump)
    for pump in pumps:
        pump.start()
    async with app[PURGE].running():
        yield
    await asyncio.gather(*(pump.stop(DRAIN_SECONDS) for pump in pumps))
    await app[RASA].close()
    await database.close()


async def _end_streams(app: web.Application) -> None:
    app[SIGNALS].close()


async def _health(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def _readiness(request: web.Request) -> web.Response:
    """Whether a question could be answered now: 200, or 503 saying what is missing."""
    database, rasa = await asyncio.gather(_database_answers(request.app[DATABASE]), request.app[RASA].ready())
    ready = database and rasa
    return web.json_response({"database": database, "rasa": rasa}, status=200 if ready else 503)


async def _database_answers(database: Database) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS), database.readers() as session:
            await repository.ping(session)
    except (SQLAlchemyError, OSError, TimeoutError):
        log.warning("database_away", exc_info=True)
        return False
    return True
