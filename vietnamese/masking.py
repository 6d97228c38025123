"""Find and mask personal numbers: identity card, insurance codes, phone, bank account, e-mail."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from vietnamese.text import fold

Kind = Literal[
    "citizen_id", "old_id", "social_insurance", "health_card", "phone", "bank_account", "email", "number"
]


@dataclass(frozen=True)
class PersonalNumber:
    """Where a number that identifies a person stands, in characters of the NFC text."""

    kind: Kind
    start: int
    end: int


_MASK = "•"
_KIND_OF_LENGTH: dict[int, Kind] = {9: "old_id", 10: "social_insurance", 12: "citizen_id", 13: "health_card"}
_KEPT = 3
_GAP = r"[ .\-\u00a0\u2010-\u2014]{0,2}"
_CURRENCY = r"\s*(?:d|dong|vnd|tr|trieu|k|nghin|ngan|ty)(?![a-z])|\s*₫"
# The order is that of precedence; the first four are what is not personal, or needs its surroundings.
_CANDIDATE = re.compile(
    rf"""
    (?P<date>(?<![\d•])\d{{1,2}}[./-]\d{{1,2}}[./-]\d{{4}}(?!\d))
    | (?P<hotline>(?<![\d•])1[89]00[ .]?\d{{4}}(?!\d))
    | (?P<money>(?<![\d•])
        (?:[1-9]\d{{0,2}}(?:\.\d{{3}}){{1,4}}|[1-9]\d{{0,2}}(?:,\d{{3}}){{1,4}}|[1-9]\d*(?={_CURRENCY}))(?![.,]?\d))
    | (?P<email>(?<![\w.+•-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<account>(?<![a-z])(?:stk|so\s*tai\s*khoan|tai\s*khoan|so\s*tk|tk)(?![a-z])
        [^\d\n•]{{0,25}}(?P<digits>\d(?:{_GAP}\d){{5,}}))
    | (?P<card>(?<![\w•])[a-z]{{2}}{_GAP}\d(?:{_GAP}\d){{12}}(?!\d))
    | (?P<run>(?<![\d•])\+?\d(?:{_GAP}\d){{8,}})
    """,
    re.VERBOSE,
)
_IS_MONEY_AFTER = re.compile(_CURRENCY)
_MONEY = re.compile(r"[1-9]\d{0,10}|[1-9]\d{0,2}(?:[.,]\d{3})+")
_GROUP = re.compile(r"\d+")
_YEAR = re.compile(r"(?:19|20)\d\d")


def find_personal_numbers(text: str) -> list[PersonalNumber]:
    """Personal numbers in order. Amounts of money, dates and the hotline 1900 xxxx are none."""
    text = unicodedata.normalize("NFC", text)
    folded = fold(text)
    found: list[PersonalNumber] = []
    for match in _CANDIDATE.finditer(folded):
        kind = match.lastgroup
        if kind in {"date", "hotline"}:
            continue
        start, end = match.span()
        if kind == "email":
            found.append(PersonalNumber("email", start, end))
        elif kind == "money":
            if _is_identifier(folded, start, end):
                found.append(PersonalNumber(_kind(match[0]), start, end))
        elif match["account"]:
            start, end = match.span("digits")
            money = _MONEY.fullmatch(folded, start, end) and _IS_MONEY_AFTER.match(folded, end)
            if not money or _is_identifier(folded, start, end):
                found.append(PersonalNumber("bank_account", start, end))
        elif kind == "card":
            found.append(PersonalNumber("health_card", start, end))
        else:
            found += _in_run(folded, start, end)
    return found


def mask(text: str) -> str:
    """The NFC text with every personal number dotted out but for its last three characters."""
    text = unicodedata.normalize("NFC", text)
    for number in find_personal_numbers(text):
        dots = _MASK * (number.end - number.start - _KEPT)
        text = text[: number.start] + dots + text[number.end - _KEPT :]
    return text


def _digits(written: str) -> str:
    return "".join(_GROUP.findall(written))


def _kind(written: str) -> Kind:
    digits = _digits(written)
    if len(digits) == 12 and digits.startswith("0"):
        return "citizen_id"
    if (digits.startswith("0") and len(digits) == 10) or (digits.startswith("84") and len(digits) == 11):
        return "phone"
    return _KIND_OF_LENGTH.get(len(digits), "number")


def _is_identifier(folded: str, start: int, end: int) -> bool:
    """Whether nine digits or more that look like money are not (`7912345678 k`, `123.456.789`)."""
    digits = _digits(folded[start:end])
    if len(digits) < 9:
        return False
    if len(digits) == end - start:
        return not digits.endswith("000")
    return not digits.endswith("00") and not _IS_MONEY_AFTER.match(folded, end)


def _in_run(folded: str, start: int, end: int) -> list[PersonalNumber]:
    """Personal numbers in digits with small gaps, where years or amounts may stand side by side."""
    found: list[PersonalNumber] = []
    together: list[re.Match[str]] = []
    for group in _GROUP.finditer(folded, start, end):
        if len(group[0]) < 9:
            together.append(group)
            continue
        found += _in_groups(together)
        together = []
        if not _is_round_sum(group[0]):
            found.append(PersonalNumber(_kind(group[0]), group.start(), group.end()))
    return found + _in_groups(together)


def _in_groups(groups: list[re.Match[str]]) -> list[PersonalNumber]:
    """The one personal number that short groups of digits make up, if they look like one."""
    digits = "".join(group[0] for group in groups)
    if len(digits) < 9:
        return []
    sizes = [len(group[0]) for group in groups]
    starts_like_one = digits.startswith("0") or (digits.startswith("84") and len(digits) == 11)
    has_year = any(_YEAR.fullmatch(group[0]) for group in groups)
    grouped_like_one = sizes == [3, 3, 3] or (
        len(digits) in {10, 13, 15} and min(sizes) >= 2 and max(sizes) <= 5 and not has_year
    )
    if not (starts_like_one or grouped_like_one):
        return []
    return [PersonalNumber(_kind(digits), groups[0].start(), groups[-1].end())]


def _is_round_sum(digits: str) -> bool:
    return len(digits) == 9 and digits.endswith("000000") and not digits.startswith("0")
