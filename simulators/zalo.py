"""Zalo's servers, simulated: tokens, customer-service messages, webhooks, and a page to play citizens on."""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from simulators.controls import PAUSES, Controls, Deliverer, Webhook

PAGE = Path(__file__).with_name("zalo.html")
MAX_TEXT, MAX_BUTTONS, MAX_TITLE, MAX_PAYLOAD = 2_000, 5, 100, 1_000
REPLY_WINDOW = timedelta(days=7)
REFRESH_TOKEN_LASTS = timedelta(days=90)
CODE_LASTS = timedelta(minutes=10)
BUTTON_TYPES = frozenset({"oa.query.show", "oa.query.hide", "oa.open.url", "oa.open.phone"})
ATTACHMENTS = ("image", "gif", "sticker", "audio", "video", "file", "link", "location", "business_card")


class Refused(Exception):
    """An error of the API: HTTP 200 with a number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Account:
    """One Official Account and the application that speaks for it."""

    oa_id: str = "3141592653589793238"
    oa_secret_key: str = "simulated-oa-secret"
    app_id: str = "2553012345678901234"
    app_secret: str = "simulated-app-secret"


@dataclass
class Line:
    """One message as the citizen's telephone shows it."""

    author: str  # citizen, office
    text: str
    buttons: list[dict[str, str]] = field(default_factory=list)
    id: str = ""


@dataclass
class Citizen:
    """Somebody on Zalo; `last_wrote_at` is None before the first word."""

    name: str
    follows: bool = False
    blocked: bool = False
    last_wrote_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)


def utc_now() -> datetime:
    return datetime.now(UTC)


class ZaloSimulator:
    """Strict about what it accepts, and as badly behaved as `controls` say."""

    def __init__(
        self,
        webhook_url: str,
        account: Account | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        token_lasts: timedelta = timedelta(hours=25),
        per_minute: int = 600,
        sign_header_timestamp: bool = True,
        prefix: str = "mac=",
        pauses: tuple[float, ...] = PAUSES,
        first_refresh_token: str = "simulated-refresh-token",
    ) -> None:
        self.account = account or Account()
        self.controls = Controls()
        self.deliverer = Deliverer(webhook_url, self.controls, pauses)
        self.citizens: dict[str, Citizen] = {}
        self.sent: list[dict[str, Any]] = []  # every message accepted, in order
        self.refreshes = 0
        self.first_refresh_token = first_refresh_token
        self._clock = clock
        self._token_lasts = token_lasts
        self._per_minute = per_minute
        self._sign_header_timestamp = sign_header_timestamp
        self._prefix = prefix
        self._refresh_tokens = {self.first_refresh_token: clock() + REFRESH_TOKEN_LASTS}
        self._access_tokens: dict[str, datetime] = {}
        self._codes: dict[str, tuple[str, datetime]] = {}
        self._recent: deque[datetime] = deque()
        self._count = 0

    def app(self) -> web.Application:
        """The API, the page, and what the page and tests control it with."""
        app = web.Application()
        app.router.add_get("/", self.page)
        app.router.add_get("/v4/oa/permission", self.permission)
        app.router.add_post("/v4/oa/access_token", self.access_token)
        app.router.add_post("/v3.0/oa/message/cs", self.message)
        app.router.add_get("/play/{citizen}", self.show)
        app.router.add_post("/play/{citizen}", self.play)
        app.router.add_get("/control", self.show_controls)
        app.router.add_post("/control", self.control)
        app.cleanup_ctx.append(self._deliver)
        return app

    async def _deliver(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.deliverer.run(), name="zalo webhooks")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # --- tokens ---

    async def permission(self, request: web.Request) -> web.Response:
        """The administrator says yes at once: back to the application with a code."""
        query = request.query
        if query.get("app_id") != self.account.app_id or not query.get("redirect_uri"):
            raise web.HTTPBadRequest(text="app_id or redirect_uri is wrong")
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            raise web.HTTPBadRequest(text="code_challenge is missing")
        code = secrets.token_urlsafe(16)
        self._codes[code] = (query["code_challenge"], self._clock() + CODE_LASTS)
        back = {"code": code, "oa_id": self.account.oa_id, "state": query.get("state", "")}
        raise web.HTTPFound(f"{query['redirect_uri']}?{urlencode(back)}")

    async def access_token(self, request: web.Request) -> web.StreamResponse:
        """A new pair for a refresh token, which is used up, or for a code."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            if await self._misbehaves():
                return web.Response(status=503, text="busy")
            pair = self._new_pair(form, request.headers.get("secret_key"))
        except Refused as error:
            return web.json_response({"error": error.code, "error_name": "", "error_description": str(error)})
        if self.controls.use("cut"):
            return self._cut(request)
        return web.json_response(pair)

    def _new_pair(self, form: Mapping[str, str], secret: str | None) -> dict[str, str]:
        now = self._clock()
        if form.get("app_id") != self.account.app_id:
            raise Refused(-14002, "Invalid app_id")
        if secret != self.account.app_secret:
            raise Refused(-14004, "Invalid secret key")
        if form.get("grant_type") == "refresh_token":
            ends = self._refresh_tokens.pop(form.get("refresh_token", ""), None)
            if ends is None or ends <= now:
                raise Refused(-14014, "Invalid refresh token")
            self.refreshes += 1
        elif form.get("grant_type") == "authorization_code":
            challenge, ends = self._codes.pop(form.get("code", ""), ("", now))
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            if ends <= now or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
                raise Refused(-14003, "Invalid code")
        else:
            raise Refused(-14001, "Invalid grant_type")
        access, refresh = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
        self._access_tokens = {access: now + self._token_lasts}
        self._refresh_tokens = {refresh: now + REFRESH_TOKEN_LASTS}
        return {
            "access_token": access,
            "refresh_token": refresh,
            "expires_in": str(int(self._token_lasts.total_seconds())),
        }

    def revoke(self) -> None:
        """Let the present access token be refused, as if its time had run out early."""
        self._access_tokens = {}

    # --- messages to citizens ---

    async def message(self, request: web.Request) -> web.StreamResponse:
        """Accept a customer-service message, or say with HTTP 200 why not."""
        if await self._misbehaves():
            return web.Response(status=503, text="busy")
        try:
            citizen_id, line = self._check(request.headers.get("access_token", ""), await request.read())
        except Refused as error:
            return web.json_response({"error": error.code, "message": str(error)})
        self._count += 1
        line.id = f"sent-{self._count}"
        self.citizens[citizen_id].lines.append(line)
        self.sent.append({"citizen": citizen_id, "id": line.id, "text": line.text, "buttons": line.buttons})
        if self.controls.echoes:
            self._echo(citizen_id, line)
        if self.controls.use("cut"):
            return self._cut(request)
        return web.json_response(
            {"error": 0, "message": "Success", "data": {"message_id": line.id, "user_id": citizen_id}}
        )

    def _check(self, token: str, body: bytes) -> tuple[str, Line]:
        now = self._clock()
        if self.controls.use("refuse"):
            raise Refused(self.controls.refuse_code, "refused on request")
        if token not in self._access_tokens:
            raise Refused(-216, "Access token is invalid")
        if self._access_tokens[token] <= now:
            raise Refused(-220, "Access token is expired")
        while self._recent and self._recent[0] <= now - timedelta(minutes=1):
            self._recent.popleft()
        if len(self._recent) >= self._per_minute:
            raise Refused(-32, "Your application reached limit call api")
        self._recent.append(now)
        citizen_id, line = read_message(body)
        citizen = self.citizens.get(citizen_id)
        if citizen is None:
            raise Refused(-201, "user_id is invalid")
        if citizen.blocked:
            raise Refused(-244, "User has restricted this type of message")
        if citizen.last_wrote_at is None:
            raise Refused(-232, "User has not interacted with the OA")
        if citizen.last_wrote_at <= now - REPLY_WINDOW:
            raise Refused(-230, "User has not interacted with the OA in the past 7 days")
        return citizen_id, line

    async def _misbehaves(self) -> bool:
        if self.controls.delay_ms:
            await asyncio.sleep(self.controls.delay_ms / 1000)
        return self.controls.use("fail")

    def _cut(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    # --- webhooks ---

    def deliver(self, name: str, **fields: Any) -> None:
        """Call the gateway's webhook with one event."""
        event = {
            "app_id": self.account.app_id,
            "event_name": name,
            "timestamp": str(int(self._clock().timestamp() * 1000)),
            **fields,
        }
        body = json.dumps(event, ensure_ascii=False).encode()
        self.deliverer.put(Webhook(body, self.sign))

    def sign(self, body: bytes) -> dict[str, str]:
        """Headers of a delivery; a repeated one gets a header timestamp of its own."""
        stamp = json.loads(body)["timestamp"]
        headers = {}
        if self._sign_header_timestamp:
            stamp = str(int(self._clock().timestamp() * 1000))
            headers["X-ZEvent-Timestamp"] = stamp
        signed = self.account.app_id.encode() + body + stamp.encode() + self.account.oa_secret_key.encode()
        headers["X-ZEvent-Signature"] = self._prefix + hashlib.sha256(signed).hexdigest()
        return headers

    def _echo(self, citizen_id: str, line: Line, **sender: str) -> None:
        self.deliver(
            "oa_send_text",
            sender={"id": self.account.oa_id, **sender},
            recipient={"id": citizen_id},
            message={"msg_id": line.id, "text": line.text},
        )

    # --- citizens and staff, as people or tests play them ---

    def citizen(self, citizen_id: str, name: str = "") -> Citizen:
        """A citizen, made if needed."""
        return self.citizens.setdefault(citizen_id, Citizen(name or f"Người dân {len(self.citizens) + 1}"))

    def write(self, citizen_id: str, text: str, *, shown: str | None = None) -> str:
        """A citizen writes; the message's id. `shown` replaces the text on the telephone."""
        citizen = self.citizen(citizen_id)
        citizen.last_wrote_at = self._clock()
        self._count += 1
        message_id = f"wrote-{self._count}"
        citizen.lines.append(Line("citizen", text if shown is None else shown, id=message_id))
        self._from_citizen("user_send_text", citizen_id, {"msg_id": message_id, "text": text})
        return message_id

    def tap(self, citizen_id: str, payload: str) -> None:
        """A tap on a button comes back as a text; Zalo shows it unless the button is `hide`."""
        for line in reversed(self.citizen(citizen_id).lines):
            for button in line.buttons:
                if button["payload"] == payload:
                    hidden = button["type"] == "oa.query.hide"
                    self.write(citizen_id, payload, shown=f"({button['title']})" if hidden else payload)
                    return
        raise ValueError("no such button")

    def attach(self, citizen_id: str, kind: str, text: str = "") -> None:
        """A citizen sends something that is not text."""
        citizen = self.citizen(citizen_id)
        citizen.last_wrote_at = self._clock()
        self._count += 1
        payload: dict[str, Any] = {"url": f"https://cdn.zalo.example/{kind}/{self._count}"}
        if kind == "location":
            payload = {"coordinates": {"latitude": "10.77", "longitude": "106.69"}}
        citizen.lines.append(Line("citizen", f"[{kind}] {text}".strip(), id=f"wrote-{self._count}"))
        message: dict[str, Any] = {
            "msg_id": f"wrote-{self._count}",
            "attachments": [{"type": kind, "payload": payload}],
        }
        self._from_citizen(f"user_send_{kind}", citizen_id, {**message, **({"text": text} if text else {})})

    def follow(self, citizen_id: str, follows: bool) -> None:
        """A citizen begins or ends following; beginning counts as an interaction."""
        citizen = self.citizen(citizen_id)
        citizen.follows = follows
        if follows:
            citizen.last_wrote_at = self._clock()
        name = "follow" if follows else "unfollow"
        self.deliver(name, oa_id=self.account.oa_id, follower={"id": citizen_id})

    def share(self, citizen_id: str, name: str, phone: str) -> None:
        """A citizen fills in the contact form."""
        self.citizen(citizen_id).last_wrote_at = self._clock()
        info = {"name": name, "phone": f"84{phone.removeprefix('0')}", "address": ""}
        self.deliver(
            "user_submit_info", sender={"id": citizen_id}, recipient={"id": self.account.oa_id}, info=info
        )

    def read(self, citizen_id: str) -> None:
        """A citizen has seen everything."""
        ids = [line.id for line in self.citizen(citizen_id).lines if line.author == "office"]
        self._from_citizen("user_seen_message", citizen_id, {"msg_ids": ids})

    def staff(self, citizen_id: str, text: str) -> str:
        """Staff answer in the OA application; the message's id."""
        self._count += 1
        line = Line("office", text, id=f"staff-{self._count}")
        self.citizen(citizen_id).lines.append(line)
        self._echo(citizen_id, line, admin_id="1")
        return line.id

    def _from_citizen(self, name: str, citizen_id: str, message: dict[str, Any]) -> None:
        self.deliver(name, sender={"id": citizen_id}, recipient={"id": self.account.oa_id}, message=message)

    # --- the page ---

    async def page(self, request: web.Request) -> web.Response:
        """Where a person plays a citizen."""
        return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html")

    async def show(self, request: web.Request) -> web.Response:
        """A citizen's telephone."""
        citizen = self.citizen(request.match_info["citizen"])
        lines = [{"author": one.author, "text": one.text, "buttons": one.buttons} for one in citizen.lines]
        return web.json_response({"follows": citizen.follows, "lines": lines})

    async def play(self, request: web.Request) -> web.Response:
        """Do one thing as a citizen, or as staff in the OA application: `{"do": …, "text": …}`."""
        citizen_id = request.match_info["citizen"]
        body = await request.json()
        do, text = str(body.get("do")), str(body.get("text", ""))
        if do == "write" and text.strip():
            self.write(citizen_id, text[:MAX_TEXT])
        elif do == "tap":
            try:
                self.tap(citizen_id, text)
            except ValueError as error:
                raise web.HTTPBadRequest(text=str(error)) from error
        elif do == "attach" and text in ATTACHMENTS:
            self.attach(citizen_id, text)
        elif do in ("follow", "unfollow"):
            self.follow(citizen_id, do == "follow")
        elif do == "share":
            self.share(citizen_id, self.citizen(citizen_id).name, text or "0912345678")
        elif do == "staff" and text.strip():
            self.staff(citizen_id, text)
        else:
            raise web.HTTPBadRequest(text="nothing that can be done")
        return web.Response(status=204)

    async def show_controls(self, request: web.Request) -> web.Response:
        """How badly Zalo behaves now, and what became of the webhooks."""
        return web.json_response(
            {
                "controls": vars(self.controls),
                "sent": len(self.sent),
                "delivered": sum(one.status == 200 for one in self.deliverer.delivered),
                "lost": len(self.deliverer.lost),
            }
        )

    async def control(self, request: web.Request) -> web.Response:
        """Behave differently: a JSON object of controls."""
        try:
            given = await request.json()
            if not isinstance(given, dict):
                raise ValueError("send a JSON object")
            self.controls.change(given)
        except ValueError as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        self.deliverer.wake()
        return await self.show_controls(request)


def read_message(body: bytes) -> tuple[str, Line]:
    """The recipient and the message of a request. Raises Refused for anything Zalo would not take."""
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Refused(-201, "Body is not JSON") from error
    _only(given, {"recipient", "message"}, "body")
    recipient, message = given.get("recipient"), given.get("message")
    _only(recipient, {"user_id"}, "recipient")
    _only(message, {"text", "attachment", "quote_message_id"}, "message")
    citizen_id, text = recipient.get("user_id"), message.get("text")
    if not isinstance(citizen_id, str) or not citizen_id:
        raise Refused(-201, "user_id is missing")
    if not isinstance(text, str) or not text.strip():
        raise Refused(-201, "text is missing")
    if len(text) > MAX_TEXT:
        raise Refused(-210, "text is longer than 2000 characters")
    buttons = _buttons(message["attachment"]) if "attachment" in message else []
    return citizen_id, Line("office", text, buttons)


def _buttons(attachment: Any) -> list[dict[str, str]]:
    _only(attachment, {"type", "payload"}, "attachment")
    if attachment.get("type") != "template":
        raise Refused(-233, "attachment type is not supported")
    _only(attachment.get("payload"), {"buttons", "template_type"}, "payload")
    buttons = attachment["payload"].get("buttons")
    if not isinstance(buttons, list) or not 1 <= len(buttons) <= MAX_BUTTONS:
        raise Refused(-210, "1 to 5 buttons")
    for button in buttons:
        _only(button, {"title", "type", "payload", "image_icon"}, "button")
        title, payload = button.get("title"), button.get("payload")
        if not isinstance(title, str) or not 0 < len(title) <= MAX_TITLE:
            raise Refused(-210, "a title has 1 to 100 characters")
        if button.get("type") not in BUTTON_TYPES:
            raise Refused(-201, "button type is invalid")
        if button["type"].startswith("oa.query.") and not (
            isinstance(payload, str) and 0 < len(payload) <= MAX_PAYLOAD
        ):
            raise Refused(-210, "a payload has 1 to 1000 characters")
    return buttons


def _only(value: Any, known: set[str], name: str) -> None:
    if not isinstance(value, dict):
        raise Refused(-201, f"{name} must be an object")
    unknown = set(value) - known
    if unknown:
        raise Refused(-201, f"{name} has unknown fields: {', '.join(sorted(unknown))}")


def environment(account: Account, url: str, refresh_token: str) -> dict[str, str]:
    """The settings with which a gateway talks to this simulator instead of Zalo."""
    return {
        "ZALO_OA_ID": account.oa_id,
        "ZALO_OA_SECRET_KEY": account.oa_secret_key,
        "ZALO_APP_ID": account.app_id,
        "ZALO_APP_SECRET": account.app_secret,
        "ZALO_REFRESH_TOKEN": refresh_token,
        "ZALO_API_URL": url,
        "ZALO_OAUTH_URL": url,
    }


def main() -> None:
    """Serve on this machine until stopped."""
    parser = argparse.ArgumentParser(prog="python -m simulators.zalo", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("ZALO_SIMULATOR_PORT", "8091")))
    parser.add_argument("--webhook", metavar="URL", default="http://127.0.0.1:8080/webhooks/zalo")
    options = parser.parse_args()
    simulator = ZaloSimulator(options.webhook)
    url = f"http://127.0.0.1:{options.port}"
    print(f"Simulated Zalo: {url}/\nStart the gateway with:", flush=True)
    for name, value in environment(simulator.account, url, simulator.first_refresh_token).items():
        print(f"  {name}={value}", flush=True)
    web.run_app(simulator.app(), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
