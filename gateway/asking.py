"""Asks a running gateway from the command line: one question, or a file of them."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import aiohttp

from gateway.inbox import MAX_TEXT
from gateway.settings import Settings

TIMEOUT_SECONDS = 200.0  # the gateway gives up first
FIELDS = (
    "replies",
    "buttons",
    "intent",
    "confidence",
    "topics",
    "outcome",
    "citations",
    "as_of",
    "latency_ms",
)


class AskError(Exception):
    """The message says what is wrong and the way out; `exit_code` is 2 where the input is at fault."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Line:
    """One line of a batch: `on` is an ISO date or None."""

    number: int
    id: Any
    text: str
    conversation: str
    on: str | None


def gateway_url(settings: Settings, given: str | None) -> str:
    """The gateway given, else the one of the running stack. Raises AskError."""
    if given:
        return given.rstrip("/")
    try:
        return str(json.loads(settings.stack_file.read_text())["gateway"]).rstrip("/")
    except FileNotFoundError as error:
        raise AskError(
            f"no stack runs on {settings.data_dir}; start one with `make run` or name it with --gateway",
            1,
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AskError(f"{settings.stack_file} cannot be read; name the gateway with --gateway", 1) from error


def read_batch(path: Path, on: str | None) -> list[Line]:
    """The lines of a JSON-lines file; blank lines are passed over. Raises AskError naming the line."""
    try:
        rows = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise AskError(f"{path} cannot be read: {error}") from error
    # Conversations of two runs never meet: each run's names are its own.
    run = uuid4().hex
    lines: list[Line] = []
    for number, row in enumerate(rows, start=1):
        if row.strip():
            lines.append(_line(f"{path}, line {number}", number, row, run, on))
    if not lines:
        raise AskError(f"{path} holds no questions")
    seen: dict[str, int] = {}
    for line in lines:
        first = seen.setdefault(json.dumps(line.id), line.number)
        if first != line.number:
            raise AskError(f"{path}, line {line.number}: the id {line.id!r} is already that of line {first}")
    return lines


def _line(where: str, number: int, row: str, run: str, on: str | None) -> Line:
    try:
        fields = json.loads(row)
    except ValueError as error:
        raise AskError(f"{where}: not JSON: {error}") from error
    if not isinstance(fields, dict):
        raise AskError(f"{where}: write one JSON object a line")
    identity, text, conversation = fields.get("id"), fields.get("text"), fields.get("conversation")
    if isinstance(identity, bool) or not isinstance(identity, (str, int)):
        raise AskError(f"{where}: id is missing or not a text")
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_TEXT:
        raise AskError(f"{where}: text must be a sentence of at most {MAX_TEXT} characters")
    if conversation is not None and (not isinstance(conversation, str) or not conversation):
        raise AskError(f"{where}: conversation must be a text")
    day = fields.get("on", on)
    if day is not None:
        check_date(day, where)
    name = f"{run}-{conversation}" if conversation is not None else f"{run}#{number}"
    return Line(number, identity, text, name[:128], day)


def check_date(day: object, where: str) -> None:
    """Raises AskError, naming where it stood, if `day` is not an ISO date."""
    try:
        date.fromisoformat(day)  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        raise AskError(f"{where}: {day!r} is not a date like 2026-11-21") from error


class Asker:
    """Puts questions to one gateway."""

    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self._http = http
        self._url = url

    async def ask(self, text: str, conversation: str, on: str | None) -> dict[str, Any]:
        """The turn as the gateway gives it. Raises AskError."""
        body = {"text": text, "conversation": conversation, "on": on}
        try:
            async with self._http.post(f"{self._url}/evaluation/ask", json=body) as response:
                if response.status == 200:
                    answer: dict[str, Any] = await response.json()
                    return answer
                if response.content_type != "application/json":
                    raise AskError(f"{self._url} is not a gateway (HTTP {response.status})", 1)
                message = (await response.json())["message"]
                raise AskError(message, 2 if response.status < 500 else 1)
        except TimeoutError as error:
            raise AskError(f"{self._url} gave no answer within {TIMEOUT_SECONDS:.0f} seconds", 1) from error
        except aiohttp.ClientError as error:
            raise AskError(f"{self._url} cannot be reached: {error}", 1) from error


def session() -> aiohttp.ClientSession:
    """A client session for asking."""
    return aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS))


async def ask_one(url: str, text: str, on: str | None) -> dict[str, Any]:
    """Ask one question in a conversation of its own. Raises AskError."""
    async with session() as http:
        return await Asker(http, url).ask(text, uuid4().hex, on)


async def ask_batch(url: str, lines: list[Line], out: TextIO, parallel: int) -> None:
    """Ask every line, each conversation in order and `parallel` conversations at once.

    Rows are written in the order of the input as soon as everything before them is answered.
    Raises AskError; what was answered until then is written.
    """
    conversations: defaultdict[str, list[Line]] = defaultdict(list)
    for line in lines:
        conversations[line.conversation].append(line)
    progress = Progress(lines, out)
    slots = asyncio.Semaphore(parallel)
    async with session() as http:
        asker = Asker(http, url)
        tasks = [
            asyncio.create_task(_ask_conversation(asker, conversation, slots, progress.answered))
            for conversation in conversations.values()
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _ask_conversation(
    asker: Asker,
    conversation: list[Line],
    slots: asyncio.Semaphore,
    answered: Callable[[Line, dict[str, Any]], None],
) -> None:
    async with slots:
        for line in conversation:
            try:
                answered(line, await asker.ask(line.text, line.conversation, line.on))
            except AskError as error:
                raise AskError(f"line {line.number}: {error}", error.exit_code) from error


class Progress:
    """Writes answers in order and counts them on standard error."""

    def __init__(self, lines: list[Line], out: TextIO) -> None:
        self._waiting = [line.number for line in reversed(lines)]
        self._answers: dict[int, dict[str, Any]] = {}
        self._total = len(lines)
        self._done = 0
        self._out = out

    def answered(self, line: Line, answer: dict[str, Any]) -> None:
        """Note an answer, and write whatever is now next in order."""
        self._answers[line.number] = {"id": line.id, **{field: answer[field] for field in FIELDS}}
        self._done += 1
        while self._waiting and self._waiting[-1] in self._answers:
            row = self._answers.pop(self._waiting.pop())
            self._out.write(json.dumps(row, ensure_ascii=False) + "\n")
        self._out.flush()
        end = "\n" if self._done == self._total else ""
        print(f"\r{self._done}/{self._total}", end=end, file=sys.stderr, flush=True)
