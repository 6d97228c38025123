"""Compares a reply with what it must hold: amounts as numbers, everything else as folded words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vietnamese.amounts import parse_amounts
from vietnamese.text import fold

_NUMBER_WORDS = dict(mot=1, hai=2, ba=3, bon=4, sau=6, bay=7, tam=8, chin=9, muoi=10)
# Each pattern reads folded text; what is written in several ways becomes one way. The word for five
# is left alone: folded it is also the word for year.
_ONE_WAY: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), one)
    for pattern, one in (
        (r"\s+", " "),
        (r"(?<![\d.,])0+(?=\d)", ""),
        (r"\b(?:ngay )?(\d{1,2})(?:/|-|\.| thang )(\d{1,2})(?:/|-|\.| nam )(\d{4})\b", r"\1/\2/\3"),
        (r"\b(?:thang |t)(\d{1,2})(?:/| ?nam )(\d{4})\b", r"\1/\2"),
        (r"\bngay (\d{1,2}) thang (\d{1,2})\b", r"\1/\2"),
        (r"(?<=\d)/0(?=\d)", "/"),
        (r"\bbao hiem xa hoi\b", "bhxh"),
        (r"\bbao hiem y te\b", "bhyt"),
        (r"\bbao hiem that nghiep\b", "bhtn"),
        (r"\bluong co so\b", "muc tham chieu"),
        (r"\btai nan lao dong\b", "tnld"),
        (r"\buy ban nhan dan\b", "ubnd"),
        (r"\b(?:ngan sach nha nuoc|nsnn)\b", "ngan sach"),
        (r"\b(?:can cuoc cong dan|cccd)\b", "can cuoc"),
        (r"\bkham(?: benh)?, chua benh\b", "kham chua benh"),
        (r"\bhang quy\b", "3 thang"),
        (r"\b1900[ .]?9068\b", "1900 9068"),
        (r"\s*\bphan tram\b|\s+%", "%"),
        (r"\b(?:ngay lam viec|nlv)\b", "ngay"),
    )
)
_COUNTED = r"(?= (?:ngay|thang|nam|lan|tuoi|nguoi|tuan|con|than nhan)\b)"
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_NUMBER_WORDS)}){_COUNTED}")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:[.,]\d{3})+(?!\d|[.,]\d)")
_OPERATOR_BEFORE = re.compile(r"(?:[×*+−÷]|\bx|\d\s*/|\d\s+-)\s*$")
_OPERATOR_AFTER = re.compile(r"\s*(?:đồng|đ)?\s*(?:[×*+−÷=]|x\b|/\s*\d|-\s+\d)")
LEAST_AMOUNT = 1000  # below this a number is a count, a rate or a duration


def comparable(text: str) -> str:
    """Folded text with synonyms, dates and rates written one way and no leading zeros."""
    folded = fold(text)
    for pattern, one in _ONE_WAY:
        folded = pattern.sub(one, folded)
    return _NUMBER_WORD.sub(lambda match: str(_NUMBER_WORDS[match[1]]), folded).strip()


def _located_amounts(text: str) -> Iterator[tuple[int, int, int]]:
    """Every amount in đồng with its start and end, however it is written."""
    taken: set[int] = set()
    for amount in parse_amounts(text):
        taken.update(range(amount.start, amount.end))
        yield amount.value, amount.start, amount.end
    for match in _GROUPED.finditer(text):
        if match.start() not in taken:
            yield int(re.sub(r"\D", "", match[0])), match.start(), match.end()


def amounts_in(text: str) -> set[int]:
    """Every amount in đồng, whether it says so or not (`66.000`, `1tr5`)."""
    return {value for value, _, _ in _located_amounts(text)}


def presented_amounts(line: str) -> set[int]:
    """The amounts a line states, without the factors it works them out from."""
    return {
        value
        for value, start, end in _located_amounts(line)
        if not _OPERATOR_BEFORE.search(line[:start]) and not _OPERATOR_AFTER.match(line, end)
    }


def answer_amounts(text: str, question: str) -> set[int]:
    """The amounts a reply gives as its answer.

    They are those of the first line that states more than the question did, and of every line that
    states at most two: a long list holds nearly every figure and answers nothing.
    """
    asked = amounts_in(question)
    answer: set[int] = set()
    for line in text.splitlines():
        stated = presented_amounts(line) - asked
        if stated and (not answer or len(stated) <= 2):
            answer |= presented_amounts(line)
    return answer


def amount_of(alternative: str) -> int | None:
    """The amount an alternative of `expected` is, or None when it is words."""
    written = alternative.strip()
    values = [value for value, start, end in _located_amounts(written) if start == 0 and end == len(written)]
    return values[0] if values and values[0] >= LEAST_AMOUNT else None


def says(alternative: str, comparable_reply: str) -> bool:
    """Whether a reply holds these words whole: `5 ngày` is not in `15 ngày`, nor `30%` in `130%`."""
    words = re.escape(comparable(alternative))
    before = r"(?<!\w)(?<!\d[.,])" if words[0].isalnum() else ""
    after = r"(?!\w)(?![.,]\d)" if words[-1].isalnum() else ""
    return re.search(f"{before}{words}{after}", comparable_reply) is not None


def facts_met(expected: Sequence[str], text: str, amounts: set[int] | None = None) -> bool:
    """Whether every entry is met; inside an entry `a|b` either will do.

    Amounts are looked for among `amounts`, by default every amount of the text.
    """
    reply = comparable(text)
    given = amounts_in(text) if amounts is None else amounts

    def met(alternative: str) -> bool:
        amount = amount_of(alternative)
        return says(alternative, reply) if amount is None else amount in given

    return all(any(met(alternative) for alternative in entry.split("|")) for entry in expected)
