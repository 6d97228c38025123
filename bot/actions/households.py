"""Who of a household pays for a card: not who has one already; who joins later comes after the others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.actions.families import Values
from bot.actions.reading import Entity, Question
from vietnamese.household import parse_members
from vietnamese.numbers import read_number
from vietnamese.text import Reading, fold

_COUNT = r"(?P<count>[1-9]|mot|hai|ba|bon)"
_PAIR = r"(?P<pair>ong ba|ba me|bo me|cha me|ba ma|bo ma)"
_ONE = (
    r"(?P<one>(?:con|chau) (?:trai|gai|dau|re|ut)|(?:thang|dua|con|nhoc) (?:lon|ut|nho|em)"
    r"|(?:ong|ba) (?:noi|ngoai)|chong|vo|vk|ck|me|ma|bo|cha)"
)
_OF_THE_HOUSE = re.compile(
    rf"\b(?:{_COUNT} (?:dua|be|chau|con|em|nhoc|nguoi|ng|khau|thanh vien|ong ba|ba me|bo me"
    rf"|(?=hoc sinh|sinh vien|tre))|{_PAIR}|{_ONE})\b"
)
_STUDIES = (
    r"(?:dang |con |da )*(?:di hoc|hoc sinh|sinh vien|hssv|hoc (?:lop|dai hoc|cao dang|cap|truong|tieu hoc)"
    r"|lop [0-9]|hoc\b(?! viec))"
)
_HAS_A_CARD = re.compile(
    rf"\b(?:{_STUDIES}|(?<!chua )(?<!khong )(?<!ko )co (?:the(?: roi| cong ty| cty| o| hoc| huu| di lam|$)"
    r"|bhyt|bao hiem)|(?:the|bhyt) (?:cong ty|cty|o cong ty|hoc sinh)|(?:luong|the) huu|huu tri"
    r"|(?:tre )?duoi (?:6|sau) tuoi|[1-5] tuoi|di bo doi)"
)
_CLAUSE = re.compile(r"[,.;:()?!\n]|\b(?:con lai|thi|va)\b")

_ADDED = re.compile(r"\b(?:(?:mua|dong|tham gia) them|(?:gio|nay) them)\b")
_PAID_BEFORE = re.compile(
    r"\b(?:mua|dong)\b[^.;?!]{0,40}\broi\b[^.;?!]{0,20}?\b(?:gio|nay|hom nay|moi)\b[^.;?!]{0,25}\bmua\b"
)
_CARDS_BOUGHT = re.compile(rf"\b{_COUNT} the\b")
_BOUGHT_ONE = re.compile(
    r"\b(?:toi|em|minh|chong|ck|vo|vk|me|bo)\b[^,.;?!]{0,12}\b(?:da |moi )?(?:mua|dong)\b(?! them)"
)
_ONLY = re.compile(r"\bchi (?:mua|dong)(?: cho)?\b")
_ONE_MORE = re.compile(rf"^(?:da |a |neu |the |vay |con )*them {_COUNT} (?:nguoi|ng|dua|be|chau|khau)\b")

# Said of a household counted before: `trong đó có 1 đứa học lớp 3`, `trừ bà nội ra`.
_OF_THESE = re.compile(r"^(?:da |a |ma |nhung )*(?:trong (?:do|so do|nha)|nha)(?: thi)?(?: co)?\b")
_WITHOUT = re.compile(r"^(?:da |a |ma |nhung |vay |neu )*(?:tru|bo|khong tinh|ko tinh|k tinh)\b")


def read_household(question: Question, values: Values) -> None:
    """Sets how many pay, or which member is meant, from what is said of the others of the household."""
    folded = fold(question.text)
    family = next((entity for entity in question.entities if entity.name == "members"), None)
    if more := _ONE_MORE.search(folded):
        values.pop("members", None)
        values["more_members"] = _number(question, more) or 1
        return
    added = _ADDED.search(folded) or _PAID_BEFORE.search(folded)
    if added:
        values.pop("members", None)  # who joins later is not the first: how many paid before decides
        paid = _paid_before(question, family, added)
        if paid:
            values.setdefault("member_order", paid + 1)
        return
    if only := _ONLY.search(folded):
        members = parse_members(question.text[only.end() :])
        if members:
            values["members"] = members.value
            return
    if not family:
        if others := _left_out(question, folded):
            values["fewer_members"] = others
    elif values.get("members"):
        others = sum(_with_cards(question, folded, family.end))
        if 0 < others < values["members"]:
            values["members"] -= others


def added_to(before: Values, found: Values) -> Values:
    """What was said before, with what is said now; `thêm một người nữa` is one more than before."""
    values = {**before, **found}
    if "members" in found and "member_order" not in found:
        values.pop("member_order", None)
    for once in ("more_members", "fewer_members"):  # of this message only
        values.pop(once, None)
    more, fewer = found.get("more_members", 0), found.get("fewer_members", 0)
    if more:
        values["members"] = before.get("members", 0) + more
    elif before.get("members", 0) > fewer > 0:
        values["members"] = before["members"] - fewer
    return values


def _left_out(question: Question, folded: str) -> int:
    """How many of the household counted before do not pay."""
    if of_these := _OF_THESE.match(folded):
        return sum(_with_cards(question, folded, of_these.end()))
    named = _OF_THE_HOUSE.search(folded) if _WITHOUT.match(folded) else None
    return _people(question, named) if named else 0


def _with_cards(question: Question, folded: str, start: int) -> Iterator[int]:
    """How many have a card already, of each clause that says so."""
    for clause in _clauses(folded, start):
        named = _OF_THE_HOUSE.search(folded, *clause)
        if named and _HAS_A_CARD.search(folded, named.end(), clause[1]):
            yield _people(question, named)


def _clauses(folded: str, start: int) -> Iterator[tuple[int, int]]:
    for end in [*(match.start() for match in _CLAUSE.finditer(folded, start)), len(folded)]:
        yield start, end
        start = end


def _paid_before(question: Question, family: Entity | None, added: re.Match[str]) -> int | None:
    """How many of the household had paid: as counted, as cards, or the one who is named."""
    folded = fold(question.text)
    if family and family.start < added.end():
        return int(family.value)
    if cards := _CARDS_BOUGHT.search(folded, 0, added.end()):
        return _number(question, cards)
    return 1 if _BOUGHT_ONE.search(folded, 0, added.end()) else None


def _people(question: Question, named: re.Match[str]) -> int:
    """How many of the household are named: as counted, a pair, or one."""
    return _number(question, named) or (2 if named["pair"] else 1)


def _number(question: Question, match: re.Match[str]) -> int | None:
    """The count of a match, where one is written."""
    return read_number(Reading.of(question.text), *match.span("count")) if match["count"] else None
