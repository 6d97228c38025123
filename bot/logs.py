"""Logs of Rasa and the action server: JSON lines of what happened and where, never what a citizen wrote.

Rasa 3.6.21 writes a message's text when a turn fails, and the action server's answer with the whole tracker
in it. Messages of exceptions may quote what they stumbled on. Named in bot/logging.yml.
"""

from __future__ import annotations

import json
import logging
import re
import time
import traceback
from types import TracebackType
from typing import Any

# How rasa.utils.endpoints.ClientResponseError quotes the server's answer, the tracker in it.
_BODY = re.compile(r"body=.*", re.DOTALL)
_ExceptionInfo = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


def _said(record: logging.LogRecord) -> str:
    """The message; of a structured event, which Rasa hands over as JSON, its name only."""
    message = record.getMessage()
    if message.startswith("{"):
        try:
            event = json.loads(message)
        except ValueError:
            return "unreadable structured event"
        return str(event.get("event", "unnamed event")) if isinstance(event, dict) else "unnamed event"
    return _BODY.sub("body left out", message)


def _failure(info: _ExceptionInfo) -> list[dict[str, Any]]:
    """Each exception of the chain, the first cause last: its type and the lines it passed, no message."""
    chain: list[dict[str, Any]] = []
    error = info[1]
    while error is not None and len(chain) < 10:
        frames = traceback.extract_tb(error.__traceback__)
        where = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        chain.append({"type": type(error).__qualname__, "at": where})
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return chain


class WordlessFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, event and, where something failed, `failure`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": _said(record),
        }
        if record.exc_info:
            line["failure"] = _failure(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
