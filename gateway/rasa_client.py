"""Asks Rasa one question at a time over its REST channel and reads what it says back."""

from __future__ import annotations

import asyncio
import errno
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import aiohttp

from call_centre.model import Understood
from vietnamese.masking import mask

# Shorter than Rasa's conversation lock (60 s), after which a second message would run beside the first.
TURN_TIMEOUT_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 4.0
OUTAGE_OVER_SECONDS = 10.0  # a refusal this long after the last one begins another outage
OUTCOMES = frozenset({"answered", "asked", "escalated", "declined", "chitchat"})
# Rasa strips the text before it looks for the slash of a command.
COMMAND_PREFIX = re.compile(r"^[\s/]+")


class RasaFailed(Exception):
    """No usable turn; `reason` is a short code for logs and the turn's record."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Offer:
    """A quick reply (nút gợi ý): its title and the sentence that tapping it means."""

    title: str
    say: str


@dataclass(frozen=True)
class Reply:
    """One message to the citizen."""

    text: str
    buttons: tuple[Offer, ...] = ()


@dataclass(frozen=True)
class Handover:
    """Why the bot wants a person, and what it understood."""

    reason: str
    summary: str


@dataclass(frozen=True)
class BotTurn:
    """What the bot made of a message."""

    outcome: str
    topics: tuple[str, ...] = ()
    citations: tuple[dict[str, str], ...] = ()
    as_of: date | None = None
    intent: str | None = None
    confidence: float | None = None
    escalate: Handover | None = None
    entities: tuple[Understood, ...] = ()


@dataclass(frozen=True)
class Answer:
    """A complete answer: what to say, and the turn behind it."""

    replies: tuple[Reply, ...]
    turn: BotTurn


def text_for_rasa(text: str) -> str:
    """The citizen's words with personal numbers masked and nothing that Rasa takes for a command."""
    return COMMAND_PREFIX.sub("", mask(text))


def parse_answer(messages: Any) -> Answer:
    """The answer in what Rasa's REST channel returned.

    Rasa answers 200 with whatever was collected even when an action failed, so exactly one closing `turn`
    and at least one text are required. Raises RasaFailed.
    """
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise RasaFailed("bad_response")
    turns = [
        message["custom"]["turn"]
        for message in messages
        if isinstance(message.get("custom"), dict) and "turn" in message["custom"]
    ]
    if not messages:
        raise RasaFailed("no_answer")
    if len(turns) != 1:
        raise RasaFailed("several_turns" if turns else "no_turn")
    replies = tuple(
        Reply(message["text"], _offers(message.get("buttons", ())))
        for message in messages
        if message.get("text")
    )
    if not replies:
        raise RasaFailed("no_reply")
    return Answer(replies, _turn(turns[0]))


def _offers(buttons: Any) -> tuple[Offer, ...]:
    try:
        return tuple(Offer(str(button["title"]), str(button["payload"])) for button in buttons)
    except (KeyError, TypeError) as error:
        raise RasaFailed("bad_buttons") from error


def _turn(raw: Any) -> BotTurn:
    try:
        if raw["outcome"] not in OUTCOMES:
            raise RasaFailed("bad_turn")
        escalate: Mapping[str, str] | None = raw.get("escalate")
        return BotTurn(
            outcome=raw["outcome"],
            topics=tuple(str(topic) for topic in raw.get("topics") or ()),
            citations=tuple(dict(citation) for citation in raw.get("citations") or ()),
            as_of=date.fromisoformat(raw["as_of"]) if raw.get("as_of") else None,
            intent=raw.get("intent"),
            confidence=None if raw.get("confidence") is None else float(raw["confidence"]),
            escalate=Handover(escalate["reason"], escalate["summary"]) if escalate else None,
            entities=tuple(
                Understood(str(entity["name"]), str(entity["value"]), str(entity["text"]))
                for entity in raw.get("entities") or ()
            ),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RasaFailed("bad_turn") from error


class RasaClient:
    """One Rasa server and its action server, on this machine."""

    def __init__(
        self,
        url: str,
        *,
        actions_url: str,
        retry_seconds: float,
        timeout_seconds: float = TURN_TIMEOUT_SECONDS,
        token: str | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.longest_turn_seconds = retry_seconds + 2 * timeout_seconds
        self._url = url
        self._actions_url = actions_url
        self._retry_seconds = retry_seconds
        self._sleep = sleep
        self._outage_from = self._refused_at = float("-inf")
        self._parameters = {"token": token} if token else {}
        # A kept connection that Rasa has closed fails after the request left, which could not be retried.
        self._http = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(force_close=True),
            timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        )

    async def close(self) -> None:
        await self._http.close()

    async def ready(self) -> bool:
        """Whether Rasa listens; it does so only once its model is loaded."""
        try:
            async with self._http.get(f"{self._url}/", params=self._parameters) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def ask(self, conversation_id: str, text: str, channel: str, as_of: date | None) -> Answer:
        """Ask once; again only after a refused connection, which asked nothing, or where nothing was said
        because no action server listens, so that no action ran.

        Raises RasaFailed.
        """
        body = {
            "sender": conversation_id,
            "message": text,
            "metadata": {"as_of": as_of and as_of.isoformat(), "channel": channel},
        }
        pauses = self._pauses()
        while True:
            try:
                return await self._ask_once(body)
            except aiohttp.ClientConnectorError as error:
                if error.os_error.errno != errno.ECONNREFUSED:
                    raise RasaFailed("unreachable") from error
                await self._pause(pauses, "refused")
            except RasaFailed as error:
                if error.reason != "no_answer" or not await self._actions_refuse():
                    raise
                while await self._actions_refuse():
                    await self._pause(pauses, "actions_refused")

    @staticmethod
    def _pauses() -> Iterator[float]:
        seconds = FIRST_PAUSE_SECONDS
        while True:
            yield seconds
            seconds = min(seconds * 2, LONGEST_PAUSE_SECONDS)

    async def _pause(self, pauses: Iterator[float], reason: str) -> None:
        """Wait before the next try. Raises RasaFailed once the outage (not this question) lasts too long."""
        seconds, now = next(pauses), asyncio.get_running_loop().time()
        if now - self._refused_at > OUTAGE_OVER_SECONDS:
            self._outage_from = now
        self._refused_at = now
        if now + seconds > self._outage_from + self._retry_seconds:
            raise RasaFailed(reason)
        await self._sleep(seconds)

    async def _actions_refuse(self) -> bool:
        """Whether nobody listens where the action server should."""
        try:
            async with self._http.get(f"{self._actions_url}/health"):
                return False
        except aiohttp.ClientConnectorError as error:
            return error.os_error.errno == errno.ECONNREFUSED
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _ask_once(self, body: Mapping[str, object]) -> Answer:
        url = f"{self._url}/webhooks/rest/webhook"
        try:
            async with self._http.post(url, json=body, params=self._parameters) as response:
                if response.status != 200:
                    raise RasaFailed(f"http_{response.status}")
                return parse_answer(await response.json())
        except aiohttp.ClientConnectorError:
            raise
        except TimeoutError as error:
            raise RasaFailed("timeout") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise RasaFailed("broken_response") from error
