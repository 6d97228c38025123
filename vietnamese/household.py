"""How many of a household pay for cards, and which member in order is meant."""

import re
from collections.abc import Iterator

from vietnamese.numbers import DIGITS, NUMBER, WORDS, read_number
from vietnamese.text import CLAIMED, Found, Reading

_PERSON = r"(?:nguoi|nguoif|nguoii|nguio|ngui|ng)"
_NUMBER_OF_PEOPLE = rf"(?<!thu )(?<!nguoi )(?<!\bng )(?P<count>{NUMBER})"
_PEOPLE = re.compile(
    rf"{_NUMBER_OF_PEOPLE}\s*(?:{_PERSON}|khau|nhan khau|thanh vien|tv|mieng an)(?![a-z])(?!\s*thu\s*[0-9])"
)
_SOME_OF = re.compile(rf"(?P<count>{DIGITS})\s*(?:/|tren)\s*[0-9]{{1,2}}\s*{_PERSON}(?![a-z])")
_REST = re.compile(
    rf"(?<![a-z])con(?:\s+lai)?\s+(?P<count>{NUMBER})\s*(?:{_PERSON}|vo chong|me con|bo con)(?![a-z])"
)
_HOUSE = re.compile(
    rf"(?<![a-z])(?:nha|ho|gia dinh|ca nha)(?:\s+(?:em|e|minh|toi|co|minh co|em co|e co|toi co))?\s+"
    rf"(?P<count>{WORDS}|{DIGITS})\s*"
    rf"{_PERSON}(?![a-z])"
)
_COUPLE = re.compile(
    r"(?<![a-z])(?:(?:2|hai)\s*)?(?:vo\s*chong|(?<=[2-9] )vc|vk\s*ck|ck\s*vk|chong vo)(?![a-z])"
    r"(?:\s+(?:em|e|minh|toi|chung toi|nha em|nha minh|con|chau|tui))?"
    rf"(?:\s*(?:va|voi|cung|\+|,|them|cong)?\s*(?:(?P<children>{NUMBER})\s*(?:con|dua|chau|be|nhoc)(?![a-z])"
    r"|(?P<parents>ba me|bo me|cha me|ong ba)(?![a-z])|(?P<parent>me|bo|ba|ma|cha|ong|ba)\s+(?:gia"
    r"|chong|vo|em|toi|minh)(?![a-z])))?"
)
# `vợ chồng em với ba mẹ là 4, thêm đứa em là 5`
_SUM = re.compile(r"(?<![a-z])la\s+([2-9])(?=\s*(?:[,.]|$|nguoi|ng|thi))")
_KIN = re.compile(
    rf"(?P<count>{NUMBER})\s*(?:me con|bo con|cha con|ba con|ba chau|ong chau|chi em|anh em|anh chi em"
    rf"|di chau|ong ba|me va con)(?![a-z])"
)
_PARENTS = re.compile(
    r"(?<![a-z])(?:mua|dong|lam)(?:\s+[a-z]+){0,3}\s+cho\s+(?:ba me|bo me|cha me|ong ba)(?![a-z])"
)
# `ông bà, 2 vợ chồng em với 1 đứa em mua`: those who buy, named one by one
_PAIR = r"(?:vo chong|vk ck|vc|ong ba|ba me|bo me|cha me|ba ma|bo ma)"
_CHILDREN = r"(?:dua|be|chau|nguoi con|con)"
_NAMED = (
    rf"(?:(?:{NUMBER}\s*)?{_PAIR}|{NUMBER}\s*{_CHILDREN}(?: (?:con|em|e|chau))?"
    r"|(?:anh|chi|em|e|con|chau) (?:trai|gai|dau|re|ut|ruot|ho)|(?:ong|ba) (?:noi|ngoai)"
    r"|toi|minh|em|e|tui|chong|ck|vo|vk|me|ma|bo|ba|cha)"
    r"(?: (?:cua|em|e|toi|minh|tui|chong|vo|gia|noi|ngoai|trai|gai|ut|ruot|nho|lon))*(?![a-z])"
)
_JOIN = r"\s*(?:,\s*(?:va |voi )?|(?<= )(?:va|voi|vs|cung voi|cung) |\+|&)\s*"
_LIST = re.compile(
    rf"(?<![a-z])(?:(?P<before>(?:mua|dong|lam)(?: [a-z]+){{0,4}} cho|(?:nha|gia dinh|gd|ho)(?: em| e| toi"
    rf"| minh)? (?:co|gom)) )?(?P<list>{_NAMED}(?:{_JOIN}{_NAMED}){{1,6}})"
    rf"(?P<after>[\s,{CLAIMED}]*(?:cung |dinh |muon |can |deu |ca )*(?:mua|tham gia|dong)(?![a-z]))?"
)
_JOINED = re.compile(_JOIN)
_A_PAIR = re.compile(rf"(?:{NUMBER}\s*)?{_PAIR}(?![a-z])")
_COUNTED = re.compile(rf"(?P<count>{NUMBER})\s*{_CHILDREN}(?![a-z])")
_ALONE = re.compile(r"(?<![a-z0-9])(?:1|mot)\s*minh(?![a-z])")
_HARMLESS_BEFORE = re.compile(r"(?<![a-z])(?:nha|ho|gia dinh|co|cho|la|em|gom)\s+$")
# `năm người`, `sáu người` and `ba người` may be other words when accents are left out.
_DOUBTFUL = {"nam", "sau"}
_GREATEST = 20

_ORDER = re.compile(
    rf"(?<![a-z])(?:{_PERSON}|thanh vien|tv)\s*(?:(?:thu|so)\s*(?P<order>[0-9]{{1,2}}|mot|hai|ba|tu|bon"
    rf"|nam|sau|bay|tam|chin|muoi|nhat|nhi)|t(?P<short>[0-9]))"
    r"(?![0-9a-z])(?!\s*(?:tr|trieu|k|nghin|ngan)(?![a-z]))(?![.,][0-9])"
)
_FIRST = re.compile(rf"(?<![a-z])(?:{_PERSON}|thanh vien)\s+(?:dau tien|dau)(?![a-z])")


def parse_members(text: str) -> Found[int] | None:
    """How many people pay as a household (`nhà 4 khẩu`, `2 vợ chồng với 2 đứa`), at most twenty."""
    return find_members(Reading.of(text))


def parse_member_order(text: str) -> Found[int] | None:
    """Which member in order (`người thứ 3`, `nguoi thu ba`); a child's order of birth is none."""
    return find_member_order(Reading.of(text))


def find_members(reading: Reading) -> Found[int] | None:
    """As `parse_members`, for a prepared message."""
    candidates = list(_candidates(reading))
    several = [found for found in candidates if found.value > 1]
    return next(iter(several or candidates), None)


def find_member_order(reading: Reading) -> Found[int] | None:
    """As `parse_member_order`, for a prepared message."""
    for match in _ORDER.finditer(reading.folded):
        word = match["order"] or match["short"]
        if word in {"nhat", "nhi"}:
            order: int | None = {"nhat": 1, "nhi": 2}[word]
        elif word == "tu":
            order = 4
        elif match["order"]:
            order = read_number(reading, *match.span("order"))
        else:
            order = int(word)
        if order is not None and 1 <= order <= _GREATEST:
            return reading.found(order, *match.span())
    first = _FIRST.search(reading.folded)
    return reading.found(1, *first.span()) if first else None


def _candidates(reading: Reading) -> Iterator[Found[int]]:
    """Readings of the household's size, the surest first."""
    named = _named_one_by_one(reading)
    if named:
        yield named
    for pattern in (_REST, _SOME_OF, _HOUSE, _PEOPLE, _KIN):
        for match in pattern.finditer(reading.folded):
            count = _count(reading, match)
            if (
                pattern is _REST
                and reading.written(match.start(), match.start() + 3) != "còn"
                and not reading.accent_free
            ):
                continue
            if count is not None and 1 <= count <= _GREATEST:
                yield reading.found(count, *match.span())
    for match in _COUPLE.finditer(reading.folded):
        others = read_number(reading, *match.span("children")) if match["children"] else 0
        others = 2 if match["parents"] else 1 if match["parent"] else others
        sums = [int(total) for total in _SUM.findall(reading.folded, match.end())]
        yield reading.found(max([2 + (others or 0), *sums]), *match.span())
    for pattern, size in ((_PARENTS, 2), (_ALONE, 1)):
        for match in pattern.finditer(reading.folded):
            yield reading.found(size, *match.span())


def _named_one_by_one(reading: Reading) -> Found[int] | None:
    """`tôi với vợ và mẹ mua`; a number of all of them, said as well, is left to the other readings."""
    for match in _LIST.finditer(reading.folded):
        if not (match["before"] or match["after"]):
            continue
        start, end = match.span("list")
        joins = [join.span() for join in _JOINED.finditer(reading.folded, start, end)]
        starts = [start, *(last for _, last in joins)]
        ends = [*(first for first, _ in joins), end]
        return reading.found(sum(_size(reading, *span) for span in zip(starts, ends)), start, end)
    return None


def _size(reading: Reading, start: int, end: int) -> int:
    """How many people one of a list stands for."""
    if _A_PAIR.match(reading.folded, start, end):
        return 2
    counted = _COUNTED.match(reading.folded, start, end)
    return (read_number(reading, *counted.span("count")) if counted else None) or 1


def _count(reading: Reading, match: re.Match[str]) -> int | None:
    start, end = match.span("count")
    written = reading.written(start, end)
    before = reading.folded[max(0, start - 10) : start]
    if written in _DOUBTFUL and not _HARMLESS_BEFORE.search(before):
        return None
    return read_number(reading, start, end)
