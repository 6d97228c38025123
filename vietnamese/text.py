"""Make text uniform (NFC, safe, bounded) and fold it so that accent-free and accented writing meet."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

Value = TypeVar("Value", bound="int | str | bool")

# Stands where a span was already understood, so that later patterns do not read it a second time.
CLAIMED = "\x00"

_STRAY_MARKS = range(0x0300, 0x0370)
_UNSAFE = re.compile(
    r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
_LEFT_OVER_MARK = re.compile(r"[\u0300-\u036f]")
_BLANKS = re.compile(r"[^\S\n]+")
_LINE_BREAKS = re.compile(r" ?\n[ \n]*")


def _folding_table() -> dict[int, str]:
    """One character to one character: lower case, without its accent, Latin letters only."""
    table = {mark: "'" for mark in _STRAY_MARKS}
    for code in (*range(0x41, 0x5B), *range(0xC0, 0x250), *range(0x1E00, 0x1F00)):
        base = unicodedata.normalize("NFD", chr(code))[0].lower()
        if len(base) == 1 and base != chr(code):
            table[code] = base
    table.update({ord(letter): "d" for letter in "đĐðÐ"})  # eth is typed for đ by some keyboards
    return table


_FOLDING = _folding_table()


@dataclass(frozen=True)
class Found(Generic[Value]):
    """What was understood and where: `start` and `end` count characters of the NFC text."""

    value: Value
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class Reading:
    """One message prepared for reading: NFC text, its folded twin of equal length, and how it was typed."""

    text: str
    folded: str
    accent_free: bool

    @classmethod
    def of(cls, text: str) -> "Reading":
        composed = unicodedata.normalize("NFC", text)
        return cls(composed, fold(composed), is_accent_free(composed))

    def written(self, start: int, end: int) -> str:
        """The span as typed, in lower case, to tell `năm` (five, year) from `nam` (male)."""
        return self.text[start:end].lower()

    def found(self, value: Value, start: int, end: int) -> Found[Value]:
        return Found(value, start, end, self.text[start:end])

    def without(self, spans: Iterable[tuple[int, int]]) -> "Reading":
        """The same message with these spans hidden from further reading."""
        folded = self.folded
        for start, end in spans:
            folded = folded[:start] + CLAIMED * (end - start) + folded[end:]
        return self if folded == self.folded else replace(self, folded=folded)


def normalise(text: str, max_length: int = 2000) -> str:
    """NFC text without control characters, blanks collapsed, line breaks kept, at most `max_length` long."""
    text = _UNSAFE.sub(lambda match: " " if match[0] in "\t\r\v\f" else "", text.replace("\r\n", "\n"))
    text = _LEFT_OVER_MARK.sub("", unicodedata.normalize("NFC", text))
    text = _LINE_BREAKS.sub("\n", _BLANKS.sub(" ", text)).strip()
    return text[:max_length].rstrip()


def fold(text: str) -> str:
    """Lower case without accents (đ is d); as long as its input when that is NFC."""
    return unicodedata.normalize("NFC", text).translate(_FOLDING)


def is_accent_free(text: str) -> bool:
    """Whether the writer leaves accents out: fewer than one word in five carries one (`bn tien 1 nam ạ`)."""
    words = unicodedata.normalize("NFC", text).lower().split()
    marked = sum(word.translate(_FOLDING) != word for word in words)
    return marked * 5 < len(words) or not marked
