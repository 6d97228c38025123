"""Requests to Meta's Graph API, and what its error codes mean for a message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Literal, NoReturn

import aiohttp

from gateway.outbox import Held, MaybeSent, NotSent, Rejected
from gateway.settings import MessengerSettings
from gateway.tables import OutboxMessage
from gateway.texts import Texts

SEND_SECONDS = 20  # for one request; shorter than the outbox's lease
CONNECT_SECONDS = 5
KEEP_ALIVE_SECONDS = 5  # a connection kept too long may be closed just as a message leaves
MAX_QUICK_REPLIES = 13
MAX_TITLE = 20
RATE_PAUSE = timedelta(minutes=1)
ADMINISTRATOR_PAUSE = timedelta(minutes=5)

Do = Literal["again", "hold", "refuse", "administrator"]
# (code, subcode) or (code, None): what to do, and which sentence of texts.yaml says why.
ERRORS: dict[tuple[int, int | None], tuple[Do, str]] = {
    (2, None): ("again", ""),
    (1200, None): ("again", ""),
    (4, None): ("hold", "meta_rate"),
    (32, None): ("hold", "meta_rate"),
    (613, None): ("hold", "meta_rate"),
    (10, 2018278): ("refuse", "window_refused"),
    (10, None): ("administrator", "meta_not_allowed"),
    (100, 2018001): ("refuse", "meta_no_such_person"),
    (100, None): ("refuse", "meta_bad_message"),
    (190, None): ("administrator", "meta_token"),
    (200, 1545041): ("refuse", "meta_unavailable"),
    (200, None): ("administrator", "meta_not_allowed"),
    (368, None): ("administrator", "meta_blocked"),
    (551, None): ("refuse", "meta_unavailable"),
    (10900, None): ("refuse", "comment_answered"),
}


def message_body(message: OutboxMessage) -> dict[str, Any]:
    """The message with our id, by which its echo is known, and quick replies of opaque tokens."""
    body: dict[str, Any] = {"text": message.text, "metadata": f"outbox:{message.id}"}
    if message.buttons:
        body["quick_replies"] = [
            {"content_type": "text", "title": button["title"][:MAX_TITLE], "payload": button["token"]}
            for button in message.buttons[:MAX_QUICK_REPLIES]
        ]
    return body


class Graph:
    """Speaks as one page, while it is open."""

    def __init__(self, settings: MessengerSettings, texts: Texts, send_seconds: float = SEND_SECONDS) -> None:
        self._base = f"{settings.api_url}/{settings.api_version}"
        self._texts = texts
        self._headers = {"Authorization": f"Bearer {settings.page_token}"}
        self._timeout = aiohttp.ClientTimeout(total=send_seconds, sock_connect=CONNECT_SECONDS)
        self._http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Keep connections to Meta."""
        connector = aiohttp.TCPConnector(keepalive_timeout=KEEP_ALIVE_SECONDS)
        async with aiohttp.ClientSession(connector=connector, timeout=self._timeout) as self._http:
            yield
        self._http = None

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What Meta answers. Raises NotSent, Held, MaybeSent, Rejected."""
        if self._http is None:
            raise NotSent
        url = f"{self._base}/{path}"
        try:
            async with self._http.post(url, json=body, headers=self._headers) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise NotSent from error
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise MaybeSent from error
        if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
            self._refused(answer["error"])
        if not isinstance(answer, dict) or response.status >= 400:
            raise MaybeSent
        return answer

    def _refused(self, error: Mapping[str, Any]) -> NoReturn:
        code, subcode = error.get("code"), error.get("error_subcode")
        known = ERRORS.get((code, subcode)) or ERRORS.get((code, None)) if isinstance(code, int) else None
        if known is None:
            if error.get("is_transient") is True:
                raise NotSent
            raise Rejected(f"{self._texts['meta_refused']} {code}")
        do, key = known
        if do == "again":
            raise NotSent
        if do == "refuse":
            raise Rejected(self._texts[key])
        if do == "hold":
            raise Held(self._texts[key], RATE_PAUSE)
        raise Held(self._texts[key], ADMINISTRATOR_PAUSE, needs_administrator=True)
