"""What a calculator answers: figures, the working in Vietnamese, and the authority behind them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from knowledge_base.answers import footer, format_date
from knowledge_base.dated import Citation, Rules
from knowledge_base.expressions import FORMATS
from knowledge_base.yaml_files import read_yaml

Status = Literal["ok", "out_of_bounds", "not_eligible", "unsure"]
Said = int | Decimal | str | date
WORDING_FILE = Path(__file__).resolve().parent / "wording.yaml"
_PLACEHOLDER = re.compile(r"\{(\w+)(?: \| (\w+))?\}")


@lru_cache(maxsize=1)
def wordings() -> dict[str, str]:
    """Every sentence calculators say, by dotted name."""
    return {
        f"{calculator}.{name}": text
        for calculator, texts in read_yaml(WORDING_FILE, WORDING_FILE.name).items()
        for name, text in texts.items()
    }


def say(name: str, **values: Said) -> str:
    """A sentence of `wording.yaml` with its figures filled in, each in the format the sentence names."""

    def fill(match: re.Match[str]) -> str:
        value = values[match[1]]
        if isinstance(value, date):
            return format_date(value)
        if isinstance(value, str):
            return value
        return FORMATS[match[2]](value)

    return _PLACEHOLDER.sub(fill, wordings()[name])


def spoken_list(items: tuple[int, ...]) -> str:
    """`3, 6 hoặc 12`."""
    *first, last = (str(item) for item in items)
    return say("common.either", first=", ".join(first), last=last) if first else last


def _plain(value: Any) -> Any:
    """A value as JSON; a rate becomes a JSON number, money is already whole."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


@dataclass(frozen=True)
class Result:
    """The answer of a calculator; `outputs` are named by the contract, amounts in whole đồng.

    `working` has at most six chat lines, the answer first; `reason` says why `status` is not ok.
    """

    status: Status
    as_of: date
    outputs: Mapping[str, Any]
    reason: str | None
    working: tuple[str, ...]
    citations: tuple[Citation, ...]
    reported: bool  # rests on label R: carries the caution

    def as_json(self) -> dict[str, Any]:
        """The outputs at top level, with status, reason, as_of, citations and working."""
        return {
            "status": self.status,
            **{name: _plain(value) for name, value in self.outputs.items()},
            "reason": self.reason,
            "as_of": self.as_of.isoformat(),
            "label": "R" if self.reported else "V",
            "citations": [citation.as_json() for citation in self.citations],
            "working": list(self.working),
        }

    @property
    def lines(self) -> tuple[str, ...]:
        """Working and reason: what is certain comes before what is not, a plain no before its details."""
        reason = (self.reason,) if self.reason else ()
        return (*self.working, *reason) if self.status == "unsure" else (*reason, *self.working)

    def text(self) -> str:
        """The whole reply to a citizen: the answer or why there is none, its authority and day."""
        body = "\n".join(self.lines)
        return f"{body}\n\n{footer(self.citations, self.as_of, self.reported)}"


def answered(rules: Rules, outputs: Mapping[str, Any], *working: str | None) -> Result:
    """The figures asked for; a line of working that is None is left out."""
    return _result(rules, "ok", outputs, None, working)


def refused(
    rules: Rules, status: Status, reason: str, outputs: Mapping[str, Any] | None = None, *working: str | None
) -> Result:
    """Why there is no (whole) answer, with what is certain nevertheless."""
    return _result(rules, status, outputs or {}, reason, working)


def _result(
    rules: Rules,
    status: Status,
    outputs: Mapping[str, Any],
    reason: str | None,
    working: tuple[str | None, ...],
) -> Result:
    lines = tuple(line for line in working if line)
    return Result(status, rules.on, dict(outputs), reason, lines, rules.cited(), rules.reported)
