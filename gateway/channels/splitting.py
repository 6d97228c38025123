"""Splits a text that is too long for one message, at the end of a sentence and never inside a figure."""

from __future__ import annotations

import re

# Best places first; a figure such as 1.500.000 đồng or 4,5 % is never cut, nor parted from its unit.
_PLACES = (
    re.compile(r"\n+"),
    re.compile(r"(?<=[.!?…])[\"”’)\]]*[^\S\n]+(?!\d)"),
    re.compile(r"(?<=[.!?…;:])[^\S\n]+"),
    re.compile(r"(?<![\d\s])\s+|(?<=\d)\s+(?=[^\W\d]{6})"),
    re.compile(r"(?<!\d)(?!\d)"),
)


def split_text(text: str, longest: int) -> list[str]:
    """The text in parts of at most `longest` characters, none empty; the blanks between parts are dropped."""
    parts = []
    rest = text.strip()
    while len(rest) > longest:
        end, start = _cut(rest, longest)
        parts.append(rest[:end].rstrip())
        rest = rest[start:].lstrip()
    return [*parts, rest] if rest else parts


def _cut(text: str, longest: int) -> tuple[int, int]:
    """Where the first part ends and where the next begins."""
    window = text[: longest + 1]
    for place in _PLACES:
        # A very short first part reads worse than a cut at a lesser place.
        fitting = [m for m in place.finditer(window) if longest // 2 <= m.start() <= longest]
        if fitting:
            # What closes a sentence (a quotation mark, a bracket) stays with it.
            last = fitting[-1]
            closing = len(last[0].rstrip())
            if last.start() + closing <= longest:
                return last.start() + closing, last.end()
    return longest, longest
