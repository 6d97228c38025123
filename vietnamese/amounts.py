"""Read amounts of money as people write them: `1tr5`, `2 củ`, `1 triệu rưỡi`, `500k`, `1.500.000đ`."""

import re
from dataclasses import dataclass
from datetime import date

from vietnamese.dates import COUNTED, find_dates
from vietnamese.masking import find_personal_numbers
from vietnamese.numbers import WORDS, read_number
from vietnamese.periods import find_periods
from vietnamese.text import Reading


@dataclass(frozen=True)
class Amount:
    """An amount in whole đồng; `start` and `end` are character positions in the NFC text."""

    value: int
    start: int
    end: int
    text: str


_SCALES = {
    "ty": 10**9, "ti": 10**9,
    "trieu": 10**6, "trieeuj": 10**6, "trieuj": 10**6, "triu": 10**6, "tr": 10**6, "trd": 10**6, "cu": 10**6,
    "lit": 10**5,
    "nghin": 10**3, "ngan": 10**3, "nghan": 10**3, "ngin": 10**3, "k": 10**3,
    "dong": 1, "d": 1, "vnd": 1, "₫": 1,
}  # fmt: skip
# Words that mean money only when written so: `củ` but not `cũ` (old) nor `cụ` (elder), `đồng` but not
# `đóng` (pay).
_SPELLINGS = {
    "cu": {"củ", "cu"},
    "ty": {"tỷ", "tỉ", "ty"},
    "ti": {"tỉ", "ti"},
    "dong": {"đồng", "đông", "dồng", "dong", "đòng", "đồg"},
    "lit": {"lít", "lit"},
    "ngan": {"ngàn", "ngan", "ngán"},
}
_SCALE = r"(?P<scale>trieeuj|trieuj|trieu|triu|trd|tr|cu|ty|ti|lit|nghin|nghan|ngan|ngin|k|dong|vnd|d|₫)"
_NUMBER = (
    r"(?:(?P<grouped>[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3}){2,})"
    r"|(?P<plain>[0-9]{1,13})(?:[.,](?P<fraction>[0-9]{1,3}))?"
    rf"|(?P<mixed>[0-9]{{1,2}}\s*(?:chuc|tram)(?![a-z])(?:\s+{WORDS})?)|(?P<words>{WORDS})|(?P<nua>"
    rf"(?<![a-z])nua))"
)
_ALONE = r"(?<![0-9])(?<![0-9][.,/])"
_HEAD = re.compile(rf"{_ALONE}{_NUMBER}\s*{_SCALE}(?![a-z])")
_RANGE_BEFORE = re.compile(r"[0-9]\s*[-–~]\s*$")
_UNSURE_BEFORE = re.compile(r"(?<![a-z])(?:may|vai|bao nhieu|chuc|tram|ram)\s+$")
_AND_A_HALF = re.compile(r"\s*ruoi(?![a-z])")
_ATTACHED = re.compile(r"([0-9]{1,3})(?![0-9a-ce-z])(?!d[a-z])(?![.,][0-9])")
_APART = re.compile(
    rf"\s+([0-9]{{1,3}})(?![0-9a-z%/\-])(?![.,][0-9])(?!\s*(?!dong(?![a-z]))(?:{COUNTED}))(?!\s*x(?![a-z]))"
)
_HUNDREDS = re.compile(rf"\s*(?:[0-9]\s*tram(?![a-z])|{WORDS})")
_ONE_WORD = re.compile(
    r"\s+(mot|hai|ba|tu|bon|nam|lam|sau|bay|tam|chin)(?=\s*(?:$|[.,;?!/)\n])"
    r"|\s+(?:thi|a|ad|ah|nhe|va|la|dong|mot|moi|co|duoc|dc|het|bao|bn|d|nha|ha)(?![a-z]))"
)
_LESSER = re.compile(r"\s*(?:va\s+|le\s+|linh\s+)?")
_CURRENCY = re.compile(r"\s?(?:dong|vnd|d|₫)(?![a-z])")
_BARE_HALF = re.compile(r"(?<![a-z0-9])(?:trieu|tr)\s+ruoi(?![a-z])")
_BARE = re.compile(
    r"(?<![\w.,/\-+])(?:[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+|(?:,[0-9]{3})+|(?: [0-9]{3}){2,})|[1-9][0-9]{5,8})"
    r"(?![\w%/•]|[.,\-][0-9])(?!\s*(?:%|phan tram|nguoi|ng|thang|nam|tuoi)(?![a-z]))"
)
_NUMBER_OF_SOMETHING = re.compile(
    r"(?<![a-z])(?:so|ma|cccd|cmnd|cmt|can cuoc|sdt|stk|tk|tai khoan|dien thoai|dt|otp|the|zalo|goi|pin"
    r"|bhxh|bhyt)\W*(?:la\W+|:\s*)?$"
)
_FOREIGN = re.compile(r"\s*(?:đô|usd|euro|yên)(?!\w)", re.IGNORECASE)
_CURRENCIES = {"dong", "d", "vnd", "₫"}
_GREATEST = 10**13


def parse_amounts(text: str) -> list[Amount]:
    """Every amount of money in the text, in order. Estimates (`vài triệu`, `3-4 triệu`) are none."""
    reading = hide_personal_numbers(Reading.of(text))
    # The day does not matter here: only where dates stand.
    reading = reading.without((found.start, found.end) for found in find_dates(reading, date(2000, 1, 1)))
    reading = reading.without((found.start, found.end) for found in find_periods(reading))
    return find_amounts(reading)


def parse_amount(text: str) -> int | None:
    """The first amount in đồng, or None."""
    amounts = parse_amounts(text)
    return amounts[0].value if amounts else None


def format_dong(value: int) -> str:
    """`1.500.000 đồng`."""
    return f"{value:,}".replace(",", ".") + " đồng"


def hide_personal_numbers(reading: Reading) -> Reading:
    """The message with phone, identity and card numbers hidden, which are no amounts."""
    return reading.without((number.start, number.end) for number in find_personal_numbers(reading.text))


def find_amounts(reading: Reading) -> list[Amount]:
    """As `parse_amounts`, for a prepared message in which personal numbers, dates and periods are hidden."""
    found: list[Amount] = []
    position = 0
    while match := _HEAD.search(reading.folded, position):
        position = match.end()
        before = reading.folded[max(0, match.start() - 12) : match.start()]
        if _RANGE_BEFORE.search(before) or _UNSURE_BEFORE.search(before):
            continue
        read = _read_from(reading, match)
        if read is None or read[0] > _GREATEST:
            continue
        value, end = read
        currency = _CURRENCY.match(reading.folded, end)
        if currency and reading.written(*currency.span()).strip() != "đóng":
            end = currency.end()
        found.append(_amount(reading, value, match.start(), end))
        position = end
    rest = reading.without((amount.start, amount.end) for amount in found)
    for match in _BARE_HALF.finditer(rest.folded):
        if not _UNSURE_BEFORE.search(rest.folded[max(0, match.start() - 12) : match.start()]):
            found.append(_amount(reading, 1_500_000, *match.span()))
    for match in _BARE.finditer(rest.folded):
        value = int(re.sub(r"\D", "", match[0]))
        grouped = not match[0].isdigit()
        labelled = _NUMBER_OF_SOMETHING.search(rest.folded[max(0, match.start() - 20) : match.start()])
        if value >= 100_000 and (grouped or value % 100 == 0) and not labelled:
            found.append(_amount(reading, value, *match.span()))
    return sorted(found, key=lambda amount: amount.start)


def _amount(reading: Reading, value: int, start: int, end: int) -> Amount:
    return Amount(value, start, end, reading.text[start:end])


def _read_from(reading: Reading, match: re.Match[str]) -> tuple[int, int] | None:
    """Value and end of the amount that begins with this number and scale; None when it is no amount."""
    word = match["scale"]
    written = reading.written(*match.span("scale"))
    scale = _SCALES[word]
    if word in _SPELLINGS and written not in _SPELLINGS[word]:
        return None
    value = _head_value(reading, match, scale)
    if value is None or not _is_plausible(match, word, written, value):
        return None
    end = match.end()
    if _FOREIGN.match(reading.text, end):
        return None
    if scale == 1:
        return value, end
    return _with_tail(reading, value, scale, end)


def _is_plausible(match: re.Match[str], word: str, written: str, value: int) -> bool:
    if word in {"dong", "d"} and written != "đồng":
        return value >= 1000
    if word == "k" and not match[0][-2].isdigit():
        # `80 k` ends a question more often than it names eighty thousand.
        return value >= 150_000 or match.string[match.end() :].lstrip().startswith(
            ("/", "mot ", "1 ", "moi ")
        )
    if word == "lit":
        return value <= 50 * 10**5 and not match.string[match.end() :].lstrip().startswith(
            ("xang", "sua", "nuoc", "dau")
        )
    return True


def _head_value(reading: Reading, match: re.Match[str], scale: int) -> int | None:
    if match["nua"]:
        return scale // 2 if scale >= 10**6 else None
    if match["grouped"]:
        parts = re.findall(r"[0-9]+", match["grouped"])
        if scale == 10**6 and len(parts) == 2:
            return int(parts[0]) * scale + int(parts[1]) * scale // 1000  # `1.263 triệu`
        return int("".join(parts)) * scale
    if match["plain"]:
        fraction = match["fraction"] or ""
        return int(match["plain"]) * scale + (int(fraction) * scale // 10 ** len(fraction) if fraction else 0)
    name = "mixed" if match["mixed"] else "words"
    number = read_number(reading, *match.span(name))
    return None if number is None else number * scale


def _with_tail(reading: Reading, value: int, scale: int, end: int) -> tuple[int, int]:
    """Adds what follows the scale: `rưỡi`, `1tr5`, `1 triệu 500`, `1 triệu năm trăm nghìn`."""
    folded = reading.folded
    if half := _AND_A_HALF.match(folded, end):
        return value + scale // 2, half.end()
    if scale < 10**6:
        return value, end
    gap = _LESSER.match(folded, end)
    lesser = _HEAD.match(folded, gap.end()) if gap else None
    if lesser and _SCALES[lesser["scale"]] < scale:
        read = _read_from(reading, lesser)
        if read is not None and (1000 if lesser["scale"] in _CURRENCIES else 1) <= read[0] < scale:
            return value + read[0], read[1]
    if digits := _ATTACHED.match(folded, end) or _APART.match(folded, end):
        return value + int(digits[1]) * scale // 10 ** len(digits[1]), digits.end()
    if hundreds := _HUNDREDS.match(folded, end):
        start = hundreds.start() + len(hundreds[0]) - len(hundreds[0].lstrip())
        number = read_number(reading, start, hundreds.end()) if "tram" in hundreds[0] else None
        if number is not None and 100 <= number < 1000:
            return value + number * scale // 1000, hundreds.end()
    if word := _ONE_WORD.match(folded, end):
        number = read_number(reading, *word.span(1))
        if number is not None:
            return value + number * scale // 10, word.end(1)
    return value, end
