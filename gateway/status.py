"""How each channel fares, for administrators: last webhook and message, waiting work, tokens, problems."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp_jinja2
import jinja2
from aiohttp import web

from call_centre.model import Role
from call_centre.web.context import supervising
from call_centre.web.pages import page
from gateway import repository
from gateway.channels.rules import FACEBOOK_COMMENT, MESSENGER, ZALO
from gateway.channels.zalo_tokens import WARN_BEFORE
from gateway.database import Database, utc_now
from gateway.settings import Settings

TEMPLATES = Path(__file__).with_name("templates")
SLOW = timedelta(minutes=2)  # a question or an answer that waits longer is worth a look


@dataclass(frozen=True)
class Queue:
    """Messages that wait, and since when the oldest does."""

    waiting: int
    oldest: datetime | None


@dataclass(frozen=True)
class ChannelStatus:
    """One channel; `alerts` are keys of the page's sentences, `problem` is what the platform said last."""

    channel: str
    configured: bool
    last_webhook_at: datetime | None
    last_received_at: datetime | None
    last_sent_at: datetime | None
    questions: Queue
    answers: Queue
    in_doubt: int  # messages nobody knows to have arrived, or that failed, in the last day
    held_until: datetime | None
    problem: str | None
    token_days_left: int | None
    alerts: tuple[str, ...]


async def channel_statuses(
    database: Database, settings: Settings, clock: Callable[[], datetime] = utc_now
) -> list[ChannelStatus]:
    """Every channel that is configured or was ever used, in a fixed order."""
    now = clock()
    configured = {"web_chat"}
    configured |= {MESSENGER, FACEBOOK_COMMENT} if settings.messenger is not None else set()
    configured |= {ZALO} if settings.zalo is not None else set()
    async with database.readers() as session:
        received = await repository.last_received(session)
        sent = await repository.last_sent(session)
        questions = await repository.waiting_questions(session)
        answers = await repository.waiting_answers(session)
        doubtful = await repository.doubtful_since(session, now - timedelta(days=1))
        accounts = {account.channel: account for account in await repository.accounts(session)}
        oa_id = settings.zalo.oa_id if settings.zalo is not None else ""
        token = await repository.channel_token(session, ZALO, oa_id)
    statuses = []
    for channel in ("messenger", "facebook_comment", "zalo", "web_chat"):
        if channel not in configured and channel not in received:
            continue
        # Comments arrive and are answered through the same account as Messenger.
        account = accounts.get(MESSENGER if channel == FACEBOOK_COMMENT else channel)
        days = max(0, (token.refresh_expires_at - now).days) if channel == ZALO and token else None
        queues = [Queue(*waiting.get(channel, (0, None))) for waiting in (questions, answers)]
        held = account is not None and account.held_until is not None and account.held_until > now
        alerts = [
            key
            for key, applies in (
                ("problem", account is not None and account.needs_administrator),
                ("token_missing", channel == ZALO and channel in configured and token is None),
                ("token_refused", channel == ZALO and token is not None and token.problem is not None),
                ("token_ends", days is not None and days < WARN_BEFORE.days),
                ("slow", any(queue.oldest is not None and queue.oldest < now - SLOW for queue in queues)),
                ("in_doubt", doubtful.get(channel, 0) > 0),
            )
            if applies
        ]
        statuses.append(
            ChannelStatus(
                channel=channel,
                configured=channel in configured,
                last_webhook_at=account.last_webhook_at if account is not None else None,
                last_received_at=received.get(channel),
                last_sent_at=sent.get(channel),
                questions=queues[0],
                answers=queues[1],
                in_doubt=doubtful.get(channel, 0),
                held_until=account.held_until if held and account is not None else None,
                problem=account.problem if account is not None else None,
                token_days_left=days,
                alerts=tuple(alerts),
            )
        )
    return statuses


class Status:
    """The page and its JSON, inside the console, whose login and second factor guard them."""

    def __init__(
        self, database: Database, settings: Settings, clock: Callable[[], datetime] = utc_now
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    def add_routes(self, console: web.Application) -> None:
        environment = aiohttp_jinja2.get_env(console)
        assert environment.loader is not None
        environment.loader = jinja2.ChoiceLoader(
            [environment.loader, jinja2.PrefixLoader({"gateway": jinja2.FileSystemLoader(TEMPLATES)})]
        )
        console.router.add_get("/status", self.show, name="status")
        console.router.add_get("/status.json", self.report, name="status_json")

    async def show(self, request: web.Request) -> web.Response:
        """The page."""
        supervising(request, Role.ADMINISTRATOR)
        statuses = await channel_statuses(self._database, self._settings, self._clock)
        return page(request, "gateway/status.html", {"channels": statuses})

    async def report(self, request: web.Request) -> web.Response:
        """The same as JSON, moments in ISO 8601."""
        supervising(request, Role.ADMINISTRATOR)
        statuses = await channel_statuses(self._database, self._settings, self._clock)
        return web.json_response({"channels": [_plain(asdict(status)) for status in statuses]})


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
