"""Meta's servers, simulated: Send API, comments, webhooks, and a page to play citizens on."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiohttp import web

from simulators.controls import PAUSES, Controls, Deliverer, Webhook

PAGE = Path(__file__).with_name("meta.html")
MAX_TEXT, MAX_QUICK_REPLIES, MAX_TITLE, MAX_PAYLOAD, MAX_METADATA = 2_000, 13, 20, 1_000, 1_000
RESPONSE_WINDOW = timedelta(hours=24)
HUMAN_WINDOW = timedelta(days=7)
PAGE_INBOX = "263902037430900"  # the application that staff answer from
ATTACHMENTS = ("image", "audio", "video", "file", "sticker", "location")
POST_ID = "100000000000001_1"


class Refused(Exception):
    """A Graph API error: HTTP 400 with a code and a subcode."""

    def __init__(self, code: int, subcode: int | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.subcode = subcode


@dataclass(frozen=True)
class Account:
    """One page and the application that speaks for it."""

    page_id: str = "100000000000001"
    page_token: str = "simulated-page-token"
    app_id: str = "200000000000002"
    app_secret: str = "simulated-app-secret"
    verify_token: str = "simulated-verify-token"


@dataclass
class Line:
    """One message as the citizen's telephone shows it; `comment` names the comment it stands under."""

    author: str  # citizen, office
    text: str
    buttons: list[dict[str, str]] = field(default_factory=list)
    id: str = ""
    comment: str = ""
    hidden: bool = False


@dataclass
class Citizen:
    """Somebody on Facebook; `last_wrote_at` is None before the first message."""

    name: str
    unavailable: bool = False
    last_wrote_at: datetime | None = None
    lines: list[Line] = field(default_factory=list)


@dataclass
class Comment:
    """A comment under a post; it can be answered in private once."""

    id: str
    citizen_id: str
    line: Line
    at: datetime
    answered: bool = False


def utc_now() -> datetime:
    return datetime.now(UTC)


class MetaSimulator:
    """Strict about what it accepts, and as badly behaved as `controls` say."""

    def __init__(
        self,
        webhook_url: str,
        account: Account | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        per_second: int = 300,
        pauses: tuple[float, ...] = PAUSES,
    ) -> None:
        self.account = account or Account()
        self.controls = Controls()
        self.deliverer = Deliverer(webhook_url, self.controls, pauses, timeout_seconds=5)
        self.citizens: dict[str, Citizen] = {}
        self.comments: dict[str, Comment] = {}
        self.sent: list[dict[str, Any]] = []  # every message accepted, in order
        self._clock = clock
        self._per_second = per_second
        self._recent: deque[datetime] = deque()
        self._batch: list[tuple[str, dict[str, Any]]] = []
        self._count = 0

    def app(self) -> web.Application:
        """The Graph API, the page, and what the page and tests control it with."""
        app = web.Application()
        app.router.add_get("/", self.page)
        app.router.add_post(r"/{version:v\d+\.0}/{page}/messages", self.message)
        app.router.add_post(r"/{version:v\d+\.0}/{comment}/comments", self.reply_in_public)
        app.router.add_post(r"/{version:v\d+\.0}/{comment}", self.hide)
        app.router.add_get("/play/{citizen}", self.show)
        app.router.add_post("/play/{citizen}", self.play)
        app.router.add_get("/control", self.show_controls)
        app.router.add_post("/control", self.control)
        app.cleanup_ctx.append(self._deliver)
        return app

    async def _deliver(self, app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.deliverer.run(), name="meta webhooks")
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    # --- what the gateway sends ---

    async def message(self, request: web.Request) -> web.StreamResponse:
        """The Send API: a message to a citizen, or a private reply to a comment."""

        def accept(body: Mapping[str, Any]) -> dict[str, str]:
            if request.match_info["page"] != self.account.page_id:
                raise Refused(100, 33, "Unsupported post request")
            citizen_id, line, metadata = self._check_message(body)
            line.id = self._next("m")
            self.citizens[citizen_id].lines.append(line)
            self.sent.append(
                {
                    "citizen": citizen_id,
                    "id": line.id,
                    "text": line.text,
                    "buttons": line.buttons,
                    "metadata": metadata,
                    "comment": line.comment,
                    "tag": body.get("tag"),
                }
            )
            if self.controls.echoes:
                self._echo(citizen_id, line, metadata, self.account.app_id)
            return {"recipient_id": citizen_id, "message_id": line.id}

        return await self._answer(request, accept)

    async def reply_in_public(self, request: web.Request) -> web.StreamResponse:
        """A comment of the page under a citizen's; it comes back as a webhook like everybody's."""

        def accept(body: Mapping[str, Any]) -> dict[str, str]:
            comment = self._comment(request.match_info["comment"])
            _only(body, {"message"})
            text = _string(body.get("message"), "message", 8_000)
            line = Line("office", text, id=self._next("c"), comment=comment.id)
            self.citizens[comment.citizen_id].lines.append(line)
            self.sent.append({"public": comment.id, "id": line.id, "text": text})
            author = {"id": self.account.page_id, "name": "BHXH"}
            self._feed("add", line.id, author, text, parent=comment.id)
            return {"id": line.id}

        return await self._answer(request, accept)

    async def hide(self, request: web.Request) -> web.StreamResponse:
        """Hide a comment from everybody but its author."""

        def accept(body: Mapping[str, Any]) -> dict[str, bool]:
            comment = self._comment(request.match_info["comment"])
            _only(body, {"is_hidden"})
            if not isinstance(body.get("is_hidden"), bool):
                raise Refused(100, None, "is_hidden must be true or false")
            comment.line.hidden = body["is_hidden"]
            return {"success": True}

        return await self._answer(request, accept)

    async def _answer(
        self, request: web.Request, accept: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    ) -> web.StreamResponse:
        if self.controls.delay_ms:
            await asyncio.sleep(self.controls.delay_ms / 1000)
        if self.controls.use("fail"):
            return web.Response(status=503, text="busy")
        try:
            self._check_request(request)
            try:
                body = json.loads(await request.read())
            except ValueError as error:
                raise Refused(100, None, "the body is not JSON") from error
            answer = accept(body)
        except Refused as error:
            given = {"message": str(error), "type": "OAuthException", "code": error.code}
            if error.subcode is not None:
                given["error_subcode"] = error.subcode
            return web.json_response({"error": given}, status=400)
        if self.controls.use("cut"):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return web.json_response(answer)

    def _check_request(self, request: web.Request) -> None:
        if self.controls.use("refuse"):
            raise Refused(self.controls.refuse_code, None, "refused on request")
        if request.headers.get("Authorization") != f"Bearer {self.account.page_token}":
            raise Refused(190, 463, "Error validating access token")
        now = self._clock()
        while self._recent and self._recent[0] <= now - timedelta(seconds=1):
            self._recent.popleft()
        if len(self._recent) >= self._per_second:
            raise Refused(613, None, "Calls to this api have exceeded the rate limit")
        self._recent.append(now)

    def _check_message(self, body: Mapping[str, Any]) -> tuple[str, Line, str]:
        _only(body, {"messaging_type", "tag", "recipient", "message"})
        recipient, message = body.get("recipient"), body.get("message")
        _only(recipient, {"id", "comment_id"})
        _only(message, {"text", "metadata", "quick_replies"})
        assert isinstance(recipient, dict)
        assert isinstance(message, dict)
        text = _string(message.get("text"), "text", MAX_TEXT)
        metadata = _string(message.get("metadata"), "metadata", MAX_METADATA)
        line = Line("office", text, _quick_replies(message.get("quick_replies")))
        if "comment_id" in recipient:
            comment = self._comment(str(recipient["comment_id"]))
            if comment.answered:
                raise Refused(10900, None, "Activity already replied to")
            if comment.at <= self._clock() - HUMAN_WINDOW:
                raise Refused(10, 2018278, "The comment is older than 7 days")
            comment.answered = True
            line.comment = comment.id
            return comment.citizen_id, line, metadata
        citizen_id = str(recipient.get("id"))
        self._check_window(citizen_id, body)
        return citizen_id, line, metadata

    def _check_window(self, citizen_id: str, body: Mapping[str, Any]) -> None:
        citizen = self.citizens.get(citizen_id)
        if citizen is None:
            raise Refused(100, 2018001, "No matching user found")
        if citizen.unavailable:
            raise Refused(551, 1545041, "This person isn't available right now")
        kind, tag = body.get("messaging_type"), body.get("tag")
        if (kind, tag) not in (("RESPONSE", None), ("MESSAGE_TAG", "HUMAN_AGENT")):
            raise Refused(100, 2018199, "messaging_type and tag do not fit")
        window = HUMAN_WINDOW if tag else RESPONSE_WINDOW
        if citizen.last_wrote_at is None or citizen.last_wrote_at <= self._clock() - window:
            raise Refused(10, 2018278, "This message is sent outside of allowed window")

    def _comment(self, comment_id: str) -> Comment:
        if comment_id not in self.comments:
            raise Refused(100, 33, "Object does not exist")
        return self.comments[comment_id]

    # --- webhooks ---

    def deliver(self, key: str, event: dict[str, Any]) -> None:
        """Call the gateway's webhook, once as many events as a batch holds have come together."""
        self._batch.append((key, event))
        if len(self._batch) >= self.controls.batch:
            self.flush()

    def flush(self) -> None:
        """Deliver a batch that is not full."""
        if not self._batch:
            return
        now = int(self._clock().timestamp() * 1000)
        entries = [{"id": self.account.page_id, "time": now, key: [event]} for key, event in self._batch]
        self._batch = []
        body = json.dumps({"object": "page", "entry": entries}, ensure_ascii=False).encode()
        self.deliverer.put(Webhook(body, self.sign))

    def sign(self, body: bytes) -> dict[str, str]:
        """Headers of a delivery."""
        digest = hmac.new(self.account.app_secret.encode(), body, hashlib.sha256).hexdigest()
        return {"X-Hub-Signature-256": f"sha256={digest}"}

    def _messaging(self, citizen_id: str, **event: Any) -> None:
        parties = {"sender": {"id": citizen_id}, "recipient": {"id": self.account.page_id}}
        self.deliver("messaging", {**parties, "timestamp": self._now_ms(), **event})

    def _echo(self, citizen_id: str, line: Line, metadata: str | None, app_id: str) -> None:
        message = {"mid": line.id, "text": line.text, "is_echo": True, "app_id": int(app_id)}
        if metadata is not None:
            message["metadata"] = metadata
        parties = {"sender": {"id": self.account.page_id}, "recipient": {"id": citizen_id}}
        self.deliver("messaging", {**parties, "timestamp": self._now_ms(), "message": message})

    def _feed(
        self, verb: str, comment_id: str, author: Mapping[str, str], text: str, parent: str = POST_ID
    ) -> None:
        value = {
            "item": "comment",
            "verb": verb,
            "comment_id": comment_id,
            "post_id": POST_ID,
            "parent_id": parent,
            "from": author,
            "message": text,
            "created_time": self._now_ms() // 1000,
        }
        self.deliver("changes", {"field": "feed", "value": value})

    def _now_ms(self) -> int:
        return int(self._clock().timestamp() * 1000)

    def _next(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"

    # --- citizens and staff, as people or tests play them ---

    def citizen(self, citizen_id: str, name: str = "") -> Citizen:
        """A citizen, made if needed."""
        return self.citizens.setdefault(citizen_id, Citizen(name or f"Người dân {len(self.citizens) + 1}"))

    def write(self, citizen_id: str, text: str) -> str:
        """A citizen writes on Messenger; the message's id."""
        return self._say(citizen_id, text, {"text": text})

    def tap(self, citizen_id: str, payload: str) -> str:
        """A citizen taps a quick reply; the message's id. Raises ValueError when there is none such."""
        for line in reversed(self.citizen(citizen_id).lines):
            for button in line.buttons:
                if button["payload"] == payload:
                    title = button["title"]
                    return self._say(citizen_id, title, {"text": title, "quick_reply": {"payload": payload}})
        raise ValueError("no such button")

    def attach(self, citizen_id: str, kind: str) -> str:
        """A citizen sends something that is not text; the message's id."""
        payload: dict[str, Any] = {"url": f"https://cdn.meta.example/{kind}/{self._count}"}
        if kind == "sticker":
            kind, payload = "image", {**payload, "sticker_id": 1}
        elif kind == "location":
            payload = {"coordinates": {"lat": 10.77, "long": 106.69}}
        return self._say(citizen_id, f"[{kind}]", {"attachments": [{"type": kind, "payload": payload}]})

    def _say(self, citizen_id: str, shown: str, message: dict[str, Any]) -> str:
        citizen = self.citizen(citizen_id)
        citizen.last_wrote_at = self._clock()
        line = Line("citizen", shown, id=self._next("m"))
        citizen.lines.append(line)
        self._messaging(citizen_id, message={"mid": line.id, **message})
        return line.id

    def start(self, citizen_id: str) -> None:
        """A citizen opens the conversation with the button of an empty one."""
        self.citizen(citizen_id).last_wrote_at = self._clock()
        postback = {"title": "Bắt đầu", "payload": "GET_STARTED", "mid": self._next("m")}
        self._messaging(citizen_id, postback=postback)

    def react(self, citizen_id: str) -> None:
        """A citizen puts a heart on the last message."""
        citizen = self.citizen(citizen_id)
        citizen.last_wrote_at = self._clock()
        mid = citizen.lines[-1].id if citizen.lines else "m_0"
        self._messaging(citizen_id, reaction={"mid": mid, "action": "react", "reaction": "love"})

    def read(self, citizen_id: str) -> None:
        """A citizen has seen everything."""
        mids = [line.id for line in self.citizen(citizen_id).lines if line.author == "office"]
        self._messaging(citizen_id, delivery={"mids": mids, "watermark": self._now_ms()})
        self._messaging(citizen_id, read={"watermark": self._now_ms()})

    def staff(self, citizen_id: str, text: str) -> str:
        """Staff answer in Page Inbox; the message's id."""
        line = Line("office", text, id=self._next("m"))
        self.citizen(citizen_id).lines.append(line)
        self._echo(citizen_id, line, None, PAGE_INBOX)
        return line.id

    def comment(self, citizen_id: str, text: str) -> str:
        """A citizen comments under a post; the comment's id."""
        citizen = self.citizen(citizen_id)
        comment_id = self._next("c")
        line = Line("citizen", text, id=comment_id, comment=comment_id)
        citizen.lines.append(line)
        self.comments[comment_id] = Comment(comment_id, citizen_id, line, self._clock())
        self._feed("add", comment_id, {"id": citizen_id, "name": citizen.name}, text)
        return comment_id

    def edit(self, comment_id: str, text: str) -> None:
        """A citizen changes a comment."""
        comment = self.comments[comment_id]
        comment.line.text = text
        author = {"id": comment.citizen_id, "name": self.citizens[comment.citizen_id].name}
        self._feed("edited", comment_id, author, text)

    # --- the page ---

    async def page(self, request: web.Request) -> web.Response:
        """Where a person plays a citizen."""
        return web.Response(text=PAGE.read_text(encoding="utf-8"), content_type="text/html")

    async def show(self, request: web.Request) -> web.Response:
        """A citizen's telephone: what was said on Messenger and under posts."""
        citizen = self.citizen(request.match_info["citizen"])
        lines = [
            {
                "author": line.author,
                "text": line.text,
                "buttons": line.buttons,
                "public": bool(line.comment) and line.id.startswith("c_"),
                "hidden": line.hidden,
            }
            for line in citizen.lines
        ]
        return web.json_response({"lines": lines})

    async def play(self, request: web.Request) -> web.Response:
        """Do one thing as a citizen, or as staff in Page Inbox: `{"do": …, "text": …}`."""
        citizen_id = request.match_info["citizen"]
        body = await request.json()
        do, text = str(body.get("do")), str(body.get("text", ""))[:MAX_TEXT]
        if do in ("write", "comment", "staff") and text.strip():
            {"write": self.write, "comment": self.comment, "staff": self.staff}[do](citizen_id, text)
        elif do == "tap":
            try:
                self.tap(citizen_id, text)
            except ValueError as error:
                raise web.HTTPBadRequest(text=str(error)) from error
        elif do == "attach" and text in ATTACHMENTS:
            self.attach(citizen_id, text)
        elif do in ("start", "react", "read"):
            {"start": self.start, "react": self.react, "read": self.read}[do](citizen_id)
        else:
            raise web.HTTPBadRequest(text="nothing that can be done")
        return web.Response(status=204)

    async def show_controls(self, request: web.Request) -> web.Response:
        """How badly Meta behaves now, and what became of the webhooks."""
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
        if self.controls.batch <= 1:
            self.flush()
        self.deliverer.wake()
        return await self.show_controls(request)


def _quick_replies(given: Any) -> list[dict[str, str]]:
    if given is None:
        return []
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_QUICK_REPLIES:
        raise Refused(100, None, "1 to 13 quick replies")
    for reply in given:
        _only(reply, {"content_type", "title", "payload"})
        if reply.get("content_type") != "text":
            raise Refused(100, None, "content_type is invalid")
        _string(reply.get("title"), "title", MAX_TITLE)
        _string(reply.get("payload"), "payload", MAX_PAYLOAD)
    return given


def _string(value: Any, name: str, longest: int) -> str:
    if not isinstance(value, str) or not len(value.strip()) > 0 or len(value) > longest:
        raise Refused(100, None, f"(#100) {name} must have 1 to {longest} characters")
    return value


def _only(value: Any, known: set[str]) -> None:
    if not isinstance(value, dict):
        raise Refused(100, None, "an object is needed")
    unknown = set(value) - known
    if unknown:
        raise Refused(100, None, f"unexpected fields: {', '.join(sorted(unknown))}")


def environment(account: Account, url: str) -> dict[str, str]:
    """The settings with which a gateway talks to this simulator instead of Meta."""
    return {
        "MESSENGER_PAGE_ID": account.page_id,
        "MESSENGER_PAGE_TOKEN": account.page_token,
        "MESSENGER_APP_ID": account.app_id,
        "MESSENGER_APP_SECRET": account.app_secret,
        "MESSENGER_VERIFY_TOKEN": account.verify_token,
        "MESSENGER_API_URL": url,
    }


def main() -> None:
    """Serve on this machine until stopped."""
    parser = argparse.ArgumentParser(prog="python -m simulators.meta", description=__doc__)
    parser.add_argument("--port", type=int, default=int(os.environ.get("META_SIMULATOR_PORT", "8090")))
    parser.add_argument("--webhook", metavar="URL", default="http://127.0.0.1:8080/webhooks/messenger")
    options = parser.parse_args()
    simulator = MetaSimulator(options.webhook)
    url = f"http://127.0.0.1:{options.port}"
    print(f"Simulated Messenger and comments: {url}/\nStart the gateway with:", flush=True)
    for name, value in environment(simulator.account, url).items():
        print(f"  {name}={value}", flush=True)
    web.run_app(simulator.app(), host="127.0.0.1", port=options.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
