"""The Facebook page: one webhook for Messenger and comments, the Send API for messages."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta

import structlog
from aiohttp import web

from gateway.channels.facebook_comments import Comments, comment_message
from gateway.channels.graph import Graph, message_body
from gateway.channels.messenger_events import (
    CitizenWrote,
    Commented,
    Delivered,
    Event,
    Ignored,
    PageWrote,
    Seen,
    Stirred,
    is_signed,
    parse,
    read_object,
)
from gateway.channels.platform import Core, WebhookClock, read_body
from gateway.channels.rules import FACEBOOK_COMMENT, MESSENGER, RULES
from gateway.echoes import Echo
from gateway.inbox import Incoming
from gateway.outbox import Channel
from gateway.settings import MessengerSettings
from gateway.tables import Conversation, OutboxMessage

WEBHOOK = "/webhooks/messenger"
HUMAN_AGENT = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}
RESPONSE = {"messaging_type": "RESPONSE"}

log = structlog.get_logger(__name__)


class Messenger:
    """One page."""

    def __init__(self, settings: MessengerSettings, core: Core) -> None:
        self._settings = settings
        self._core = core
        self._clock = WebhookClock(core, MESSENGER, settings.page_id)
        self._graph = Graph(settings, core.texts)
        self._comments = Comments(core.database, core.texts, self._graph)

    @property
    def senders(self) -> Mapping[str, Channel]:
        return {MESSENGER: self, FACEBOOK_COMMENT: self._comments}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(WEBHOOK, self.verify)
        app.router.add_post(WEBHOOK, self.webhook)

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """Keep connections to Meta."""
        async with self._graph.opened():
            yield

    # --- what comes in ---

    async def verify(self, request: web.Request) -> web.Response:
        """Meta's challenge when the webhook is set up; 403 without our token."""
        token = request.query.get("hub.verify_token", "")
        ours = hmac.compare_digest(token.encode(), self._settings.verify_token.encode())
        if request.query.get("hub.mode") != "subscribe" or not ours:
            log.warning("verification_refused", channel=MESSENGER)
            raise web.HTTPForbidden(text="wrong verify token")
        return web.Response(text=request.query.get("hub.challenge", ""))

    async def webhook(self, request: web.Request) -> web.Response:
        """200 once everything in the batch is stored; 401 unsigned, 400 not JSON, 413 too long."""
        body = await read_body(request)
        if not is_signed(body, request.headers.get("X-Hub-Signature-256", ""), self._settings.app_secret):
            log.warning("webhook_refused", channel=MESSENGER)
            raise web.HTTPUnauthorized(text="the signature is missing or wrong")
        try:
            events = parse(read_object(body), self._settings.page_id)
        except ValueError as error:
            raise web.HTTPBadRequest(text="the body is not a JSON object") from error
        await self._clock.note()
        for event in events:
            await self.apply(event)
        return web.Response(text="EVENT_RECEIVED")

    async def apply(self, event: Event) -> None:
        """Store one event; twice changes nothing."""
        page, core = self._settings.page_id, self._core
        match event:
            case CitizenWrote():
                await core.inbox.accept(self._incoming(event))
            case PageWrote():
                await core.echoes.apply(self._echo(event))
            case Delivered():
                await core.echoes.delivered(MESSENGER, page, event.citizen_id, event.message_ids)
            case Seen():
                await core.echoes.seen(MESSENGER, page, event.citizen_id, event.at)
            case Stirred():
                await core.inbox.touch(MESSENGER, page, event.citizen_id, event.at)
            case Commented():
                incoming = comment_message(event, page)
                if incoming is not None:
                    await core.inbox.accept(incoming)
            case Ignored():
                log.info("webhook_ignored", channel=MESSENGER, webhook_event=event.name)

    def _incoming(self, event: CitizenWrote) -> Incoming:
        # A link comes with the text it was written in; anything else attached has to be looked at.
        attached = [(kind, at) for kind, at in event.attachments if kind != "link" or not event.text]
        return Incoming(
            channel=MESSENGER,
            account=self._settings.page_id,
            citizen_id=event.citizen_id,
            message_id=event.message_id,
            text=self._described(event.text, attached),
            kind="greeting" if event.greets else "attachment" if attached else "text",
            platform_time=event.at,
            token=event.token,
        )

    def _echo(self, event: PageWrote) -> Echo:
        foreign = None not in (event.app_id, self._settings.app_id) and event.app_id != self._settings.app_id
        return Echo(
            channel=MESSENGER,
            account=self._settings.page_id,
            citizen_id=event.citizen_id,
            message_id=event.message_id,
            text=self._described(event.text, event.attachments),
            at=event.at,
            outbox_id=None if foreign else event.outbox_id,
        )

    def _described(self, text: str, attachments: Sequence[tuple[str, str]]) -> str:
        described = (f"{self._core.texts[f'attached_{kind}']} {at}".strip() for kind, at in attachments)
        return "\n".join(part for part in (text, *described) if part)

    # --- what goes out ---

    async def send(self, conversation: Conversation, message: OutboxMessage) -> str | None:
        """Raises NotSent, Held, MaybeSent, Rejected."""
        silent_for = self._core.clock() - conversation.last_citizen_at
        late = silent_for >= RULES[MESSENGER].bot_window - timedelta(minutes=1)
        body = {
            # The tag is for people only: what the bot writes never carries it.
            **(HUMAN_AGENT if late and message.author == "agent" else RESPONSE),
            "recipient": {"id": conversation.citizen_id},
            "message": message_body(message),
        }
        answer = await self._graph.post(f"{conversation.account}/messages", body)
        message_id = answer.get("message_id")
        return message_id if isinstance(message_id, str) else None
