"""Zalo Official Account: webhooks in, customer-service messages (API v3) out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import aiohttp
import structlog
from aiohttp import web

from gateway import repository
from gateway.channels.platform import Core, WebhookClock, read_body
from gateway.channels.rules import ZALO
from gateway.channels.zalo_events import (
    CitizenShared,
    CitizenWrote,
    Event,
    Followed,
    Ignored,
    OfficeWrote,
    Receipt,
    SignedBy,
    parse,
    read_object,
    signed_by,
)
from gateway.channels.zalo_tokens import WARN_BEFORE, Cipher, NoToken, TokenLater, ZaloTokens
from gateway.echoes import Echo
from gateway.inbox import Incoming
from gateway.outbox import Channel, Held, MaybeSent, NotSent, Rejected
from gateway.settings import ZaloSettings
from gateway.signals import wait_for
from gateway.tables import Conversation, OutboxMessage

WEBHOOK = "/webhooks/zalo"
ANSWER_SECONDS = 1.5  # Zalo gives up after 2 and repeats the delivery
SETTLING_SECONDS = 0.7  # an echo may overtake the answer that says what it is an echo of
SEND_SECONDS = 15  # twice this and a renewal stay below the outbox's lease
CONNECT_SECONDS = 5
KEEP_ALIVE_SECONDS = 5  # a connection kept too long may be closed by Zalo just as a message leaves
TOKEN_CHECK_SECONDS = 600
MAX_BUTTONS = 5
MAX_TITLE = 100
TAP = re.compile(r"#([A-Za-z0-9_-]{12})")

Do = Literal["wait", "wait_for_citizen", "refuse", "administrator"]

# Zalo's error numbers: what to do, and which sentence of texts.yaml says why.
ERRORS: dict[int, tuple[Do, str]] = {
    -32: ("wait", "zalo_rate"),
    -201: ("refuse", "zalo_bad_message"),
    -209: ("administrator", "zalo_not_allowed"),
    -210: ("refuse", "zalo_bad_message"),
    -211: ("administrator", "zalo_quota"),
    -212: ("administrator", "zalo_not_allowed"),
    -213: ("refuse", "zalo_not_following"),
    -217: ("refuse", "zalo_blocked"),
    -218: ("wait_for_citizen", "zalo_quota"),
    -221: ("administrator", "zalo_not_allowed"),
    -223: ("administrator", "zalo_not_allowed"),
    -224: ("administrator", "zalo_not_allowed"),
    -227: ("refuse", "zalo_inactive"),
    -230: ("refuse", "zalo_window_closed"),
    -232: ("refuse", "zalo_window_closed"),
    -233: ("refuse", "zalo_bad_message"),
    -240: ("administrator", "zalo_not_allowed"),
    -244: ("refuse", "zalo_blocked"),
    -320: ("administrator", "zalo_money"),
    -321: ("administrator", "zalo_money"),
}
TOKEN_ERRORS = frozenset({-216, -220})
RATE_PAUSE = timedelta(minutes=1)
QUOTA_PAUSE = timedelta(hours=1)
ADMINISTRATOR_PAUSE = timedelta(minutes=10)

log = structlog.get_logger(__name__)


def message_body(citizen_id: str, text: str, buttons: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The request that sends a text with at most five buttons.

    A tap comes back as an ordinary text message holding the payload, so that is an opaque token;
    `oa.query.hide` keeps it out of the citizen's sight.
    """
    message: dict[str, Any] = {"text": text}
    if buttons:
        message["attachment"] = {
            "type": "template",
            "payload": {
                "buttons": [
                    {
                        "title": button["title"][:MAX_TITLE],
                        "type": "oa.query.hide",
                        "payload": f"#{button['token']}",
                    }
                    for button in buttons[:MAX_BUTTONS]
                ]
            },
        }
    return {"recipient": {"user_id": citizen_id}, "message": message}


@dataclass(frozen=True)
class Answer:
    """What Zalo says to a request; `code` 0 is success."""

    code: int
    message_id: str | None


def read_answer(body: object) -> Answer:
    """Errors come with HTTP status 200. Raises MaybeSent when it is no answer of Zalo's."""
    code = body.get("error") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(code, int) or isinstance(code, bool):
        raise MaybeSent
    data = body.get("data")
    message_id = data.get("message_id") if isinstance(data, dict) else None
    return Answer(code, None if message_id is None else str(message_id)[:255])


class Zalo:
    """One Official Account."""

    def __init__(self, core: Core, settings: ZaloSettings) -> None:
        self._core = core
        self._settings = settings
        self._cipher = Cipher(core.secret_key)
        self._webhook_clock = WebhookClock(core, ZALO, settings.oa_id)
        self._signed_by: SignedBy | None = None
        self._opened: tuple[aiohttp.ClientSession, ZaloTokens] | None = None

    @property
    def senders(self) -> Mapping[str, Channel]:
        return {ZALO: self}

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get(WEBHOOK, self.hello)
        app.router.add_post(WEBHOOK, self.webhook)

    async def run(self, app: web.Application) -> AsyncIterator[None]:
        """Keep a connection to Zalo and the tokens fresh."""
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=SEND_SECONDS, connect=CONNECT_SECONDS),
        ) as http:
            tokens = ZaloTokens(
                database=self._core.database,
                http=http,
                zalo=self._settings,
                cipher=self._cipher,
                clock=self._core.clock,
            )
            if self._settings.refresh_token:
                await tokens.import_first(self._settings.refresh_token)
            self._opened = http, tokens
            keeping = asyncio.create_task(self._keep_tokens(tokens), name="zalo tokens")
            yield
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping
            await tokens.finish()

    # --- what comes in ---

    async def hello(self, request: web.Request) -> web.Response:
        """For whoever opens the webhook's address in a browser to see whether it can be reached."""
        return web.Response(text="Zalo webhook\n")

    async def webhook(self, request: web.Request) -> web.Response:
        """200 once what happened is stored; 401 unsigned, 413 too long, 503 too slow: Zalo repeats it."""
        body = await read_body(request)
        found = signed_by(
            body,
            request.headers.get("X-ZEvent-Signature", ""),
            request.headers.get("X-ZEvent-Timestamp"),
            self._settings.app_id,
            self._settings.oa_secret_key,
        )
        if found is None:
            log.warning("webhook_refused", channel=ZALO)
            raise web.HTTPUnauthorized(text="the signature is missing or wrong")
        if found != self._signed_by:
            log.info("webhook_signature", channel=ZALO, form=str(found))
            self._signed_by = found
        try:
            event = parse(read_object(body), self._settings.oa_id)
        except ValueError as error:
            raise web.HTTPBadRequest(text="the body is not a JSON object") from error
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._webhook_clock.note()
                await self.apply(event)
        except TimeoutError as error:
            log.exception("webhook_too_slow", channel=ZALO)
            raise web.HTTPServiceUnavailable(text="try again") from error
        return web.Response(text="ok")

    async def apply(self, event: Event) -> None:
        """Store one event; twice changes nothing."""
        match event:
            case CitizenWrote():
                await self._core.inbox.accept(self._incoming(event))
            case CitizenShared():
                await self._core.inbox.accept(self._note(event))
            case Followed():
                await self._followed(event)
            case OfficeWrote():
                await self._office_wrote(event)
            case Receipt():
                await self._receipt(event)
            case Ignored():
                log.info("webhook_ignored", channel=ZALO, webhook_event=event.name, known=event.known)

    def _incoming(self, event: CitizenWrote) -> Incoming:
        text = event.text.strip()
        tap = TAP.fullmatch(text)
        # A link comes with the text it was written in; anything else attached has to be looked at.
        attached = [(kind, what) for kind, what in event.attachments if kind != "link" or not text]
        described = [f"{self._core.texts[f'attached_{kind}']} {what}".strip() for kind, what in attached]
        return Incoming(
            channel=ZALO,
            account=event.account,
            citizen_id=event.citizen_id,
            message_id=event.key,
            text="\n".join(part for part in (text, *described) if part),
            kind="attachment" if attached else "text",
            platform_time=event.at,
            token=tap and tap[1],
        )

    def _note(self, event: CitizenShared) -> Incoming:
        parts = (
            ("shared_name", event.name),
            ("shared_phone", event.phone),
            ("shared_address", event.address),
        )
        told = [f"{self._core.texts[key]} {value}" for key, value in parts if value]
        return Incoming(
            channel=ZALO,
            account=event.account,
            citizen_id=event.citizen_id,
            message_id=event.key,
            text="\n".join((self._core.texts["shared"], *told)),
            kind="note",
            platform_time=event.at,
            citizen_name=event.name and event.name[:200],
        )

    async def _followed(self, event: Followed) -> None:
        """Greet whoever follows for the first time and has not written yet."""
        if not event.follows:
            log.info("unfollowed", channel=ZALO)
            return
        async with self._core.database.readers() as session:
            known = await repository.find_conversation(session, ZALO, event.account, event.citizen_id)
        if known is None:
            await self._core.inbox.accept(
                Incoming(
                    channel=ZALO,
                    account=event.account,
                    citizen_id=event.citizen_id,
                    message_id=f"follow:{event.citizen_id}",
                    text=self._core.texts["followed"],
                    kind="greeting",
                )
            )

    async def _office_wrote(self, event: OfficeWrote) -> None:
        if not event.text:
            await self._sendings_settled(event)
        attached = [
            f"{self._core.texts[f'attached_{kind}']} {what}".strip() for kind, what in event.attachments
        ]
        await self._core.echoes.apply(
            Echo(
                channel=ZALO,
                account=event.account,
                citizen_id=event.citizen_id,
                message_id=event.message_id or event.key,
                text="\n".join(part for part in (event.text, *attached) if part),
                at=event.at or self._core.clock(),
                match_text=True,
            )
        )

    async def _sendings_settled(self, event: OfficeWrote) -> None:
        """Wait a moment while something is being sent: an echo without text is known by its id alone."""
        async with self._core.database.readers() as session:
            conversation = await repository.find_conversation(session, ZALO, event.account, event.citizen_id)
        if conversation is None:
            return
        with suppress(TimeoutError), self._core.signals.subscribe(conversation.id) as woken:
            async with asyncio.timeout(SETTLING_SECONDS):
                while await self._is_sending(conversation.id):
                    await wait_for(woken, SETTLING_SECONDS)

    async def _is_sending(self, conversation_id: str) -> bool:
        async with self._core.database.readers() as session:
            return await repository.is_sending(session, conversation_id)

    async def _receipt(self, event: Receipt) -> None:
        if event.seen:
            until = event.at or self._core.clock()
            await self._core.echoes.seen(ZALO, event.account, event.citizen_id, until)
        else:
            await self._core.echoes.delivered(ZALO, event.account, event.citizen_id, event.message_ids)

    # --- what goes out ---

    async def send(self, conversation: Conversation, message: OutboxMessage) -> str | None:
        """Send, with one new token and one more try where Zalo refuses the token."""
        body = message_body(conversation.citizen_id, message.text, message.buttons)
        token = await self._token()
        answer = await self._post(body, token)
        if answer.code in TOKEN_ERRORS:
            answer = await self._post(body, await self._token(refused=token))
        if answer.code == 0:
            return answer.message_id
        raise self._problem(answer.code)

    async def _token(self, refused: str | None = None) -> str:
        assert self._opened is not None, "used before it was started"
        _, tokens = self._opened
        try:
            return await tokens.access_token(refused)
        except NoToken as error:
            log.error("zalo_no_token", problem=error.problem)
            raise Held(self._core.texts["zalo_no_token"], needs_administrator=True) from error
        except TokenLater as error:
            raise NotSent from error

    async def _post(self, body: dict[str, Any], token: str) -> Answer:
        assert self._opened is not None, "used before it was started"
        http, _ = self._opened
        url = f"{self._settings.api_url}/v3.0/oa/message/cs"
        try:
            async with http.post(url, json=body, headers={"access_token": token}) as response:
                if response.status == web.HTTPTooManyRequests.status_code:
                    raise self._problem(-32)
                if response.status == web.HTTPServiceUnavailable.status_code:
                    raise NotSent
                if response.status >= 500:
                    raise MaybeSent
                parsed = await self._read(response)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise MaybeSent from error
        return read_answer(parsed)

    async def _read(self, response: aiohttp.ClientResponse) -> Any:
        try:
            return await response.json(content_type=None)
        except ValueError:
            if response.ok:
                raise
            # A page instead of an answer: something in between refuses us, whatever we send.
            log.error("zalo_not_reached", status=response.status)
            raise Held(
                self._core.texts["zalo_not_allowed"], ADMINISTRATOR_PAUSE, needs_administrator=True
            ) from None

    def _problem(self, code: int) -> Exception:
        """What an error number means for the message and for the account."""
        if code in TOKEN_ERRORS:
            # Refused with a token just renewed.
            return Held(self._core.texts["zalo_no_token"], needs_administrator=True)
        do, key = ERRORS.get(code, ("refuse", "zalo_refused"))
        reason = f"{self._core.texts[key]} (Zalo {code})"
        if do == "refuse":
            return Rejected(reason)
        if do == "wait":
            return Held(reason, RATE_PAUSE)
        if do == "wait_for_citizen":
            log.error("zalo_quota_of_citizen", code=code)
            return NotSent(QUOTA_PAUSE)
        pause = QUOTA_PAUSE if key == "zalo_quota" else ADMINISTRATOR_PAUSE
        return Held(reason, pause, needs_administrator=True)

    # --- tokens ---

    async def _keep_tokens(self, tokens: ZaloTokens) -> None:
        """Renew in time even when nothing is sent, and tell early when somebody has to do something."""
        while True:
            try:
                await self._check_tokens(tokens)
            except Exception:
                log.exception("zalo_tokens_not_checked")  # the database is away; looked at again
            await asyncio.sleep(TOKEN_CHECK_SECONDS)

    async def _check_tokens(self, tokens: ZaloTokens) -> None:
        try:
            await tokens.access_token()
            left = await tokens.time_left()
        except TokenLater:
            return
        except NoToken as error:
            log.error("zalo_no_token", problem=error.problem)
            await self._complain("zalo_no_token")
            return
        if left < WARN_BEFORE:
            log.warning("zalo_refresh_token_ends_soon", days=left.days)
            await self._complain("zalo_token_ends")

    async def _complain(self, key: str) -> None:
        async with self._core.database.sessions.begin() as session:
            await repository.hold_account(
                session,
                ZALO,
                self._settings.oa_id,
                now=self._core.clock(),
                until=None,
                problem=self._core.texts[key],
                needs_administrator=True,
            )
