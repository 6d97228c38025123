"""What reaches the log files of Rasa and the action server."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from rasa.utils.endpoints import ClientResponseError

from bot.logs import WordlessFormatter

WORDS = "em bị sảy thai tuần 9"


def logged(message: str, error: bool = False) -> dict[str, Any]:
    info = sys.exc_info() if error else None
    record = logging.LogRecord("rasa.core", logging.ERROR, __file__, 1, message, (), info)
    line = WordlessFormatter().format(record)
    assert "\n" not in line
    assert WORDS not in line and WORDS.encode("unicode_escape").decode() not in line
    return dict(json.loads(line))


def test_event_level_and_logger_are_said() -> None:
    line = logged("Rasa server is up and running.")
    assert (line["event"], line["level"]) == ("Rasa server is up and running.", "error")
    assert line["logger"] == "rasa.core"


def test_a_structured_event_is_named_without_what_it_carries() -> None:
    event = json.dumps({"text": WORDS, "event": "rest.message.received.failure", "level": "error"})
    assert logged(event)["event"] == "rest.message.received.failure"
    assert logged("{" + WORDS)["event"] == "unreadable structured event"


def test_a_failure_is_placed_without_its_message() -> None:
    try:
        try:
            int(WORDS)
        except ValueError as error:
            raise ClientResponseError(500, "Internal Server Error", WORDS) from error
    except ClientResponseError:
        line = logged("Encountered an exception", error=True)
    assert [failure["type"] for failure in line["failure"]] == ["ClientResponseError", "ValueError"]
    assert "test_logs.py" in line["failure"][0]["at"][0]


def test_a_quoted_answer_is_left_out_of_the_message() -> None:
    error = ClientResponseError(500, "Internal Server Error", f"[{{'text': '{WORDS}'}}]\n{WORDS}")
    line = logged(f"Failed to execute custom action as a result of error '{error}'.")
    assert line["event"].endswith("500, Internal Server Error, body left out")
