"""Read numbers below one thousand, in digits or in Vietnamese words."""

import re

from vietnamese.text import Reading

_WORD = r"(?:mot|hai|ba|bon|tu|nam|lam|nham|sau|bay|tam|chin|muoi|chuc|tram|linh|le)"
WORDS = rf"(?<![a-z]){_WORD}(?:\s+{_WORD}){{0,6}}(?![a-z])"
DIGITS = r"(?<![0-9])(?<![0-9][.,/\-])[0-9]{1,3}(?![0-9])"
NUMBER = rf"(?:{DIGITS}|{WORDS})"

_VALUES = {
    "mot": 1, "hai": 2, "ba": 3, "bon": 4, "tu": 4, "nam": 5, "lam": 5, "nham": 5,
    "sau": 6, "bay": 7, "tam": 8, "chin": 9,
}  # fmt: skip
_SPELLINGS = {
    "mot": {"một", "mốt", "môt", "mọt", "mộ"},
    "hai": {"hai"},
    "ba": {"ba"},
    "bon": {"bốn", "bôn"},
    "tu": {"tư"},
    "nam": {"năm"},
    "lam": {"lăm"},
    "nham": {"nhăm"},
    "sau": {"sáu"},
    "bay": {"bảy", "bẩy", "bãy", "bẫy"},
    "tam": {"tám"},
    "chin": {"chín"},
    "muoi": {"mười", "mươi", "muời", "mưòi", "mưoi", "mừoi", "mừơi", "muơi"},
    "chuc": {"chục"},
    "tram": {"trăm", "trâm", "trằm"},
    "linh": {"linh"},
    "le": {"lẻ", "lẽ"},
}
# Without accents these are as likely `sau` (after), `từ` (from), `làm` (do) …: numbers only where nobody
# writes accents.
_DOUBTFUL_BARE = {"nam", "sau", "tu", "lam", "tam", "bay", "le"}
_TOKEN = re.compile(r"[0-9]+|[a-z]+")


def read_number(reading: Reading, start: int, end: int) -> int | None:
    """The number written in the span, or None when it is another word or only an estimate "
    "(`hai ba tháng`)."""
    words = []
    for token in _TOKEN.finditer(reading.folded, start, end):
        word = token[0]
        if not word.isdigit():
            written = reading.written(token.start(), token.end())
            bare_is_fine = written == word and (reading.accent_free or word not in _DOUBTFUL_BARE)
            if not bare_is_fine and written not in _SPELLINGS[word]:
                return None
        words.append(word)
    return _compose(words)


def _unit(word: str) -> int | None:
    return int(word) if word.isdigit() else _VALUES.get(word)


def _compose(words: list[str]) -> int | None:
    if len(words) == 1 and words[0].isdigit():
        return int(words[0])
    if any(word.isdigit() and len(word) > 1 for word in words):
        return None
    total = 0
    hundreds = False
    if len(words) >= 2 and words[1] == "tram":
        unit = _unit(words[0])
        if unit is None:
            return None
        total, words, hundreds = unit * 100, words[2:], True
        if words and words[0] in {"linh", "le"}:
            unit = _unit(words[1]) if len(words) == 2 else None
            return None if unit is None else total + unit
    tens = False
    if words and words[0] == "muoi":
        total, words, tens = total + 10, words[1:], True
    elif len(words) >= 2 and words[1] in {"muoi", "chuc"}:
        unit = _unit(words[0])
        if unit is None:
            return None
        total, words, tens = total + unit * 10, words[2:], True
    if not words:
        return total if hundreds or tens else None
    unit = _unit(words[0])
    if len(words) > 1 or unit is None or (words[0] in {"lam", "nham", "tu"} and not tens):
        return None
    return total + (unit * 10 if hundreds and not tens else unit)
